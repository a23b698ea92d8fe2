# SPDX-License-Identifier: ISC
"""What accounts may send, through the real door: whose name, how much, and what follows from the judgement."""

import concurrent.futures
import os
import signal

import pytest
import rig
import talk
from conftest import ALICE, token_option
from sink import Sink

PASSWORD = "three blind mice and a cat"
SESSIONS = 100
LIMIT = 30
PLAN = (f'plan "tight" {{\n  messages_hour = 0\n  messages_day = 0\n  recipients_hour = {LIMIT}\n  recipients_day = 0\n'
        "  new_recipients_day = 0\n  message_size = 100000\n}\n")
# So that forged sender addresses alone ask and block: fifteen points for each beyond two.
OPTIONS = {"sending_plan": '"tight"', "sending_slow": 44, "sending_ask": 45, "sending_block": 60, "sending_proof": 30}
BLOCKED = ("554 5.7.1 Account {} has been blocked from sending due to abusive activity. Please update password and "
           "(re-)enable 2FA to be unblocked")


@pytest.fixture(scope="module")
def sink():
    server = Sink()
    server.load({})
    yield server
    server.close()


@pytest.fixture(scope="module")
def door(workdir, sink, token_keys):
    sections = [PLAN, rig.backend("hop", "smtp", [f"127.0.0.1:{sink.port}"]), rig.route("*", smtp="hop")]
    options = {**token_option(token_keys), **OPTIONS}
    server = rig.Gatepost(workdir / "sending", options, sections, listeners=("submissions", "submission"))
    try:
        server.start()
        server.add_account(*ALICE)
        yield server
    finally:
        server.stop()


@pytest.fixture
def account(door):
    """A fresh one for each test."""
    account.count = getattr(account, "count", 0) + 1
    address = f"person{account.count}@example.test"
    door.add_account(address, PASSWORD)
    return address


def sign_in(door, address, peer="127.76.0.1", secret=PASSWORD):
    line = talk.connect(door, "submissions", peer)
    assert talk.is_ok(talk.attempt(line, "submissions", address, secret))
    return line


def mail(line, sender, more=""):
    return line.ask(f"MAIL FROM:<{sender}>{more}")[0]


def rcpt(line, recipient="someone@elsewhere.test"):
    return line.ask(f"RCPT TO:<{recipient}>")[0]


def finish(line):
    assert line.ask("DATA")[0].startswith("354 ")
    return line.raw(b"Subject: x\r\n\r\nhello\r\n.\r\n").reply()[0]


def send(line, sender, recipients=1):
    """How many recipients it was delivered to."""
    assert mail(line, sender).startswith("250 ")
    passed = sum(rcpt(line, f"r{i}@elsewhere.test").startswith("250 ") for i in range(recipients))
    if passed == 0:
        line.ask("RSET")
    else:
        assert finish(line).startswith("250 ")
    return passed


def limits(door, address):
    shown = door.json("account", "sending", address)
    return next(row for row in shown["limits"] if row["limit"] == "recipients an hour")


def restart_core(door):
    pid = door.pids()["core"]
    os.kill(pid, signal.SIGKILL)
    rig.until(lambda: (door.status() or {}).get("store") == "ready" and door.pids().get("core") != pid, "a new core")


def test_only_in_ones_own_name(door, account):
    other = "one@other.test"
    with sign_in(door, account) as line:
        assert mail(line, ALICE[0]) == f"553 5.7.1 {ALICE[0]} is not an address of {account}"
        for sender in (account, account.upper(), account.replace("@", "+shop@"), ""):
            assert mail(line, sender).startswith("250 "), sender
            line.ask("RSET")
        assert mail(line, other).startswith("553 5.7.1 ")
        # What is listed is good at once, and so is its end.
        door.cli("sender", "add", other, "--account", account)
        assert mail(line, other).startswith("250 ")
        line.ask("RSET")
        assert door.json("sender", "list", "--account", account) == [{"sender": other}]
        door.cli("sender", "remove", other, "--account", account)
        assert mail(line, other).startswith("553 5.7.1 ")
        door.cli("sender", "add", "@other.test", "--domain", "example.test")
        assert mail(line, other).startswith("250 ")
        line.ask("RSET")
        door.cli("sender", "remove", "@other.test", "--domain", "example.test")
        door.cli("alias", "add", account, "sales@example.test")
        assert mail(line, "sales@example.test").startswith("250 ")
        line.ask("RSET")
        assert mail(line, account, " SIZE=100001").startswith("552 5.3.4 ")
        # Nor without saying so.
        assert mail(line, account).startswith("250 ") and rcpt(line).startswith("250 ")
        assert line.ask("DATA")[0].startswith("354 ")
        answer = line.raw(b"0123456789abcde\r\n" * 6000 + b".\r\n").reply()[0]
        assert answer == "552 5.3.4 Message is too big, at most 100000 bytes are taken"


def test_a_hundred_sessions_get_exactly_the_limit(door, account):
    before = door.stats()["recipients_metered"]
    device = door.add_device(account, "many programs")
    with concurrent.futures.ThreadPoolExecutor(SESSIONS) as pool:
        # A hundred hashes of a main password at once may take a slow machine longer than core waits.
        lines = list(pool.map(lambda n: sign_in(door, account, f"127.76.1.{n + 1}", device), range(SESSIONS)))
        assert sum(pool.map(lambda line: send(line, account), lines)) == LIMIT
    rig.until(lambda: limits(door, account)["spent"] == LIMIT, "all of them committed")
    assert limits(door, account) == {"scope": "account", "limit": "recipients an hour", "most": LIMIT, "spent": LIMIT,
                                     "reserved": 0, "free": 0}
    assert door.stats()["recipients_metered"] - before == LIMIT
    mail(lines[0], account)
    assert rcpt(lines[0]).startswith(f"450 4.7.1 Sending limit of {LIMIT} recipients an hour reached; free again in ")
    for line in lines:
        line.close()
    # The next core knows it from the store.
    restart_core(door)
    with sign_in(door, account) as line:
        assert send(line, account) == 0
    assert limits(door, account)["spent"] == LIMIT


def test_what_fails_is_given_back(door, account, sink):
    with sign_in(door, account) as line:
        for _ in range(3):
            mail(line, account)
            assert rcpt(line).startswith("250 ")
            line.ask("RSET")
        mail(line, account)
        rcpt(line)
    rig.until(lambda: limits(door, account)["reserved"] == 0, "nothing reserved")
    assert limits(door, account)["spent"] == 0


def forge(line, count):
    for number in range(count):
        assert mail(line, f"forged{number}@elsewhere.test").startswith("553 ")


def test_blocked_in_every_session_at_once(door, account):
    with sign_in(door, account) as old, sign_in(door, account, "127.76.0.2") as thief:
        assert mail(old, account).startswith("250 ")
        forge(thief, 8)
        assert mail(thief, account).startswith("250 ")
        assert rcpt(thief) == BLOCKED.format(account)
        assert rcpt(old) == BLOCKED.format(account)
        for line in (old, thief):
            line.ask("RSET")
            assert line.ask(f"MAIL FROM:<{account}>") == [BLOCKED.format(account)]
        with sign_in(door, account, "127.76.0.3") as new:
            assert mail(new, account) == BLOCKED.format(account)
    shown = door.json("account", "sending", account)
    assert shown["is_blocked"] and [row["reason"] for row in shown["reasons"]] == ["forged"]
    restart_core(door)
    with sign_in(door, account) as line:
        assert BLOCKED.format(account) in (mail(line, account), rcpt(line))


def test_a_running_session_hears_of_changes(door, account):
    """It has sent, so its front says yes to MAIL by itself."""
    alias = f"other.{account}"

    def hears(sender, answer):
        said = mail(line, sender)
        line.ask("RSET")
        return said.startswith(answer)

    door.cli("alias", "add", account, alias)
    with sign_in(door, account) as line:
        for sender in (alias, alias, account, alias):
            assert send(line, sender) == 1
        door.cli("alias", "remove", account, alias)
        rig.until(lambda: hears(alias, "553 "), "the name is gone")
        assert send(line, account) == 1
        assert send(line, account) == 1
        door.cli("account", "block", account)
        rig.until(lambda: hears(account, BLOCKED.format(account)), "the block")
        door.cli("account", "unblock", account)
        rig.until(lambda: hears(account, "250 "), "the end of the block")
        assert send(line, account) == 1
        assert send(line, account) == 1
        # What the old core has said is no word of the new one, which can not take it back.
        restart_core(door)
        door.cli("account", "block", account)
        rig.until(lambda: hears(account, BLOCKED.format(account)), "the block by the new core")
        door.cli("account", "unblock", account)
        rig.until(lambda: hears(account, "250 "), "the end of that")
        assert send(line, account) == 1
        assert limits(door, account)["spent"] == 9


def test_asked_until_it_is_answered(door, account):
    with sign_in(door, account) as line:
        forge(line, 5)
        mail(line, account)
        assert rcpt(line).startswith("450 4.7.1 ")
    restart_core(door)
    with sign_in(door, account, "127.76.0.2") as line:
        mail(line, account)
        assert rcpt(line).startswith("450 4.7.1 ")
        assert door.json("account", "sending", account)["asked_at"] is not None
        door.cli("account", "unblock", account)
        mail(line, account)
        assert rcpt(line).startswith("250 ")


def test_in_the_shadow_nothing_is_refused(door, account):
    door.options["sending_mode"] = "observe"
    door.write_config()
    door.cli("reload")
    before = door.stats()
    with sign_in(door, account) as line:
        for number in range(8):
            assert mail(line, f"forged{number}@elsewhere.test").startswith("250 ")
            line.ask("RSET")
        assert send(line, account) == 1
    after = door.stats()
    assert after["sending_would_block"] == before["sending_would_block"] + 1
    assert after["sending_not_own"] == before["sending_not_own"] + 8
    assert after["sending_blocked"] == before["sending_blocked"]
    assert not door.json("account", "sending", account)["is_blocked"]
