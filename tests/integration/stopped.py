# SPDX-License-Identifier: ISC
"""Accounts that are stopped from sending: who owns them, what whoever has their password may try, and the servers around."""

import email
import email.policy
import itertools
import re

import rig
import talk
from browse import Browser
from conftest import token_option
from test_portal_core import totp

V1 = "/api/v1"
PASSWORD = "walrus and tea"
NEW_PASSWORD = "three blind mice ran after"
FRIEND = "friend@example.test"  # reads the recovery address of everybody
HOUR = 3600
DAY = 24 * HOUR
_peers = itertools.count(1)


def serve_hop(folder, token_keys, addresses):
    """A next hop with these mailboxes; for a fixture."""
    server = rig.Dovecot(folder, token_keys)
    for address in addresses:
        server.add_user(address)
    yield server.start()
    server.stop()


def serve_door(folder, token_keys, hop, accounts, **options):
    """A Gatepost in front of it; accounts: address and role, which may be None. For a fixture."""
    server = rig.Gatepost(folder, {**token_option(token_keys), **options}, rig.dovecot_sections(hop))
    try:
        server.start()
        for address, role in accounts:
            server.add_account(address, PASSWORD, *(("--role", role) if role else ()))
        yield server
    finally:
        server.stop()


def now(door):
    return rig.time.time() + door.json("status")["clock_shift"]


def letters(hop, subject=""):
    found = [email.message_from_bytes(raw, policy=email.policy.default) for raw in hop.messages(FRIEND)]
    return [one for one in found if subject in one["Subject"]]


class Person:
    """An account, and who comes with its password from somewhere."""

    name, numbers = "owner", itertools.count(1)

    def __init__(self, door, hop):
        self.door, self.hop = door, hop
        self.address = f"{self.name}{next(self.numbers)}@example.test"
        self.home = self.place()
        self.password, self.secret, self.codes = PASSWORD, None, []
        door.add_account(self.address, PASSWORD)

    @staticmethod
    def place():
        number = next(_peers)
        return f"127.77.{number // 250}.{number % 250 + 1}"

    def at_portal(self, place, code=None):
        """Signed in; with a code, past the second step."""
        browser = Browser(self.door, place)
        answer = browser.post(V1 + "/session", {"login": self.address, "password": self.password})
        assert answer.status == 200, answer
        if code:
            answer = browser.post(V1 + "/session/code", {"code": code})
            assert answer.status == 200, answer
        return browser

    def code(self):
        self.door.advance(60)  # each is good once
        return totp(self.secret, now(self.door))

    def turn_on(self, browser):
        row = browser.post(V1 + "/self/twofactor", {"password": self.password}).json
        answer = browser.post(V1 + "/self/twofactor/confirm", {"code": totp(row["secret"], now(self.door))})
        assert answer.status == 200, answer
        self.secret, self.codes = row["secret"], answer.json["recovery_codes"]

    def set_address(self, browser):
        assert browser.post(V1 + "/self/recovery-address", {"password": self.password, "address": FRIEND}).status == 204
        code = self.mailed("Your code: ")["Subject"].removeprefix("Your code: ")
        assert browser.post(V1 + "/self/recovery-address/confirm", {"code": code}).status == 204

    def settle(self, twofactor=False, address=False):
        """Lives here for 20 days."""
        browser = self.at_portal(self.home)
        if address:
            self.set_address(browser)
        if twofactor:
            self.turn_on(browser)
        assert self.send_from(self.home, None if twofactor else self.password) is not False
        self.door.advance(20 * DAY)
        return self

    def mailed(self, subject, text=""):
        """The one letter about this account to its recovery address, once it has come."""
        def found():
            return [one for one in letters(self.hop, subject)
                    if self.address in one["Subject"] + one.get_content() and text in one.get_content()]
        rig.until(found, f"the letter {subject!r}")
        assert len(found()) == 1
        return found()[0]

    def send_from(self, place, secret):
        """The reply to MAIL FROM, or to the end of a message that went out."""
        if secret is None:
            return None
        line = talk.connect(self.door, "submissions", place)
        with line:
            assert talk.is_ok(talk.attempt(line, "submissions", self.address, secret))
            answer = line.ask(f"MAIL FROM:<{self.address}>")[0]
            if not answer.startswith("250"):
                return answer
            assert line.ask(f"RCPT TO:<{FRIEND}>")[0].startswith("250")
            assert line.ask("DATA")[0].startswith("354")
            return line.ask(f"Subject: hello\r\nFrom: <{self.address}>\r\n\r\nHello.\r\n.")[0]

    def block(self):
        self.door.cli("account", "block", self.address, "--reason", "spam")

    def refusal(self):
        return (f"554 5.7.1 Account {self.address} has been blocked from sending due to abusive activity. "
                "Please update password and (re-)enable 2FA to be unblocked")

    def is_blocked(self):
        return self.door.json("account", "show", self.address)["blocked_at"] is not None

    def proof_link(self):
        text = self.mailed(f"{self.address} is blocked from sending").get_content()
        return re.search(r"#sending=([\w-]{43})\n", text).group(1)


def next_of(browser):
    return browser.get(V1 + "/self/sending").json["next"]


def say(browser, is_me):
    return browser.post(V1 + "/self/sending/answer", {"is_me": is_me})


def prove(browser, kind, code):
    return browser.post(V1 + "/self/sending/proof", {"kind": kind, "code": code})


def lock_out(person, browser):
    """The last two steps; the person has another password and phone then."""
    assert next_of(browser) == "password"
    answer = browser.post(V1 + "/self/password", {"old": person.password, "new": NEW_PASSWORD})
    assert answer.status == 200, answer
    person.password = NEW_PASSWORD
    assert next_of(browser) == "twofactor" and person.is_blocked()
    person.turn_on(browser)
    assert not person.is_blocked() and next_of(browser) == "none"


def check_kept_out(person, browser):
    """All that a session with nothing but the password may try."""
    assert say(browser, True).status == 403
    assert say(browser, False).status == 200
    for path, body in (("/self/password", {"old": person.password, "new": "all mine now it is"}),
                       ("/self/twofactor", {"password": person.password}),
                       ("/self/devices", {"name": "mine"}),
                       ("/self/recovery-address", {"password": person.password, "address": "staff@example.test"}),
                       ("/self/recovery-codes", {"password": person.password, "code": "123456"})):
        answer = browser.post(V1 + path, body)
        assert answer.status == 403 and answer.json["code"] == "role", (path, answer)
    assert person.is_blocked()
