# SPDX-License-Identifier: ISC
"""The From: field of what accounts send (sending_from), and the program that is run when one is blocked."""

import stat

import pytest
import rig
import talk
from conftest import ALICE, token_option
from sink import Sink

OWN, OTHER = ALICE[0], "ceo@bank.test"
ALIAS = "sales@example.test"
MIXED = f"553 5.7.1 Not every address in the From field is one of {OWN}"
UNREADABLE = "553 5.7.1 The From field cannot be read, or there is more than one"
NOT_OWN = f"553 5.7.1 {OTHER} is not an address of {OWN}"
PASSWORD = "three blind mice and a cat"
# Forged sender addresses alone block: fifteen points for each beyond two.
OPTIONS = {"sending_from": "yes", "sending_slow": 44, "sending_ask": 45, "sending_block": 60, "sending_proof": 30}


@pytest.fixture(scope="module")
def sink():
    server = Sink()
    server.load({})
    yield server
    server.close()


@pytest.fixture(scope="module")
def told(workdir):
    """What the program is told."""
    folder = workdir / "hook"
    folder.mkdir()
    folder.chmod(0o777)
    script = folder / "script"
    script.write_text(f'#!/bin/sh\necho "$@" >> {folder}/told\n')
    script.chmod(0o755)
    for parent in (workdir, *workdir.parents[:-2]):
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
    return folder / "told"


@pytest.fixture(scope="module")
def door(workdir, sink, told, token_keys):
    sections = [rig.backend("hop", "smtp", [f"127.0.0.1:{sink.port}"]), rig.route("*", smtp="hop")]
    hook = {"sending_block_hook": f'{{"{told.parent}/script", "-a", "{{account}}", "{{reason}}"}}', "hook_user": "nobody"}
    server = rig.Gatepost(workdir / "from", {**token_option(token_keys), **OPTIONS, **hook}, sections,
                          listeners=("submissions",))
    try:
        server.start()
        server.add_account(*ALICE)
        server.cli("alias", "add", OWN, ALIAS)
        yield server
    finally:
        server.stop()


def sign_in(door, account=ALICE):
    line = talk.connect(door, "submissions", "127.77.0.1")
    assert talk.is_ok(talk.attempt(line, "submissions", *account))
    return line


def send(line, message, sender=OWN, cut=0):
    """The answer to the message; cut: it arrives in two pieces."""
    assert line.ask(f"MAIL FROM:<{sender}>")[0].startswith("250 ")
    assert line.ask("RCPT TO:<someone@elsewhere.test>")[0].startswith("250 ")
    assert line.ask("DATA")[0].startswith("354 ")
    if cut:
        line.raw(message[:cut])
    return line.raw(message[cut:] + b".\r\n").reply()[0]


def messages(body):
    """What the From: field is, and what is answered; "" for 250."""
    yield f"From: {OWN}\r\n\r\n{body}", ""
    yield f"from : Me <{OWN.upper()}>,\r\n\t(x) {ALIAS}\r\n\r\n{body}", ""
    yield f"Subject: no From\r\n\r\n{body}", ""
    yield f"From: {OWN}\r\n", ""
    yield f"From: nobody:;\r\n\r\nFrom: {OTHER}\r\n{body}", ""
    yield f"From: {OTHER}\r\n\r\n{body}", NOT_OWN
    yield f"From: {OTHER}\r\n", NOT_OWN
    yield f".From: {OTHER}\r\n\r\n{body}", NOT_OWN
    yield f"From: {OWN}, {OTHER}\r\n\r\n{body}", MIXED
    yield f"From: {OTHER} <{OWN}>\r\n\r\n{body}", UNREADABLE
    yield f"From: {OWN}\r\nx\r\nFrom: {OTHER}\r\n\r\n{body}", UNREADABLE


@pytest.mark.parametrize("size", [0, 30000])
def test_only_own_addresses_in_the_from_field(door, sink, size):
    body = "0123456789abcde\r\n" * (size // 17)
    before = door.stats()["recipients_metered"]
    sink.load({})
    good = 0
    with sign_in(door) as line:
        for text, refusal in messages(body):
            message = text.encode()
            for cut in (0, 3, len(message) - 1):
                answer = send(line, message, cut=cut)
                assert answer == refusal if refusal else answer.startswith("250 "), (text[:80], cut)
                good += not refusal
        shown = door.json("account", "sending", OWN)
        assert all(row["reserved"] == 0 for row in shown["limits"])
    # The next hop never had the end of what was refused.
    assert len(sink.delivered) == good
    assert not any(OTHER.encode() in message.split(b"\r\n\r\n")[0] for _, _, message in sink.delivered)
    assert door.stats()["recipients_metered"] - before == good
    assert not sink.faults


def test_program_is_run_when_an_account_is_blocked(door, told):
    account = ("thief@example.test", PASSWORD)
    door.add_account(*account)
    with sign_in(door, account) as line:
        for number in range(10):
            if line.ask(f"MAIL FROM:<forged{number}@bank.test>")[0].startswith("554 "):
                break
            line.ask(f"MAIL FROM:<{account[0]}>")
            line.ask("RCPT TO:<someone@elsewhere.test>")
            line.ask("RSET")
    rig.until(told.exists, "the program was run")
    lines = told.read_text().splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"-a {account[0]} ") and "points: " in lines[0]
    # Blocked already: this is no news. Afterwards it is.
    door.cli("account", "block", account[0], "--reason", "once more")
    door.cli("account", "unblock", account[0])
    door.cli("account", "block", account[0], "--reason", "-rf /")
    rig.until(lambda: len(told.read_text().splitlines()) > 1, "the program was run again")
    assert told.read_text().splitlines()[1:] == [f"-a {account[0]} by hand: -rf /"]
