# SPDX-License-Identifier: ISC
"""People at work while something breaks: submissions and IMAP sessions, each with a log of what it was told."""

import contextlib
import itertools
import os
import pathlib
import socket
import ssl
import threading

import rig
import talk

BROKEN = (OSError, ssl.SSLError, rig.RigError, AttributeError, IndexError, TypeError)
_sources = itertools.count(1)


def source():
    """An address for one connection: a crash counts against those who were not signed in at that moment."""
    number = next(_sources)
    return f"127.{150 + number // 60000}.{number // 250 % 240}.{number % 250 + 1}"


def attempt(door, service, login, secret):
    """The answer to one sign-in, None if there was none."""
    with contextlib.suppress(*BROKEN):
        return talk.signin(door, service, login, secret, source())
    return None


class Sender(threading.Thread):
    """Submits numbered messages, each until it is acknowledged, as a mail program does with its outbox."""

    def __init__(self, door, name, account, recipient, messages=4):
        super().__init__(daemon=True)
        self.door, self.name, self.account, self.recipient = door, name, account, recipient
        self.messages = messages  # of one connection
        self.acknowledged = []
        self.in_flight = {}  # message → how often it was sent to the end without an answer
        self.refused = []  # answers that were not temporary
        self.is_over = threading.Event()

    def run(self):
        number = 0
        while not self.is_over.is_set():
            with contextlib.suppress(*BROKEN):
                with talk.connect(self.door, "submissions", source()) as line:
                    line.sock.settimeout(15)
                    answer = talk.attempt(line, "submissions", *self.account)
                    self.judge(answer)
                    if not talk.is_ok(answer):
                        continue
                    for _ in range(self.messages):
                        if not self.send(line, f"{self.name}-{number}"):
                            break
                        number += 1
                        if self.is_over.is_set():
                            break

    def judge(self, answer):
        if answer is not None and answer[0] == "5":
            self.refused.append(answer)

    def send(self, line, ident):
        for command in (f"MAIL FROM:<{self.account[0]}>", f"RCPT TO:<{self.recipient}>", "DATA"):
            answer = line.ask(command)[0]
            self.judge(answer)
            if answer[0] not in "23":
                return False
        self.in_flight[ident] = self.in_flight.get(ident, 0) + 1
        line.raw(f"Subject: {ident}\r\nX-Ident: <{ident}>\r\n\r\n{'text ' * 200}\r\n.\r\n".encode())
        answer = line.reply()[0]
        self.judge(answer)
        self.in_flight[ident] -= 1
        if answer[0] != "2":
            return False
        self.acknowledged.append(ident)
        return True

    def stop(self):
        self.is_over.set()
        self.join(60)


class Reader(threading.Thread):
    """IMAP sessions, one after the other, some commands each."""

    def __init__(self, door, account):
        super().__init__(daemon=True)
        self.door, self.account = door, account
        self.sessions = 0
        self.refused = []
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.is_set():
            with contextlib.suppress(*BROKEN):
                with talk.connect(self.door, "imaps", source()) as line:
                    line.sock.settimeout(15)
                    answer = talk.attempt(line, "imaps", *self.account)
                    if not talk.is_ok(answer):
                        if answer and "AUTHENTICATIONFAILED" in answer:
                            self.refused.append(answer)
                        continue
                    for tag in ("b", "c", "d"):
                        line.send(f"{tag} STATUS INBOX (MESSAGES)")
                        line.tagged(tag)
                    self.sessions += 1

    def stop(self):
        self.is_over.set()
        self.join(60)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid):
    """Resident KiB."""
    for row in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if row.startswith("VmRSS:"):
            return int(row.split()[1])
    return 0


def allowed(kib):
    """A bound for growth: none for a build under AddressSanitizer, which keeps what was freed."""
    is_sanitized = b"__asan_init" in (rig.BUILD / "gatepost-front").read_bytes()
    return float("inf") if is_sanitized else kib


def holder(line, pids):
    """Which of these processes has the server's end of this connection."""
    ours = line.sock.getsockname()
    want = f"{socket.htonl(int.from_bytes(socket.inet_aton(ours[0]), 'big')):08X}:{ours[1]:04X}"
    inode = None
    for row in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = row.split()
        if fields[2] == want:
            inode = fields[9]
    for name, pid in pids.items():
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/fd/{fd}") == f"socket:[{inode}]":
                    return name
    return None
