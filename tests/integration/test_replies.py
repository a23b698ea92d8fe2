# SPDX-License-Identifier: ISC
"""What a mail program is told, to the byte (doc/replies.md)."""

import contextlib
import os
import re
import signal
import socket

import rig
import talk
from conftest import ALICE

LETTERS = "[0-9A-HJKMNP-TV-Z]{8}"
P = "https://mail.example.test/"
WRONG = f"Wrong name or password. If two-factor sign-in is on, use a device password: {P}"
NO_TLS = "Encryption required: turn on STARTTLS or SSL/TLS in your mail program"
MECHANISM = f'Turn off "secure password authentication"; use normal password over TLS: {P}'
SIGN_IN = f"550 5.7.1 Sign in to send: turn on SMTP authentication in your mail program. How: {P}"
BLOCKED = ("554 5.7.1 Account alice@example.test has been blocked from sending due to abusive activity. "
           "Please update password and (re-)enable 2FA to be unblocked")


def is_blocked(reply):
    """To the letter, and nothing else."""
    return reply == [BLOCKED]


def test_wrong_name_or_password(gatepost, peer):
    assert talk.words(talk.signin(gatepost, "submissions", "alice", "x", peer)) == f"535 5.7.8 {WRONG}"
    assert talk.words(talk.signin(gatepost, "imaps", "alice", "x", peer)) == f"a NO [AUTHENTICATIONFAILED] {WRONG}"
    assert talk.words(talk.signin(gatepost, "pop3s", "alice", "x", peer)) == f"-ERR [AUTH] {WRONG}"


def test_sign_in_without_tls(gatepost, peer):
    with talk.connect(gatepost, "submission", peer, tls=False) as line:
        line.ask("EHLO x")
        assert talk.words(*line.ask(f"AUTH PLAIN {talk.plain(*ALICE)}")) == f"538 5.7.11 {NO_TLS}"
    with talk.connect(gatepost, "imap", peer, tls=False) as line:
        line.send('a LOGIN "alice" "x"')
        assert talk.words(line.line()) == f"a NO [PRIVACYREQUIRED] {NO_TLS}"
    with talk.connect(gatepost, "pop3", peer, tls=False) as line:
        line.send("USER alice")
        answer = line.line()
        if answer.startswith("+OK"):
            line.send("PASS x")
            answer = line.line()
        assert talk.words(answer) == f"-ERR [AUTH] {NO_TLS}"
    rig.until(lambda: [row for row in gatepost.json("signin", "list", "--source", peer)
                       if row["reason"] == "no_tls"], "the event")


def test_mechanism_not_offered(gatepost, peer):
    with talk.connect(gatepost, "submissions", peer) as line:
        line.ask("EHLO x")
        assert talk.words(*line.ask("AUTH NTLM TlRMTVNTUAABAAAA")) == f"504 5.5.4 {MECHANISM}"
    with talk.connect(gatepost, "imaps", peer) as line:
        line.send("a AUTHENTICATE NTLM")
        assert talk.words(line.line()) == f"a NO [CANNOT] {MECHANISM}"
    with talk.connect(gatepost, "pop3s", peer) as line:
        line.send("AUTH NTLM")
        assert talk.words(line.line()) == f"-ERR [AUTH] {MECHANISM}"


def test_sending_without_signing_in(gatepost, peer):
    with rig.Line(gatepost.ports["smtp"], peer) as line:
        line.reply()
        line.ask("EHLO x")
        line.ask("MAIL FROM:<alice@example.test>")
        assert talk.words(*line.ask("RCPT TO:<someone@foreign.test>")) == SIGN_IN
        assert line.ask("RCPT TO:<bob@example.test>")[0].startswith("250 ")
    for service in ("submission", "submissions"):
        with talk.connect(gatepost, service, peer) as line:
            line.ask("EHLO x")
            assert talk.words(*line.ask("MAIL FROM:<alice@example.test>")) == SIGN_IN


def shown(gatepost, reference):
    """What staff sees of a reference, once the event is in the store."""
    rig.until(lambda: gatepost.json("reference", "show", reference), "the reference")
    return gatepost.json("reference", "show", reference)


def test_every_refusal_can_be_looked_up(gatepost, peer):
    """By the reference alone, in every protocol: what was refused, to whom, and the true reason."""
    answers = [(talk.signin(gatepost, "submissions", "alice", "x", peer), "wrong_password"),
               (talk.signin(gatepost, "imaps", "nobody", "x", peer), "unknown_account"),
               (talk.signin(gatepost, "pop3s", "alice", "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa", peer), "wrong_device")]
    with talk.connect(gatepost, "submissions", peer) as line:
        line.ask("EHLO x")
        answers.append((line.ask("MAIL FROM:<a@b.test>")[0], "signin_required"))
    with talk.connect(gatepost, "imap", peer, tls=False) as line:
        line.send('a LOGIN "alice" "x"')
        answers.append((line.line(), "no_tls"))
    references = [talk.reference(answer) for answer, _ in answers]
    assert len(set(references)) == len(references)
    for (_, reason), reference in zip(answers, references):
        row, = shown(gatepost, f" {reference[:4].lower()}-{reference[4:]}")
        assert (row["kind"], row["reason"], row["source"]) == ("reference", reason, peer)
        assert row["reference"] == reference
    assert gatepost.json("reference", "show", "00000001") == []
    found = gatepost.json("search", references[1])
    assert [row["reason"] for row in found] == ["unknown_account"]


def test_blocked_account_can_be_looked_up(make_gatepost, peer):
    """By option the reference stands on a line of its own, behind the one that is to the letter."""
    door = make_gatepost({"blocked_reference": "yes"})
    door.cli("account", "block", "alice@example.test")
    with talk.connect(door, "submissions", peer) as line:
        assert talk.is_ok(talk.attempt(line, "submissions", *ALICE))
        first, second = line.ask("MAIL FROM:<alice@example.test>")
    assert first == BLOCKED.replace("554 ", "554-", 1)
    assert re.fullmatch(f"554 5.7.1 Reference: {LETTERS}", second)
    row, = shown(door, second.rsplit(" ", 1)[1])
    assert (row["reason"], row["account"]) == ("blocked", "alice@example.test")


def test_a_ban_can_be_looked_up(gatepost, peer):
    """The address that is turned away at the door has the reference of the failure that shut it."""
    talk.wrong(gatepost, peer, 4)
    with talk.connect(gatepost, "imaps", peer) as line:
        last = talk.reference(talk.attempt(line, "imaps", "alice", "five"))
        assert talk.reference(line.line()) == last
    for service in ("imaps", "submission", "pop3s"):
        assert talk.reference(talk.connect(gatepost, service, peer)) == last
    rig.until(lambda: len(shown(gatepost, last)) == 2, "the ban")
    event, ban = shown(gatepost, last)
    assert (event["kind"], event["reason"], event["login"]) == ("reference", "wrong_password", "alice")
    assert (ban["kind"], ban["source"]) == ("ban", peer)
    gatepost.cli("ban", "remove", peer)
    gatepost.cli("ban", "add", peer)
    mine = talk.reference(talk.connect(gatepost, "imaps", peer))
    assert mine != last
    rig.until(lambda: shown(gatepost, mine)[0]["reason"] == "banned by hand", "the ban by hand")


def test_530_by_option(make_gatepost):
    door = make_gatepost({"signin_required_code": 530}, accounts=False)
    with talk.connect(door, "submissions") as line:
        line.ask("EHLO x")
        assert talk.words(*line.ask("MAIL FROM:<a@b.test>")) == SIGN_IN.replace("550", "530", 1)


def test_blocked_account(gatepost, peer):
    """A block acts in the running session too; receiving goes on; unblocking opens again."""
    with talk.connect(gatepost, "submissions", peer) as line:
        assert talk.is_ok(talk.attempt(line, "submissions", *ALICE))
        assert line.ask("MAIL FROM:<alice@example.test>")[0].startswith("250 ")
        assert line.ask("RSET")[0].startswith("250 ")
        gatepost.cli("account", "block", "alice@example.test", "--reason", "spam run")
        try:
            assert is_blocked(line.ask("MAIL FROM:<alice@example.test>"))
            assert talk.is_ok(talk.signin(gatepost, "imaps", *ALICE, peer=peer))
            with talk.connect(gatepost, "submission", peer) as fresh:
                assert talk.is_ok(talk.attempt(fresh, "submission", *ALICE))
                assert is_blocked(fresh.ask("MAIL FROM:<alice@example.test>"))
        finally:
            gatepost.cli("account", "unblock", "alice@example.test")
        assert line.ask("MAIL FROM:<alice@example.test>")[0].startswith("250 ")


def test_backend_down_is_never_a_wrong_password(make_gatepost):
    port, = rig.free_ports(1)
    nowhere = [rig.backend("imap", "imap", [f"127.0.0.1:{port}"], "auth = token"),
               rig.backend("pop3", "pop3", [f"127.0.0.1:{port}"], "auth = token"),
               rig.backend("out", "smtp", [f"127.0.0.1:{port}"]),
               rig.route("*", imap="imap", pop3="pop3", smtp="out")]
    door = make_gatepost(sections=nowhere)
    for _ in range(6):
        assert talk.signin(door, "imaps", *ALICE, peer="127.90.0.1").startswith("a NO [UNAVAILABLE] ")
        assert talk.signin(door, "pop3s", *ALICE, peer="127.90.0.1").startswith("-ERR [SYS/TEMP] ")
    with talk.connect(door, "submissions", "127.90.0.2") as line:
        assert talk.is_ok(talk.attempt(line, "submissions", *ALICE))
        later = line.ask("MAIL FROM:<alice@example.test>")[0]
        assert later.startswith("451 4.")
    row, = shown(door, talk.reference(later))
    assert (row["outcome"], row["reason"], row["account"]) == ("temporary", "backend", "alice@example.test")
    assert door.json("ban", "list") == []


def test_vault_stopped_is_never_a_wrong_password(make_gatepost):
    door = make_gatepost()
    vaults = [pid for name, pid in door.pids().items() if "vault" in name]
    for pid in vaults:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert talk.signin(door, "submissions", *ALICE, peer="127.91.0.1").startswith("454 4.7.0 ")
        assert talk.signin(door, "imaps", "alice", "wrong", peer="127.91.0.1").startswith("a NO [UNAVAILABLE] ")
    finally:
        for pid in vaults:
            with contextlib.suppress(ProcessLookupError):  # gatepostd may have found it dead
                os.kill(pid, signal.SIGCONT)
    rig.until(lambda: talk.is_ok(talk.signin(door, "imaps", *ALICE, peer="127.91.0.1")), "recovery")
    assert door.json("ban", "list") == []


def test_wrong_protocol_is_recognised_and_closed(gatepost, peer):
    """HTTP on a mail port, a TLS hello on a STARTTLS port, plain text on a TLS port: closed, and told in words."""
    for service in ("submission", "imap", "pop3"):
        for first in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64)):
            with socket.create_connection(("127.0.0.1", gatepost.ports[service]), 10, (peer, 0)) as sock:
                sock.recv(4096)  # the greeting
                sock.sendall(first)
                assert drained(sock) == b""
    for service in ("submissions", "imaps", "pop3s"):
        for first in (b"EHLO x\r\n", b"GET / HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", gatepost.ports[service]), 10, (peer, 0)) as sock:
                sock.sendall(first)
                assert b"HTTP" not in drained(sock)
    wanted = {"http", "tls_on_plain_port", "plain_on_tls_port"}
    rig.until(lambda: wanted <= {row["reason"] for row in gatepost.json("signin", "list", "--source", peer)},
              "the events")


def drained(sock):
    data = b""
    try:
        while got := sock.recv(4096):
            data += got
    except ConnectionResetError:
        pass
    return data
