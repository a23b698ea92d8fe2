# SPDX-License-Identifier: ISC
"""Stolen accounts, really abused through real servers: what core sees makes it ask or block, and all that follows from
there, for the owner, for the thief, and for whoever looks on."""

import itertools
import os
import re
import signal

import pytest
import rig
import stopped
import talk
from browse import Browser
from stopped import (DAY, FRIEND, NEW_PASSWORD, PASSWORD, V1, Person, check_kept_out, letters, lock_out, next_of, prove,
                     say)
from test_portal import imap, sign_in
from test_sending import restart_core
from test_sending_release import portal, turn_on  # noqa: F401 (a fixture)

VICTIMS = 16
READERS = 120
REACHED_MAX = 20  # strangers, before nothing passes any more
_places = itertools.count(100)
_strangers = itertools.count(1)


@pytest.fixture(scope="module")
def hop(workdir, token_keys):
    addresses = [FRIEND, *(f"victim{n}@example.test" for n in range(1, VICTIMS + 1)),
                 *(f"reader{n}@example.test" for n in range(READERS))]
    yield from stopped.serve_hop(workdir / "abuse-hop", token_keys, addresses)


@pytest.fixture(scope="module")
def door(workdir, token_keys, hop):
    yield from stopped.serve_door(workdir / "abuse", token_keys, hop, [(FRIEND, None)])


class Victim(Person):
    name, numbers = "victim", itertools.count(1)

    def __init__(self, door, hop):
        super().__init__(door, hop)
        self.thief = f"127.{next(_places)}.0.1"  # a network of its own

    def line(self, place, secret=PASSWORD):
        """A session that may send."""
        line = talk.connect(self.door, "submissions", place)
        assert talk.is_ok(talk.attempt(line, "submissions", self.address, secret))
        return line

    def mail(self, line, sender=None):
        return line.ask(f"MAIL FROM:<{sender or self.address}>")[0]

    def message(self, line, recipients, subject):
        """The replies to RCPT; what passes gets the message."""
        assert self.mail(line).startswith("250 ")
        replies = [line.ask(f"RCPT TO:<{recipient}>")[0] for recipient in recipients]
        if any(reply.startswith("250 ") for reply in replies):
            assert line.ask("DATA")[0].startswith("354 ")
            assert line.ask(f"Subject: {subject}\r\nFrom: <{self.address}>\r\n\r\nBuy.\r\n.")[0].startswith("250 ")
        else:
            line.ask("RSET")
        return replies

    def lure(self, line):
        """How it begins: two people get something."""
        assert all(reply.startswith("250 ") for reply in self.message(line, ["reader0@example.test", "reader1@example.test"],
                                                                       "Your parcel is waiting"))

    def forge(self, line):
        for number in range(6):
            assert self.mail(line, f"bank{number}@elsewhere.test").startswith("553 5.7.1 ")

    def spam_on(self, line):
        """Strangers, who do not exist, until something else is said of it. That, and how many got that far."""
        reply, reached = self.mail(line), -1
        for reached in range(REACHED_MAX):
            if not reply.startswith(("250 ", "550 ")):
                break
            reply = line.ask(f"RCPT TO:<nobody{next(_strangers)}@example.test>")[0]
        return reply, reached

    def insist(self, line):
        """More of them, though the owner is asked. The last reply."""
        self.mail(line)
        for _ in range(REACHED_MAX):
            reply = line.ask(f"RCPT TO:<nobody{next(_strangers)}@example.test>")[0]
            if not reply.startswith("450 "):
                break
        return reply

    def spam(self, line):
        """Until the account is blocked, or he has had enough. The last reply."""
        reply, _ = self.spam_on(line)
        if reply.startswith("450 "):
            line.ask("RSET")
            self.door.advance(120)
            reply = self.insist(line)
        return reply

    def abuse(self, line):
        self.lure(line)
        self.forge(line)
        assert self.spam(line) == self.refusal()

    def abused(self, secret=PASSWORD):
        """Blocked, and the vault knows."""
        with self.line(self.thief, secret) as line:
            self.abuse(line)
        rig.until(self.is_blocked, "the vault has the block")
        return self

    def case(self):
        return next((row for row in self.door.json("sending", "list") if row["address"] == self.address), None)

    def receives(self):
        before = len(self.hop.messages(self.address))
        with talk.connect(self.door, "submissions", self.home) as line:
            assert talk.is_ok(talk.attempt(line, "submissions", FRIEND, PASSWORD))
            assert line.ask(f"MAIL FROM:<{FRIEND}>")[0].startswith("250")
            assert line.ask(f"RCPT TO:<{self.address}>")[0].startswith("250")
            assert line.ask("DATA")[0].startswith("354")
            assert line.ask("Subject: hello\r\n\r\nHello.\r\n.")[0].startswith("250")
        return len(self.hop.messages(self.address)) > before


@pytest.fixture
def victim(door, hop):
    return Victim(door, hop)


def check_points(text):
    """ "104 points: a 84, b 20": the sum is that of its parts. Returns the words."""
    total, parts = re.fullmatch(r"(\d+) points: (.+)", text).groups()
    parts = [re.fullmatch(r"(\D+) (\d+)", part).groups() for part in parts.split(", ")]
    assert sum(int(points) for _, points in parts) == int(total) >= 100
    return {words for words, _ in parts}


def is_ended(line):
    """Nothing more is heard there but a farewell."""
    last = None
    while (text := line.line()) is not None:
        last = text
    assert last is None or last.startswith(("* BYE", "421 ")), last
    return True


# ---- the block ----

def test_a_stolen_password(door, hop, victim):
    victim.settle(address=True)
    page = victim.at_portal(victim.home)
    mailbox = talk.connect(door, "imaps", victim.home)
    with mailbox, victim.line(victim.home) as own, victim.line(victim.thief) as thief:
        assert talk.is_ok(talk.attempt(mailbox, "imaps", victim.address, PASSWORD))
        victim.abuse(thief)
        # To the byte, and nothing after it, wherever the account sends from.
        thief.ask("RSET")
        for line in (thief, own):
            assert line.ask(f"MAIL FROM:<{victim.address}>") == [victim.refusal()]
        for place in (victim.thief, victim.home):
            assert victim.send_from(place, PASSWORD) == victim.refusal()
        rig.until(victim.is_blocked, "the vault has the block")
        mailbox.send("n NOOP")
        assert mailbox.tagged("n")[-1].startswith("n OK")
    assert victim.receives()
    assert "hello" in imap(door, (victim.address, PASSWORD), victim.home, read=True)
    assert page.get(V1 + "/self").status == 401
    # Who is told what.
    assert victim.proof_link()

    def letters_to_his_own():
        return [raw.decode() for raw in hop.messages(victim.address) if b"is blocked from sending" in raw]

    own = rig.until(letters_to_his_own, "the letter to his own mailbox")
    assert len(own) == 1 and "http" not in own[0]
    case = victim.case()
    assert case["kind"] == "block" and case["opened_by"] in ("", "core") and not case["needs_staff"]
    words = check_points(case["reason"])
    assert {"forged sender addresses", "a new network"} <= words
    assert words == {row["why"] for row in case["reasons"]}
    assert case["points"] == sum(row["points"] for row in case["reasons"])
    assert case["messages"] == 1 and case["recipients"] == 2
    assert len(letters(hop, f"{victim.address} is blocked")) == 1


def test_a_stolen_device_password(door, victim):
    victim.settle()
    stolen, other = door.add_device(victim.address, "stolen"), door.add_device(victim.address, "other")
    mailboxes = [talk.connect(door, "imaps", victim.home) for _ in range(2)]
    for line, secret in zip(mailboxes, (stolen, other)):
        assert talk.is_ok(talk.attempt(line, "imaps", victim.address, secret))
    with mailboxes[0], mailboxes[1], victim.line(victim.thief, stolen) as thief:
        victim.abuse(thief)
        assert is_ended(thief) and is_ended(mailboxes[0])
        mailboxes[1].send("n NOOP")
        assert mailboxes[1].tagged("n")[-1].startswith("n OK")
    assert not talk.is_ok(talk.signin(door, "imaps", victim.address, stolen, victim.home))
    assert [row["name"] for row in door.json("device", "list", victim.address)] == ["other"]
    assert victim.send_from(victim.home, other) == victim.refusal()


def test_core_is_killed(door, victim):
    """In the instant of the block, and later."""
    victim.settle(address=True)
    with victim.line(victim.thief) as thief:
        victim.abuse(thief)
        thief.ask("RSET")
        restart_core(door)
        rig.until(victim.is_blocked, "the vault has the block")
        # The session lives on.
        assert victim.mail(thief) == victim.refusal()
    assert victim.send_from(victim.home, PASSWORD) == victim.refusal()
    restart_core(door)
    assert victim.send_from(victim.thief, PASSWORD) == victim.refusal()
    assert victim.is_blocked() and victim.proof_link()


def test_the_vault_is_away(door, victim):
    victim.settle()
    with victim.line(victim.home) as own, victim.line(victim.thief) as thief:
        victim.lure(thief)
        assert victim.mail(own).startswith("250 ")
        own.ask("RSET")
        victim.forge(thief)
        assert victim.spam_on(thief)[0].startswith("450 ")
        thief.ask("RSET")
        door.advance(120)
        vaults = [pid for name, pid in door.pids().items() if name.startswith("vault")]
        for pid in vaults:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert victim.insist(thief) == victim.refusal()
            thief.ask("RSET")
            for line in (own, thief):
                assert line.ask(f"MAIL FROM:<{victim.address}>") == [victim.refusal()]
        finally:
            for pid in vaults:
                os.kill(pid, signal.SIGCONT)
    rig.until(victim.is_blocked, "the vault has the block")
    assert victim.send_from(victim.home, PASSWORD) == victim.refusal()


# ---- the owner ----

def test_the_owner_in_a_browser(door, victim, portal, tmp_path):  # noqa: F811
    """At home: he sees what was his and what was not, locks the thief out, and sends."""
    victim.home = "127.0.0.1"
    victim.settle(twofactor=False)
    with victim.line(victim.thief) as thief:
        victim.lure(thief)
        assert victim.send_from(victim.home, PASSWORD).startswith("250 ")
        victim.forge(thief)
        assert victim.spam(thief) == victim.refusal()
    rig.until(victim.is_blocked, "the vault has the block")
    browser = portal.browser()
    browser.go()
    sign_in(browser, victim.address, PASSWORD)
    browser.see("Your account may not send mail")
    browser.click("See what was sent")
    browser.heading("Was this you?")
    browser.see(victim.thief, victim.home)
    places = {row["source"]: row for row in victim.at_portal(victim.home).get(V1 + "/self/sending").json["networks"]}
    assert places[victim.thief]["took_part"] and not places[victim.thief]["is_known"]
    assert places[victim.home]["is_known"] and not places[victim.home]["took_part"]
    browser.run("for (const node of await page.locator('details').all()) await node.evaluate((one) => { one.open = true; });")
    browser.see("Your parcel is waiting", "hello", "Forged sender addresses: 60", "Together: 1")
    assert browser.inspect("abuse-sending") == []
    browser.press("No, this was not me")
    browser.see("Choose a new password")
    browser.fill("Present password", PASSWORD)
    browser.fill("New password", NEW_PASSWORD)
    browser.fill("New password, once more", NEW_PASSWORD)
    browser.press("Change password")
    browser.see("Set up two-factor sign-in")
    assert victim.is_blocked()
    turn_on(portal, browser, tmp_path)
    browser.see("Done. Your account is yours alone", "Your account may send.")
    device = door.add_device(victim.address, "Telephone")
    assert victim.send_from(victim.home, device).startswith("250 ")
    assert not talk.is_ok(talk.signin(door, "submissions", victim.address, PASSWORD, victim.thief))


def test_the_owner_is_asked(hop, victim):
    """Much more than usual, but nothing that only thieves do: paused everywhere until he says that it was him."""
    victim.settle(address=True)
    invited = [f"reader{n}@example.test" for n in range(60)]
    with victim.line(victim.home) as line, victim.line(victim.home) as other:
        replies = victim.message(line, invited, "A party")
        assert replies[0].startswith("250 ") and replies[-1].startswith("450 4.7.1 Unusual sending from ")
        assert victim.mail(other).startswith("250 ")
        assert other.ask(f"RCPT TO:<{FRIEND}>")[0].startswith("450 4.7.1 Unusual sending from ")
        other.ask("RSET")
        rig.until(victim.case, "the case")
        assert victim.case()["kind"] == "ask" and not victim.is_blocked()
        text = victim.mailed(f"Sending from {victim.address} is paused").get_content()
        token = re.search(r"#sending=([\w-]{43})\n", text).group(1)
        guest = Browser(victim.door, victim.place())
        assert guest.post(V1 + "/sending/link", {"token": token, "is_me": True}).json == {"next": "done"}
        assert victim.case() is None
        rest = [to for to, reply in zip(invited, replies) if reply.startswith("450 ")]
        assert all(reply.startswith("250 ") for reply in victim.message(other, rest, "A party"))
    # The same again is nothing new, once core has heard of all of the first.
    rig.until(lambda: not [row for row in victim.door.json("session", "list") if row["account"] == victim.address],
              "the end of his sessions")
    victim.door.advance(2 * DAY)
    with victim.line(victim.home) as line:
        replies = victim.message(line, [f"reader{n}@example.test" for n in range(60, 120)], "Another party")
        assert all(reply.startswith("250 ") for reply in replies)
    assert letters(hop, f"{victim.address} is blocked") == []


# ---- the thief ----

def test_the_thief_has_the_password(victim):
    """He tries it from where he spammed, and from a place that nobody knows."""
    victim.settle(address=True).abused()
    for place in (victim.thief, f"127.{next(_places)}.0.1"):
        browser = victim.at_portal(place)
        assert not browser.get(V1 + "/self/sending").json["is_trusted"]
        check_kept_out(victim, browser)
        assert next_of(browser) == "prove"
    lock_out(victim, victim.at_portal(victim.home))


def test_the_thief_was_there_before(victim):
    """Weeks ago he read the mail from where he spams now: that place took part."""
    victim.settle()
    assert talk.is_ok(talk.signin(victim.door, "imaps", victim.address, PASSWORD, victim.thief))
    victim.door.advance(20 * DAY)
    with victim.line(victim.thief) as line:
        assert victim.spam_on(line)[0].startswith("450 ")
        line.ask("RSET")
        victim.forge(line)
        assert victim.insist(line) == victim.refusal()
    rig.until(victim.is_blocked, "the vault has the block")
    browser = victim.at_portal(victim.thief)
    check_kept_out(victim, browser)
    assert next_of(browser) == "prove"


def test_who_took_part(victim):
    """The owner did not: he wrote to a friend meanwhile, and is about to again. Whoever only signed in did not either, but he
    came when it had begun."""
    victim.settle()
    reader = f"127.{next(_places)}.0.1"
    with victim.line(victim.home) as own, victim.line(victim.thief) as thief:
        victim.lure(thief)
        assert victim.message(own, [FRIEND], "On Sunday")[0].startswith("250 ")
        assert victim.mail(own).startswith("250 ")
        victim.door.advance(60)
        assert talk.is_ok(talk.signin(victim.door, "imaps", victim.address, PASSWORD, reader))
        victim.forge(thief)
        assert victim.spam(thief) == victim.refusal()
        rig.until(victim.is_blocked, "the vault has the block")
    browser = victim.at_portal(reader)
    assert not browser.get(V1 + "/self/sending").json["is_trusted"]
    check_kept_out(victim, browser)
    assert next_of(browser) == "prove"
    browser = victim.at_portal(victim.home)
    shown = browser.get(V1 + "/self/sending").json
    assert shown["is_trusted"]
    assert {row["source"]: row["took_part"] for row in shown["networks"]} == {victim.home: False, victim.thief: True}
    lock_out(victim, browser)


def test_the_thief_has_a_session(victim):
    victim.settle()
    stolen = victim.at_portal(victim.home)
    elsewhere = victim.at_portal(victim.home)
    elsewhere.peer = victim.thief
    victim.abused()
    for browser in (stolen, elsewhere):
        assert browser.get(V1 + "/self").status == 401
    fresh = victim.at_portal(victim.home)
    assert fresh.get(V1 + "/self/sending").json["is_trusted"]
    fresh.peer = victim.thief
    check_kept_out(victim, fresh)


def test_the_thief_changes_the_recovery_address(hop, victim):
    victim.settle()
    with victim.line(victim.thief) as line:
        victim.lure(line)
        victim.set_address(victim.at_portal(victim.thief))
        victim.forge(line)
        assert victim.spam(line) == victim.refusal()
    rig.until(victim.is_blocked, "the vault has the block")
    browser = victim.at_portal(victim.thief)
    shown = browser.get(V1 + "/self/sending").json
    assert shown["proofs"] == [] and shown["address_hint"] == ""
    assert browser.post(V1 + "/self/sending/code").status == 404
    assert letters(hop, f"{victim.address} is blocked") == []
    check_kept_out(victim, browser)
    assert letters(hop, "Your code: ") == [] or all(
        "open sending again" not in one.get_content() for one in letters(hop, "Your code: ")
        if victim.address in one.get_content())


def test_the_thief_turns_twofactor_on(victim):
    """When he has begun. With it he has codes of his own, and makes himself a device password."""
    victim.settle()
    with victim.line(victim.thief) as line:
        victim.lure(line)
    page = victim.at_portal(victim.thief)
    victim.turn_on(page)
    device = page.post(V1 + "/self/devices", {"name": "mine"}).json["password"]
    victim.abused(device)
    assert not talk.is_ok(talk.signin(victim.door, "submissions", victim.address, device, victim.thief))
    assert page.get(V1 + "/self").status == 401
    browser = victim.at_portal(victim.thief, victim.code())
    assert browser.get(V1 + "/self/sending").json["proofs"] == []
    assert say(browser, False).status == 200
    assert prove(browser, "recovery", victim.codes[0]).status == 404
    check_kept_out(victim, browser)
