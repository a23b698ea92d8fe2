# SPDX-License-Identifier: ISC
"""The ways of people through the portal: a real browser, the real servers, real mail programs beside it."""

import base64
import hashlib
import hmac
import json
import re
import struct
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
import rig
import talk
from browser import Browser
from conftest import ALICE, BOB

STAFF = ("admin@example.test", "keeper of the keys")
FIRST_LOAD_MAX = 60 * 1024  # bytes over the wire, head fields and all
NAME = "mail.example.test"
NEW_PASSWORD = "three blind mice ran after"


class Portal:
    """The door, and browsers before it."""

    def __init__(self, door):
        self.door = door
        self.base = f"https://{NAME}:{door.ports['https']}/"
        self.browsers = []

    def browser(self, **options):
        made = Browser(self.base, args=[f"--host-resolver-rules=MAP {NAME} 127.0.0.1"], **options)
        self.browsers.append(made)
        return made

    def signed_in(self, who, heading="Overview", **options):
        browser = self.browser(**options)
        browser.go()
        sign_in(browser, *who)
        browser.heading(heading)
        return browser

    def now(self):
        """The door's time: tests move its clock."""
        return time.time() + self.door.json("status")["clock_shift"]

    def close(self):
        for browser in self.browsers:
            browser.close()


@pytest.fixture
def portal(make_gatepost):
    """Whatever a test does: no script fails, the policy stops nothing, and no other host is asked."""
    door = make_gatepost()
    door.add_account(*STAFF, "--role", "staff")
    made = Portal(door)
    try:
        yield made
        for browser in made.browsers:
            assert browser.problems() == []
            asked = {urllib.parse.urlsplit(url).netloc for url in browser.run("return seen.requests")
                     if not url.startswith(("about:", "blob:"))}
            assert asked <= {f"{NAME}:{door.ports['https']}"}
    finally:
        made.close()


def sign_in(browser, address, password):
    browser.fill("Mail address", address)
    browser.fill("Password", password)
    browser.press("Sign in")


def api(browser, path):
    """What the page of this browser would be told."""
    return browser.run("return await page.evaluate(async (path) => (await fetch('/api/v1' + path)).json(), args.path)",
                       path=path)


def totp(secret, now):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(now) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start:start + 4])[0] & 0x7fffffff) % 10 ** 6:06}"


def scan(picture):
    """What a phone's camera reads from a picture of the screen."""
    return subprocess.run(["zbarimg", "--quiet", "--raw", picture], check=True, capture_output=True,
                          text=True).stdout.strip()


def imap(door, who, peer, client=None, read=False):
    """An IMAP sign-in, by a program that says who it is; with read, the subjects of the inbox."""
    line = talk.connect(door, "imaps", peer)
    if not isinstance(line, rig.Line):
        return line
    with line:
        if client:
            line.send(f'i ID ("name" "{client}")')
            line.tagged("i")
        answer = talk.attempt(line, "imaps", *who)
        if not read or not talk.is_ok(answer):
            return answer
        line.send("b SELECT INBOX")
        assert line.tagged("b")[-1].startswith("b OK")
        line.send("c FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
        return " ".join(line.tagged("c"))


def deliver(door, sender, recipient, subject, peer):
    line = talk.connect(door, "submissions", peer)
    with line:
        assert talk.is_ok(talk.attempt(line, "submissions", *sender))
        assert line.ask(f"MAIL FROM:<{sender[0]}>")[0].startswith("250")
        assert line.ask(f"RCPT TO:<{recipient}>")[0].startswith("250")
        assert line.ask("DATA")[0].startswith("354")
        assert line.ask(f"Subject: {subject}\r\nFrom: <{sender[0]}>\r\nTo: <{recipient}>\r\n\r\nHello.\r\n.")[0].startswith("250")


def turn_twofactor_on(portal, browser, password, tmp_path, whose=ALICE[0]):
    """From the password to the recovery codes; returns the secret that the phone has, and the codes."""
    browser.fill("Password", password)
    browser.press("Next")
    browser.see("Scan this with your phone")
    uri = scan(browser.shot("qr", ".qr", folder=tmp_path))
    assert uri.startswith("otpauth://totp/")
    parts = urllib.parse.urlsplit(uri)
    query = urllib.parse.parse_qs(parts.query)
    assert urllib.parse.unquote(parts.path).endswith(whose)
    assert query["issuer"]
    secret = query["secret"][0]
    assert browser.text(".enroll code").replace(" ", "") == secret
    browser.fill("The code the app shows now", totp(secret, portal.now()))
    browser.press("Turn on")
    browser.see("Keep your recovery codes")
    codes = browser.run("return await page.locator('#codes code').allInnerTexts()")
    assert len(set(codes)) == 10
    browser.press("I have kept them")
    return secret, codes


def test_first_load_is_small_and_stays_here(portal):
    browser = portal.browser()
    browser.go()
    browser.heading("Sign in")
    browser.run("await page.waitForLoadState('networkidle')")
    size = browser.run("return seen.bytes")
    assert 5000 < size <= FIRST_LOAD_MAX
    assert browser.inspect("real-signin") == []


def test_turning_twofactor_on_and_reading_mail_again(portal, peer, tmp_path):
    door = portal.door
    deliver(door, BOB, ALICE[0], "before all this", peer)
    assert talk.is_ok(imap(door, ALICE, peer, "Thunderbird"))

    browser = portal.signed_in(ALICE)
    browser.see("Your password alone opens your account")
    browser.click("Turn on two-factor sign-in")
    browser.heading("Two-factor sign-in")
    browser.see("Thunderbird", "will stop working")
    assert browser.inspect("real-twofactor-off") == []
    browser.press("Turn on two-factor sign-in")
    secret, _ = turn_twofactor_on(portal, browser, ALICE[1], tmp_path)
    browser.see("Two-factor sign-in is on.")
    assert secret not in browser.run("return await page.content()").replace(" ", "")

    # The old password opens no mailbox any more, and gets nobody banned who comes from a known place.
    for _ in range(6):
        assert "AUTHENTICATIONFAILED" in imap(door, ALICE, peer, "Thunderbird")
    browser.follow("#/overview")
    browser.see("Devices that cannot sign in", "Right password, but two-factor sign-in is on")
    assert browser.inspect("real-overview-refused") == []

    browser.click("Make a device password")
    browser.heading("Device passwords")
    browser.press("Create")
    browser.see("It is shown only now.")
    browser.see("1 device password")
    assert browser.inspect("real-devices-made") == []
    password = browser.text(".secret code")
    assert str(door.ports["imaps"]) in browser.text(".settings")
    browser.press("I have entered it")
    assert password not in browser.run("return await page.content()")

    assert "before all this" in imap(door, (ALICE[0], password), peer, "Thunderbird", read=True)
    browser.follow("#/overview")
    browser.heading("Overview")
    browser.follow("#/devices")
    browser.see("Last used")

    browser.press("Sign out")
    browser.see("You are signed out.")
    door.advance(60)  # each code is good once
    sign_in(browser, *ALICE)
    browser.heading("Enter your code")
    assert browser.inspect("real-code") == []
    browser.fill("Code from your phone", totp(secret, portal.now()))
    browser.press("Sign in")
    browser.heading("Overview")
    browser.follow("#/devices")
    browser.press("Revoke")
    browser.press("Revoke", "dialog")
    browser.see("Revoked, and signed out.")
    assert not talk.is_ok(imap(door, (ALICE[0], password), peer))


def test_a_lost_phone(portal, peer, tmp_path):
    door = portal.door
    browser = portal.signed_in(ALICE)
    browser.follow("#/twofactor")
    browser.press("Turn on two-factor sign-in")
    _, codes = turn_twofactor_on(portal, browser, ALICE[1], tmp_path)
    browser.press("Sign out")
    browser.see("You are signed out.")
    sign_in(browser, *ALICE)
    browser.heading("Enter your code")
    browser.press("Use a recovery code instead")
    browser.fill("Recovery code", codes[3])
    browser.press("Sign in")
    browser.heading("Make your account safe again")
    assert browser.inspect("real-recover") == []
    # Nothing else is open yet.
    browser.follow("#/devices")
    browser.heading("Make your account safe again")
    secret, _ = turn_twofactor_on(portal, browser, ALICE[1], tmp_path)
    browser.fill("Present password", ALICE[1])
    browser.fill("New password", NEW_PASSWORD)
    browser.fill("New password, once more", NEW_PASSWORD)
    browser.press("Change password")
    browser.heading("Device passwords")
    browser.press("Sign out")
    browser.see("You are signed out.")
    sign_in(browser, *ALICE)
    browser.see("Address or password is not right")
    door.advance(60)
    sign_in(browser, ALICE[0], NEW_PASSWORD)
    browser.heading("Enter your code")
    browser.press("Use a recovery code instead")
    browser.fill("Recovery code", codes[5])  # of the old phone
    browser.press("Sign in")
    browser.see("This code is not right")
    browser.press("Use the code from my phone")
    browser.fill("Code from your phone", totp(secret, portal.now()))
    browser.press("Sign in")
    browser.heading("Overview")


def test_lifting_a_ban(portal):
    door = portal.door
    for number in range(5):
        imap(door, (BOB[0], f"wrong {number}"), "127.0.0.1", "Outlook")
    assert "blocked" in imap(door, BOB, "127.0.0.1")

    browser = portal.browser()
    browser.go("#/blocked")
    browser.see("Yes, your connection is blocked.", "127.0.0.1")
    assert browser.inspect("real-blocked-guest") == []
    browser.click("Sign in")
    sign_in(browser, *BOB)
    browser.see("The connection you use right now is blocked", "Outlook")
    assert browser.inspect("real-overview-banned") == []
    browser.follow("#/blocked")
    browser.press("Lift the block")
    assert "Outlook" in browser.text("dialog")
    assert browser.violations() == []
    browser.press("Lift it now")
    browser.see("127.0.0.1 is not blocked any more", "No, your connection is not blocked.")
    assert talk.is_ok(imap(door, BOB, "127.0.0.1"))
    browser.follow("#/activity")
    browser.see("Outlook", "Wrong password")
    assert browser.inspect("real-activity") == []


def test_changing_the_password(portal, peer):
    door = portal.door
    browser = portal.signed_in(BOB)
    elsewhere = portal.signed_in(BOB)
    browser.follow("#/account")
    browser.see("Where am I signed in?")
    assert browser.count(".device") == 2
    assert browser.inspect("real-account") == []
    browser.fill("Present password", "not that")
    browser.fill("New password", NEW_PASSWORD)
    browser.fill("New password, once more", NEW_PASSWORD)
    browser.press("Change password")
    browser.see("This is not your password")
    browser.fill("Present password", BOB[1])
    browser.fill("New password", NEW_PASSWORD)
    browser.fill("New password, once more", NEW_PASSWORD)
    browser.press("Change password")
    browser.see("Your password is changed")
    assert talk.is_ok(imap(door, (BOB[0], NEW_PASSWORD), peer))
    assert not talk.is_ok(imap(door, BOB, peer, "Outlook"))
    elsewhere.follow("#/devices")
    elsewhere.see("You were away for a while")
    browser.follow("#/account")
    browser.press("Sign out everywhere")
    browser.see("You are signed out everywhere.")


def test_staff_helps(portal, peer):
    door = portal.door
    talk.wrong(door, peer, 5, "imaps", BOB[0])
    outsider = portal.signed_in(BOB)
    outsider.follow("#/staff")
    outsider.heading("Nothing here")
    assert api(outsider, f"/accounts/{ALICE[0]}")["code"] == "role"
    staff = portal.signed_in(STAFF)
    staff.click("Staff", "nav")
    staff.fill("Address, account, event or reference number", "bob@")
    staff.press("Search")
    staff.see("result")
    assert staff.inspect("real-staff") == []
    staff.click(BOB[0])
    staff.heading(BOB[0])
    staff.see("What this person sees", "Wrong password", peer)
    assert staff.inspect("real-staff-account") == []

    staff.press("Lift the block")
    staff.press("Lift the block", "dialog")
    staff.see("The block is lifted.")
    assert talk.is_ok(imap(door, BOB, peer))

    staff.press("Block sending")
    staff.fill("Reason", "2,400 messages in an hour")
    staff.press("Block sending", "dialog")
    staff.see("Sending is blocked.")
    line = talk.connect(door, "submissions", peer)
    with line:
        assert talk.is_ok(talk.attempt(line, "submissions", *BOB))
        refusal = line.ask(f"MAIL FROM:<{BOB[0]}>")[0]
        assert refusal.startswith("554") and f"Account {BOB[0]} has been blocked from sending" in refusal
    bob = portal.signed_in(BOB)
    bob.see("Your account may not send mail", "See what was sent")
    assert bob.inspect("real-overview-blocked") == []
    staff.press("Unblock sending")
    staff.press("Unblock sending", "dialog")
    staff.see("Sending is open again.")

    staff.press("Send a reset link")
    staff.press("Send a reset link", "dialog")
    staff.see("There is no recovery address")
    staff.press("End mail sessions")
    staff.press("End mail sessions", "dialog")
    staff.see("All mail sessions are ended.")
    staff.click("Audit log")
    staff.heading("Audit log")
    staff.see("Sending blocked", "Sending unblocked", BOB[0])
    assert staff.inspect("real-staff-audit") == []


def letter(dovecot, address, pattern, seen):
    """What a letter not seen before says there; it is read from the mailbox, past the door."""
    def find():
        for raw in set(dovecot.messages(address)) - seen:
            found = re.search(pattern, raw.replace(b"=\r\n", b"").replace(b"=\n", b"").replace(b"=3D", b"=").decode())
            if found:
                return found.group(1)
        return None
    return rig.until(find, f"a letter to {address} with {pattern}")


def set_recovery_address(browser, dovecot, address, password):
    """On the page of the account, with the code that is mailed there."""
    seen = set(dovecot.messages(address))
    browser.follow("#/account")
    browser.fill("Another address of yours", address)
    browser.fill("Your password, to confirm", password)
    browser.press("Save")
    browser.see(f"We sent a code to {address}.")
    browser.fill("Code from that mail", "aaaa-bbbb-cccc")
    browser.press("Confirm")
    browser.see("This code is not right")
    browser.fill("Code from that mail", letter(dovecot, address, r"Subject: Your code: ([\w-]+)", seen))
    browser.press("Confirm")
    browser.see("Your recovery address is confirmed.", f"At present: {address}")


def send_reset_link(staff, address):
    staff.follow(f"#/staff/account/{urllib.parse.quote(address)}")
    staff.press("Send a reset link")
    staff.press("Send a reset link", "dialog")
    staff.see("The link is on its way.")


def follow_reset_link(browser, token, password):
    browser.go(f"#reset={token}")
    browser.heading("Choose a new password")
    browser.see(f"For {ALICE[0]}.")
    assert token not in browser.run("return page.url()")
    for wanted in ("Password123", password):
        browser.fill("New password", wanted)
        browser.fill("New password, once more", wanted)
        browser.press("Set the new password")
        if wanted != password:
            browser.see("This password is on lists that guessers try first.")
            assert browser.inspect("real-reset") == []
    browser.heading("Sign in")


def test_a_forgotten_password(portal, dovecot, peer):
    """The way back: a recovery address, a link, a new password."""
    owner = portal.signed_in(ALICE)
    set_recovery_address(owner, dovecot, BOB[0], ALICE[1])
    seen = set(dovecot.messages(BOB[0]))
    staff = portal.signed_in(STAFF)
    send_reset_link(staff, ALICE[0])
    lost = portal.browser()
    token = letter(dovecot, BOB[0], r"#reset=([\w-]{43})", seen)
    follow_reset_link(lost, token, NEW_PASSWORD)
    sign_in(lost, ALICE[0], NEW_PASSWORD)
    lost.heading("Overview")
    assert talk.is_ok(imap(portal.door, (ALICE[0], NEW_PASSWORD), peer))
    assert not talk.is_ok(imap(portal.door, ALICE, peer))
    owner.follow("#/devices")
    owner.see("You were away for a while")
    again = portal.browser()
    again.go(f"#reset={token}")
    again.see("This link is not valid any more.")


def test_a_thief_changes_the_recovery_address(portal, dovecot):
    """With the password, he puts his own in. The owner hears of it at the old one, and comes back by it."""
    owner = portal.signed_in(ALICE)
    set_recovery_address(owner, dovecot, BOB[0], ALICE[1])
    seen = set(dovecot.messages(BOB[0]))
    thief = portal.signed_in(ALICE)
    set_recovery_address(thief, dovecot, STAFF[0], ALICE[1])
    thief.see(f"links for a new password still go to {BOB[0]}")
    assert thief.inspect("real-account-moved") == []
    assert letter(dovecot, BOB[0], r"Subject: (Your recovery address was changed)", seen)
    staff = portal.signed_in(STAFF)
    send_reset_link(staff, ALICE[0])
    follow_reset_link(owner, letter(dovecot, BOB[0], r"#reset=([\w-]{43})", seen), NEW_PASSWORD)
    thief.follow("#/devices")
    thief.see("You were away for a while")
    sign_in(owner, ALICE[0], NEW_PASSWORD)
    owner.heading("Overview")
    owner.follow("#/account")
    owner.see(f"At present: {BOB[0]}")
    assert "still go to" not in owner.text()
    # None at all: the page says where links go meanwhile.
    owner.fill("Another address of yours", "")
    owner.fill("Your password, to confirm", NEW_PASSWORD)
    owner.press("Save")
    owner.see("Your recovery address is removed.", "At present there is none.", f"still go to {BOB[0]}")


def test_a_domain_admin_sees_his_domains_alone(portal, peer):
    door = portal.door
    chief, stranger = ("chief@example.test", "keeper of one key"), ("carol@other.test", "somebody else entirely")
    door.cli("domain", "add", "other.test")
    door.add_account(*stranger)
    door.add_account(*chief, "--role", "domain-admin", "--domain", "example.test")
    talk.wrong(door, peer, 1, "imaps", BOB[0])
    talk.wrong(door, peer, 1, "imaps", stranger[0])
    page = portal.signed_in(chief)
    page.click("Staff", "nav")
    shown = page.text()
    assert "Blocked connections" not in shown and "Audit log" not in shown
    assert page.inspect("real-domain-admin") == []
    for words, found in (("bob@", BOB[0]), ("carol", None), ("other.test", None), (peer, BOB[0])):
        page.fill("Address, account, event or reference number", words)
        page.press("Search")
        page.see("result") if found else page.see("Nothing was found.")
        shown = page.text("main section")
        assert stranger[0] not in shown and (found or "Nothing") in shown
    # His own he helps; secrets, staff, and what is no account's are not his.
    page.follow(f"#/staff/account/{urllib.parse.quote(BOB[0])}")
    page.heading(BOB[0])
    assert page.inspect("real-domain-admin-account") == []
    assert "End mail sessions" not in page.text()
    page.press("Block sending")
    page.fill("Reason", "sends too much")
    page.press("Block sending", "dialog")
    page.see("Sending is blocked.")
    assert door.json("account", "show", BOB[0])["blocked_at"]
    page.press("Unblock sending")
    page.press("Unblock sending", "dialog")
    page.see("Sending is open again.")
    page.follow(f"#/staff/account/{urllib.parse.quote(stranger[0])}")
    page.see("This is not there")
    for hidden in ("bans", "audit"):
        page.follow(f"#/staff/{hidden}")
        page.see("Your account may not do this.")
    page.follow(f"#/staff/account/{urllib.parse.quote(STAFF[0])}")
    page.press("Block sending")
    page.fill("Reason", "he annoys me")
    page.press("Block sending", "dialog")
    page.see("Your account may not do this.")
    assert not door.json("account", "show", STAFF[0])["blocked_at"]
    for path, code in ((f"/accounts/{stranger[0]}", "not_found"), ("/bans", "role"), ("/audit", "role"), ("/events", "role")):
        assert api(page, path)["code"] == code


def test_a_session_that_ran_out(portal):
    browser = portal.signed_in(BOB)
    browser.follow("#/devices")
    portal.door.advance(31 * 60)
    browser.follow("#/account")
    browser.see("You were away for a while")
    sign_in(browser, *BOB)
    browser.heading("My account")


# Paths whose answers the made-up server imitates; an account's stands for all.
SHAPES = ["/session", "/source", "/self", "/self/settings", "/sessions", "/self/devices", "/self/activity?days=7",
          "/self/chart?days=7", "/self/events?limit=5", "/self/bans", "/self/sending", "/self/watch?after=0", "/search?query=bob&limit=5", f"/accounts/{BOB[0]}",
          f"/accounts/{BOB[0]}/activity?days=7", f"/accounts/{BOB[0]}/chart?days=7", f"/accounts/{BOB[0]}/events?limit=5",
          f"/accounts/{BOB[0]}/devices", f"/accounts/{BOB[0]}/twofactor", "/bans", "/events?limit=5", "/audit?limit=5"]


def rows_of(answer):
    """Kind -> keys of all rows of this kind."""
    found = {}
    for row in answer.get("items", [answer]):
        found.setdefault(row.get("kind", ""), set()).update(row)
    return found


def test_what_is_made_up_looks_as_what_is_real(portal, peer):
    """The pages are tried over rows that a test made up: their keys must be those of real rows."""
    door = portal.door
    talk.wrong(door, "127.0.0.1", 5, "imaps", STAFF[0])
    assert talk.is_ok(imap(door, STAFF, peer, "Outlook"))
    assert talk.is_ok(imap(door, BOB, peer, "Outlook"))
    door.add_device(BOB[0], "phone")
    door.add_device(STAFF[0], "phone")
    browser = portal.signed_in(STAFF)
    server = subprocess.Popen(["node", rig.ROOT / "tests/portal/fake.mjs", rig.ROOT / "portal"],
                              stdout=subprocess.PIPE, text=True)
    try:
        base = f"http://127.0.0.1:{int(server.stdout.readline())}"
        faults = []
        for path in SHAPES:
            real = rows_of(api(browser, path))
            if "title" in real.get("", ()):
                faults.append(f"{path}: no answer")
            for scene in ("staff", "troubled", "connecting"):
                urllib.request.urlopen(base + "/fake", json.dumps({"scenario": scene}).encode(), timeout=10).close()
                with urllib.request.urlopen(base + "/api/v1" + path, timeout=10) as answer:
                    made_up = rows_of(json.load(answer))
                faults += [f"{path}: {kind} {sorted(keys - real[kind])}" for kind, keys in made_up.items()
                           if kind in real and keys - real[kind]]
            if not real:
                faults.append(f"{path}: no rows")
        assert faults == []
    finally:
        rig.end_pid(server.pid)
        server.wait()
        server.stdout.close()
