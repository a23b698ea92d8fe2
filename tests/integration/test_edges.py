# SPDX-License-Identifier: ISC
"""What only a hostile or a broken peer does, through the real door."""

import contextlib
import re
import socket
import struct

import pytest
import rig
import talk
from conftest import ALICE, BOB
from listening import Listening


def plain_door(make_gatepost, **more):
    return make_gatepost(listeners=("submission", "imap", "pop3"),
                         listener_options='plaintext_networks = {"127.0.0.0/8"}', **more)


class SwitchingImap(Listening):
    """A mail server that lets a client sign out and in again on one connection (RFC 8437)."""

    def __init__(self):
        self.commands = []
        super().__init__()

    def talk(self, sock):
        offer = b"IMAP4rev1 SASL-IR AUTH=XOAUTH2 UNAUTHENTICATE COMPRESS=DEFLATE IDLE"
        with sock, sock.makefile("rb") as file, contextlib.suppress(OSError):
            sock.sendall(b"* OK [CAPABILITY " + offer + b"] ready\r\n")
            for row in file:
                tag, _, command = row.rstrip(b"\r\n").partition(b" ")
                self.commands.append(command)
                verb = command.split(b" ")[0].upper()
                if verb == b"CAPABILITY":
                    sock.sendall(b"* CAPABILITY " + offer + b"\r\n" + tag + b" OK done\r\n")
                elif verb in (b"AUTHENTICATE", b"NOOP", b"UNAUTHENTICATE", b"COMPRESS"):
                    sock.sendall(tag + b" OK done\r\n")
                else:
                    sock.sendall(tag + b" BAD what\r\n")


@pytest.fixture
def switching():
    server = SwitchingImap()
    yield server
    server.close()


@pytest.mark.parametrize("step", [1, 1000])
def test_nobody_changes_accounts_behind_our_back(make_gatepost, switching, step):
    sections = [rig.backend("imap", "imap", [f"127.0.0.1:{switching.port}"], "auth = token"), rig.route("*", imap="imap")]
    door = make_gatepost(sections=sections, listeners=("imaps",))
    with talk.connect(door, "imaps") as line:
        assert talk.is_ok(talk.attempt(line, "imaps", *ALICE))
        for command in ("b UNAUTHENTICATE", "c unauthenticate", "d Compress DEFLATE"):
            for at in range(0, len(command) + 2, step):
                line.raw((command + "\r\n").encode()[at:at + step])
            assert line.tagged(command[0])[-1].startswith(command[0] + " BAD")
        line.send("e CAPABILITY")
        offered = line.tagged("e")
        assert not re.search("UNAUTH|COMPRESS", "".join(offered)) and "IDLE" in offered[0]
        line.send("f NOOP")
        assert line.tagged("f")[-1] == "f OK done"
        # The server may take what it was told is a literal for commands.
        line.send("g FOO {18+}\r\nx UNAUTHENTICATE\r\n")
        while line.line() is not None:
            pass
    verbs = {command.split(b" ")[0].upper() for command in switching.commands}
    assert not verbs & {b"UNAUTHENTICATE", b"COMPRESS"} and b"NOOP" in verbs


@pytest.mark.parametrize("service,command,answer", [("submission", "STARTTLS", "220"), ("imap", "s STARTTLS", "s OK"),
                                                    ("pop3", "STLS", "+OK")])
@pytest.mark.parametrize("more", ["\r\n", "NOOP\r\n", "x", "\x16\x03\x01"])
def test_nothing_passes_with_starttls(gatepost, peer, service, command, answer, more):
    """What comes in plain text behind the command is neither answered nor kept for the time under TLS."""
    with rig.Line(gatepost.ports[service], peer) as line:
        line.line()
        if service == "submission":
            line.ask("EHLO x")
        line.raw((command + "\r\n" + more).encode())
        heard = []
        with contextlib.suppress(rig.RigError):
            while (row := line.line()) is not None:
                heard.append(row)
        assert len(heard) <= 1 and not [row for row in heard if "NOOP" in row]
        assert not [row for row in heard if row.startswith(answer)] or line.is_closed()


DIALOGUES = {
    "submission": f"EHLO c\r\nAUTH PLAIN {talk.plain(*ALICE)}\r\nMAIL FROM:<{ALICE[0]}>\r\nRCPT TO:<{BOB[0]}>\r\nDATA\r\n"
                  "Subject: broken off\r\n\r\nx\r\n.\r\n",
    "imap": f"a LOGIN {{{len(ALICE[0])}+}}\r\n{ALICE[0]} \"{ALICE[1]}\"\r\nb SELECT INBOX\r\nc LOGOUT\r\n",
    "pop3": f"USER {ALICE[0]}\r\nPASS {ALICE[1]}\r\nSTAT\r\nQUIT\r\n",
}


@pytest.mark.parametrize("service", DIALOGUES)
def test_broken_off_after_each_byte(make_gatepost, dovecot, service):
    """By a reset, so that nothing that was said is still on its way."""
    door = plain_door(make_gatepost)
    data = DIALOGUES[service].encode()
    for at in range(len(data)):
        with socket.create_connection(("127.0.0.1", door.ports[service]), 20) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall(data[:at])
    rig.until(lambda: sum(door.stats()["sessions_open"].values()) == 0, "every session's end")
    stats = door.stats()
    assert stats["guesses_checked"] == stats["messages_accepted"] == 0 and door.json("ban", "list") == []
    assert not [letter for letter in dovecot.messages(BOB[0]) if b"Subject: broken off" in letter]
    assert talk.is_ok(talk.signin(door, service, *ALICE))
    assert not re.search("event=(worker_crashed|worker_killed|assert)", door.log())


V2 = b"\r\n\r\n\0\r\nQUIT\n"
ADDRESSES = socket.inet_aton("198.51.100.7") + socket.inet_aton("192.0.2.1") + struct.pack("!HH", 1, 143)
MALFORMED = {
    "nothing": b"\r\n", "no header": b"a CAPABILITY\r\n", "lower case": b"proxy TCP4 1.2.3.4 1.2.3.5 1 2\r\n",
    "half": b"PROXY TCP4 1.2.3.4\r\n", "too many words": b"PROXY TCP4 1.2.3.4 1.2.3.5 1 2 3\r\n",
    "two spaces": b"PROXY  TCP4 1.2.3.4 1.2.3.5 1 2\r\n", "bare LF": b"PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n",
    "a port too large": b"PROXY TCP4 1.2.3.4 1.2.3.5 65536 2\r\n", "a sign": b"PROXY TCP4 1.2.3.4 1.2.3.5 -1 2\r\n",
    "octal": b"PROXY TCP4 01.2.3.4 1.2.3.5 1 2\r\n", "a name": b"PROXY TCP4 localhost 1.2.3.5 1 2\r\n",
    "the other family": b"PROXY TCP6 1.2.3.4 1.2.3.5 1 2\r\n", "TCP5": b"PROXY TCP5 1.2.3.4 1.2.3.5 1 2\r\n",
    "NUL": b"PROXY TCP4 1.2.3.4\0 1.2.3.5 1 2\r\n", "endless": b"PROXY TCP4 " + b"9" * 200,
    "version 1 of 2": V2 + b"\x11\x11\0\x0c" + ADDRESSES, "version 3": V2 + b"\x31\x11\0\x0c" + ADDRESSES,
    "an unknown command": V2 + b"\x22\x11\0\x0c" + ADDRESSES, "too short": V2 + b"\x21\x11\0\x0b" + ADDRESSES[:-1],
    "v6 with v4's length": V2 + b"\x21\x21\0\x0c" + ADDRESSES, "too long": V2 + b"\x21\x11\xff\xff" + ADDRESSES + b"\0" * 2000,
    "almost the signature": V2[:-1] + b"\r\x21\x11\0\x0c" + ADDRESSES,
}
UNFINISHED = {"nothing"}  # what a header may yet become: the end alone shows that it does not


def test_malformed_proxy_headers(make_gatepost):
    """Closed without a word, whole or a byte at a time; and none is believed."""
    door = make_gatepost(listeners=("imap",), accounts=False,
                         listener_options='proxy_protocol = yes\n  proxy_from = {"127.0.0.0/8"}')
    for name, header in MALFORMED.items():
        for step in (1, len(header)):
            with socket.create_connection(("127.0.0.1", door.ports["imap"]), 10) as sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                heard = b""
                with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                    for at in range(0, len(header), step):
                        sock.sendall(header[at:at + step])
                    if name in UNFINISHED:
                        sock.shutdown(socket.SHUT_WR)
                    heard = sock.recv(100)
                assert heard == b"", name
    assert door.json("session", "list") == []
