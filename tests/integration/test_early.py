# SPDX-License-Identifier: ISC
"""With implicit TLS the greeting comes with the server's part of the handshake: a client of TLS 1.3 can read it before it
has sent its own last part. With TLS 1.2, and with plain text or HTTP, all is as it was."""

import contextlib
import imaplib
import poplib
import smtplib
import socket
import ssl

import pytest
import talk
from conftest import ALICE

DOORS = {"imaps": "* OK ", "pop3s": "+OK ", "submissions": "220 "}
REFUSED = {"imaps": "* BYE ", "pop3s": "-ERR [AUTH] ", "submissions": "421 4.7.0 "}


class HalfShaken:
    """A client with a handshake of its own making, which sends what it is told to send."""

    def __init__(self, gatepost, service, peer):
        self.sock = socket.create_connection(("127.0.0.1", gatepost.ports[service]), 10, (peer, 0))
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = gatepost.tls().wrap_bio(self.incoming, self.outgoing, server_hostname="mail.example.test")

    def send(self):
        self.sock.sendall(self.outgoing.read())

    def take(self, call):
        """What call comes to once enough has come from the server."""
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                return call()
            got = self.sock.recv(65536)
            assert got, "closed too early"
            self.incoming.write(got)

    def shake_but_keep_the_last(self):
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        self.send()
        self.take(self.tls.do_handshake)
        assert self.outgoing.pending

    def line(self):
        return self.take(self.tls.read).decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


@pytest.mark.parametrize("service", DOORS)
def test_greeting_comes_before_the_handshake_is_over(gatepost, peer, service):
    with HalfShaken(gatepost, service, peer) as client:
        client.shake_but_keep_the_last()
        greeting = client.line()
        assert greeting.startswith(DOORS[service]) and greeting.endswith("\r\n")
        # And the dialogue goes on, with one greeting.
        client.tls.write(b"QUIT\r\n" if service != "imaps" else b"a LOGOUT\r\n")
        client.send()
        assert client.line().startswith(("* BYE", "+OK", "221 "))
        with contextlib.suppress(ssl.SSLZeroReturnError):  # or an empty read: the goodbye
            while client.line():
                pass


@pytest.mark.parametrize("service", DOORS)
def test_refusal_comes_before_the_handshake_is_over(gatepost, peer, service):
    talk.wrong(gatepost, peer, 5)
    with HalfShaken(gatepost, service, peer) as client:
        client.shake_but_keep_the_last()
        assert client.line().startswith(f"{REFUSED[service]}{peer} is blocked for ")
        client.send()
        with contextlib.suppress(ssl.SSLZeroReturnError):
            assert client.line() == ""


def test_a_ban_that_comes_in_the_middle_ends_it(gatepost, peer):
    """The greeting is out and the client's last part is not: closed without a word, as at any time before it is."""
    with HalfShaken(gatepost, "imaps", peer) as client:
        client.shake_but_keep_the_last()
        assert client.line().startswith("* OK ")
        talk.wrong(gatepost, peer, 5)
        assert client.sock.recv(4096) == b""


def test_hello_that_comes_with_the_proxy_header(make_gatepost):
    door = make_gatepost(listeners=("imaps",), fronts=1,
                         listener_options='proxy_protocol = yes\n  proxy_from = {"127.0.0.0/8"}')
    with HalfShaken(door, "imaps", "127.0.0.1") as client:
        client.outgoing.write(b"PROXY TCP4 203.0.113.9 127.0.0.1 40000 993\r\n")
        client.shake_but_keep_the_last()
        assert client.line().startswith("* OK ")


def test_nothing_comes_early_after_starttls(gatepost, peer):
    with HalfShaken(gatepost, "submission", peer) as client:
        assert client.sock.recv(4096).startswith(b"220 ")
        client.sock.sendall(b"EHLO x\r\n")
        assert b"STARTTLS" in client.sock.recv(4096)
        client.sock.sendall(b"STARTTLS\r\n")
        assert client.sock.recv(4096).startswith(b"220 ")
        client.shake_but_keep_the_last()
        with pytest.raises(ssl.SSLWantReadError):
            client.tls.read()
        client.tls.write(b"EHLO x\r\n")
        client.send()
        assert client.line().startswith("250-")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_python_clients(gatepost, version):
    context = gatepost.tls()
    context.minimum_version = context.maximum_version = version
    with imaplib.IMAP4_SSL("127.0.0.1", gatepost.ports["imaps"], ssl_context=context) as imap:
        assert imap.login(*ALICE)[0] == "OK"
        assert imap.select("INBOX")[0] == "OK"
    pop = poplib.POP3_SSL("127.0.0.1", gatepost.ports["pop3s"], context=context)
    pop.user(ALICE[0])
    pop.pass_(ALICE[1])
    pop.quit()
    with smtplib.SMTP_SSL("127.0.0.1", gatepost.ports["submissions"], context=context) as smtp:
        smtp.login(*ALICE)
