# SPDX-License-Identifier: ISC
"""Sign-ins by hand, one function for all ports, so that a test can say what it means."""

import base64
import re

import rig

TLS = {"submissions", "imaps", "pop3s"}


REFERENCE = re.compile(r" \(ref ([0-9A-HJKMNP-TV-Z]{8})\)$")


def reference(refusal):
    """The reference of a refusal, which stands at the end of its line."""
    return REFERENCE.search(refusal).group(1)


def words(refusal):
    """A refusal without its reference, which it must have."""
    assert REFERENCE.search(refusal), refusal
    return REFERENCE.sub("", refusal)


def plain(login, secret):
    return base64.b64encode(f"\0{login}\0{secret}".encode()).decode()


def b64(text):
    return base64.b64encode(text.encode()).decode()


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def connect(gatepost, service, peer="127.0.0.1", tls=True):
    """A connection that is ready for a sign-in: greeting read, TLS up (STARTTLS where needed). Returns the Line, or
    the first line as text if the door turned the client away."""
    context = gatepost.tls()
    kind = service.split("-")[0]
    line = rig.Line(gatepost.ports[service], peer, context if kind in TLS else None, "mail.example.test")
    greeting = line.line()
    if greeting is None or greeting.startswith(("421", "* BYE", "-ERR")):
        line.close()
        return greeting
    if kind in TLS or not tls:
        return line
    if kind.startswith("imap"):
        line.send("s STARTTLS")
        assert line.tagged("s")[-1].startswith("s OK")
    elif kind.startswith("pop3"):
        line.send("STLS")
        assert line.line().startswith("+OK")
    else:
        line.ask("EHLO test.client")
        assert line.ask("STARTTLS")[0].startswith("220")
    return line.starttls(context, "mail.example.test")


def signin(gatepost, service, login, secret, peer="127.0.0.1"):
    """One sign-in attempt; the line the server answered with (the connection is closed)."""
    line = connect(gatepost, service, peer)
    if not isinstance(line, rig.Line):
        return line
    with line:
        return attempt(line, service, login, secret)


def attempt(line, service, login, secret):
    if service.startswith("imap"):
        line.send(f"a LOGIN {quoted(login)} {quoted(secret)}")
        return line.tagged("a")[-1]
    if service.startswith("pop3"):
        line.send(f"USER {login}")
        answer = line.line()
        if answer is None or not answer.startswith("+OK"):
            return answer  # None: banned while its handshake was not over
        line.send(f"PASS {secret}")
        return line.line()
    answer = line.ask("EHLO test.client")
    if not answer or not answer[0].startswith("250"):
        return answer and answer[0]
    return (line.ask(f"AUTH PLAIN {plain(login, secret)}") or [None])[0]


def is_ok(answer):
    return answer is not None and answer.startswith(("235 ", "a OK", "+OK"))


def wrong(gatepost, peer, count=1, service="submissions", login="alice@example.test"):
    """Wrong passwords, each another one."""
    return [signin(gatepost, service, login, f"wrong-{peer}-{number}", peer) for number in range(count)]
