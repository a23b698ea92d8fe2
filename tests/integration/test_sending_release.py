# SPDX-License-Identifier: ISC
"""An account that is stopped from sending, through real servers: its owner opens it again, in a browser from the start to
the first accepted mail; a thief who holds the password does not, whichever way he tries."""

import email
import email.policy

import pytest
import rig
import stopped
import talk
from browse import Browser
from stopped import (DAY, FRIEND, HOUR, NEW_PASSWORD, PASSWORD, V1, Person, check_kept_out, letters, lock_out, next_of,
                     prove, say)
from test_portal import Portal, sign_in, turn_twofactor_on

OWNERS = 14


@pytest.fixture(scope="module")
def hop(workdir, token_keys):
    addresses = [FRIEND, "staff@example.test", *(f"owner{n}@example.test" for n in range(1, OWNERS + 1))]
    yield from stopped.serve_hop(workdir / "release-hop", token_keys, addresses)


@pytest.fixture(scope="module")
def door(workdir, token_keys, hop):
    yield from stopped.serve_door(workdir / "release", token_keys, hop, [(FRIEND, None), ("staff@example.test", "staff")])


@pytest.fixture
def person(door, hop):
    return Person(door, hop)


@pytest.fixture
def portal(door):
    made = Portal(door)
    try:
        yield made
        for browser in made.browsers:
            assert browser.problems() == []
    finally:
        made.close()


# ---- the owner ----

def test_from_the_block_to_the_first_mail(door, person, portal, tmp_path):
    """In a browser at a place that nobody knows: asked, proved by mail, locked out, and sending again."""
    person.settle(address=True)
    assert person.send_from(person.home, PASSWORD).startswith("250")
    with talk.connect(door, "submissions", person.home) as line:
        assert talk.is_ok(talk.attempt(line, "submissions", person.address, PASSWORD))
        person.block()
        assert line.ask(f"MAIL FROM:<{person.address}>")[0] == person.refusal()
    assert person.send_from(person.home, PASSWORD) == person.refusal()

    browser = portal.browser()
    browser.go()
    sign_in(browser, person.address, PASSWORD)
    browser.see("Your account may not send mail")
    browser.click("See what was sent")
    browser.heading("Was this you?")
    browser.see("What was sent in your name")
    assert browser.inspect("real-sending") == []
    browser.press("No, this was not me")
    browser.see("Prove that it is you")
    browser.press("Send me a code")
    browser.see("The code is on its way")
    code = person.mailed("Your code: ", "open sending again")["Subject"].removeprefix("Your code: ")
    browser.fill("Code from that mail", "aaaa-bbbb-cccc")
    browser.press("Confirm")
    browser.see("This code is not right")
    browser.fill("Code from that mail", code)
    browser.press("Confirm")
    browser.see("Choose a new password")
    browser.fill("Present password", PASSWORD)
    browser.fill("New password", NEW_PASSWORD)
    browser.fill("New password, once more", NEW_PASSWORD)
    browser.press("Change password")
    browser.see("Set up two-factor sign-in")
    assert person.is_blocked()
    secret, codes = turn_on(portal, browser, tmp_path)
    browser.see("Done. Your account is yours alone", "Your account may send.")
    assert not person.is_blocked() and len(codes) == 10 and secret
    browser.follow("#/devices")
    browser.fill("Which program or device is it for?", "Telephone")
    browser.press("Create")
    browser.see("It is shown only now.")
    device = browser.text(".secret code")
    assert person.send_from(person.home, device).startswith("250")
    assert not talk.is_ok(talk.signin(door, "submissions", person.address, PASSWORD, person.home))
    person.mailed("Your account may send again")


def turn_on(portal, browser, tmp_path):
    """As test_portal does, for whoever it is."""
    return turn_twofactor_on(portal, browser, NEW_PASSWORD, tmp_path, whose="example.test")


def test_at_home_the_old_phone_and_devices_go(door, person):
    person.settle(twofactor=True)
    old, device = person.secret, door.add_device(person.address, "phone")
    assert person.send_from(person.home, device).startswith("250")
    elsewhere = person.at_portal(person.home, person.code())
    person.block()
    assert elsewhere.get(V1 + "/self").status == 401
    browser = person.at_portal(person.home, person.code())
    assert next_of(browser) == "answer"
    assert say(browser, False).json["next"] == "password"
    lock_out(person, browser)
    assert person.secret != old
    assert not talk.is_ok(talk.signin(door, "submissions", person.address, device, person.home))
    thief = Browser(door, person.place())
    assert thief.post(V1 + "/session", {"login": person.address, "password": PASSWORD}).status == 403


def test_a_recovery_code_once(door, person):
    person.settle(twofactor=True)
    person.block()
    browser = person.at_portal(person.place(), person.code())
    assert say(browser, False).json["next"] == "prove"
    assert prove(browser, "recovery", "aaaa-bbbb-cccc").status == 403
    assert prove(browser, "recovery", person.codes[0]).json["next"] == "password"
    # For this session alone.
    other = person.at_portal(person.place(), person.code())
    assert next_of(other) == "prove"
    assert prove(other, "recovery", person.codes[0]).status == 403
    lock_out(person, browser)


def test_the_link_of_the_notice(door, hop, person):
    person.settle(address=True)
    person.block()
    token = person.proof_link()

    def own():
        found = [email.message_from_bytes(raw, policy=email.policy.default) for raw in hop.messages(person.address)]
        return [one.get_content() for one in found if "blocked" in one["Subject"]]

    # What the owner's own mailbox gets, which is another letter, has no link at all.
    plain = rig.until(own, "the letter to the owner's mailbox")
    assert len(plain) == 1 and "http" not in plain[0] and token not in plain[0]
    guest = Browser(door, person.place())
    for _ in range(2):
        assert guest.post(V1 + "/sending/link/show", {"token": token}).json["address"] == person.address
    assert guest.post(V1 + "/sending/link", {"token": token, "is_me": True}).json == {"next": "signin"}
    assert person.is_blocked()
    assert guest.post(V1 + "/sending/link", {"token": token, "is_me": False}).json == {"next": "signin"}
    browser = person.at_portal(person.place())
    assert next_of(browser) == "prove"
    assert prove(browser, "link", token).json["next"] == "password"
    assert prove(person.at_portal(person.place()), "link", token).status == 403
    lock_out(person, browser)
    assert guest.post(V1 + "/sending/link/show", {"token": token}).status == 404


def test_the_link_in_a_browser(person, portal):
    person.settle(address=True)
    person.block()
    token = person.proof_link()
    browser = portal.browser()
    browser.go(f"#sending={token}")
    browser.heading("Was this you?")
    assert token not in browser.url()
    browser.see(person.address)
    assert browser.inspect("real-answer") == []
    browser.press("No, this was not me")
    browser.heading("Sign in")
    sign_in(browser, person.address, PASSWORD)
    browser.see("Choose a new password")
    assert next(row for row in person.door.json("sending", "list") if row["address"] == person.address)["proof"] == "address"


# ---- the thief ----

def test_a_thief_with_the_password(door, person):
    person.settle(address=True, twofactor=False)
    person.block()
    browser = person.at_portal(person.place())
    check_kept_out(person, browser)
    # He may have as many codes mailed as he likes, up to five: he does not read them.
    for _ in range(5):
        assert browser.post(V1 + "/self/sending/code").status == 204
    assert browser.post(V1 + "/self/sending/code").status == 429
    # Nor does the proof of the owner, at home, help him.
    owner = person.at_portal(person.home)
    assert next_of(owner) == "password" and next_of(browser) == "prove"
    lock_out(person, owner)
    assert browser.get(V1 + "/self").status == 401


def test_a_stolen_session(person):
    person.settle()
    stolen = person.at_portal(person.home)
    person.block()
    assert stolen.get(V1 + "/self").status == 401
    # A fresh one, used from elsewhere, has the rights of where it is used.
    fresh = person.at_portal(person.home)
    assert next_of(fresh) == "answer" and fresh.get(V1 + "/self/sending").json["is_trusted"]
    fresh.peer = person.place()
    check_kept_out(person, fresh)


def test_a_changed_recovery_address(hop, person):
    """He put his own in before he began; it was there for two days."""
    person.settle()
    thief = person.at_portal(person.place())
    person.set_address(thief)
    person.door.advance(2 * DAY)
    person.block()
    browser = person.at_portal(person.place())
    shown = browser.get(V1 + "/self/sending").json
    assert shown["proofs"] == [] and shown["address_hint"] == ""
    assert browser.post(V1 + "/self/sending/code").status == 404
    assert letters(hop, f"{person.address} is blocked") == []
    check_kept_out(person, browser)


def test_new_recovery_codes(person):
    """He switched 2FA on himself when he was in, and has its codes."""
    person.settle()
    person.door.advance(DAY)
    person.turn_on(person.at_portal(person.place()))
    person.door.advance(HOUR)
    person.block()
    browser = person.at_portal(person.place(), person.code())
    assert prove(browser, "recovery", person.codes[0]).status == 404
    check_kept_out(person, browser)
    # As the second step of a sign-in they prove no more.
    browser = person.at_portal(person.place(), person.codes[1])
    assert next_of(browser) == "prove"
    assert browser.post(V1 + "/self/password", {"old": PASSWORD, "new": "all mine now it is"}).status == 403


# ---- staff and panels ----

def test_a_second_block_is_for_staff(door, person):
    person.settle(twofactor=True)
    person.block()
    browser = person.at_portal(person.home, person.code())
    say(browser, False)
    lock_out(person, browser)
    door.advance(10 * DAY)
    person.block()
    browser = person.at_portal(person.home, person.code())
    assert next_of(browser) == "staff"
    assert say(browser, True).status == 403
    assert browser.post(V1 + "/self/password", {"old": person.password, "new": "yet another walrus"}).status == 403
    listed = next(row for row in door.json("sending", "list") if row["address"] == person.address)
    assert listed["is_repeat"] and listed["needs_staff"] and listed["reason"] == "spam"
    staff = Browser(door, person.place())
    assert staff.post(V1 + "/session", {"login": "staff@example.test", "password": PASSWORD}).status == 200
    assert person.address in [row["address"] for row in staff.get(V1 + "/sending/cases").json["items"]]
    assert staff.post(f"{V1}/accounts/{person.address}/sending/vouch").status == 403
    assert staff.post(f"{V1}/accounts/{person.address}/sending/release").status == 204
    assert not person.is_blocked() and next_of(browser) == "none"


def test_a_panel_vouches(door, person):
    person.settle()
    person.block()
    made = door.json("token", "add", f"panel {person.address}", "--role", "domain-admin", "--domain", "example.test",
                     "--scope", "sending.vouch")
    panel = Browser(door, person.place(), Authorization=f"Bearer {made['token']}", Origin=None)
    answer = panel.post(f"{V1}/accounts/{person.address}/sending/vouch")
    assert answer.status == 201, answer
    assert panel.post(f"{V1}/accounts/{person.address}/sending/release").status == 403
    browser = person.at_portal(person.place())
    assert say(browser, False).json["next"] == "prove"
    assert browser.get(V1 + "/self/sending").json["proofs"] == ["panel"]
    assert prove(browser, "panel", answer.json["code"]).json["next"] == "password"
    lock_out(person, browser)


def test_staff_in_a_browser(door, person, portal):
    person.settle()
    person.block()
    browser = portal.browser()
    browser.go("#/staff/sending")
    sign_in(browser, "staff@example.test", PASSWORD)
    browser.heading("Stopped accounts")
    browser.click(person.address)
    browser.heading(person.address)
    browser.see("spam", "What was sent")
    assert browser.inspect("real-staff-sending") == []
    browser.press("Keep blocked")
    browser.press("Keep blocked", "dialog")
    browser.see("The account stays blocked.")
    assert next_of(person.at_portal(person.home)) == "staff"
    browser.press("Open sending")
    browser.press("Open sending", "dialog")
    browser.see("Sending is open again.")
    assert person.send_from(person.home, PASSWORD).startswith("250")
