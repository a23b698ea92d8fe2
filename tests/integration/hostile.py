# SPDX-License-Identifier: ISC
"""A backend or next hop that goes wrong: it speaks its protocol well up to one reply, and badly there."""

import contextlib
import socket
import ssl
import struct
import threading
import time

ENDLESS = 4 * 1024 * 1024  # bytes; nobody takes so many
PATIENCE = 20.0  # seconds until a thread that hangs gives up

KINDS = ("close", "reset", "hang", "endless", "long", "nul", "wrong", "half")
TLS_KINDS = ("injected", "no_tls")  # at the answer to STARTTLS


class Gone(Exception):
    pass


class Imap:
    """Each dialogue: the greeting, and the answer to a command line: (bytes, is it STARTTLS's)."""

    more = b"* OK more\r\n"
    wrong = b"G999 OK not yours\r\n"

    def __init__(self, is_tls):
        self.is_tls = is_tls
        self.mechanisms = b"" if is_tls else b"STARTTLS LOGINDISABLED"
        self.mechanisms += b" SASL-IR ID AUTH=OAUTHBEARER AUTH=XOAUTH2" if is_tls else b""

    def greeting(self):
        return b"* OK [CAPABILITY IMAP4rev1 " + self.mechanisms + b"] ready\r\n"

    def answer(self, line):
        tag, verb = (line.split() + [b"", b""])[:2]
        if verb == b"CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 " + self.mechanisms + b"\r\n" + tag + b" OK done\r\n", False
        if verb == b"ID":
            return b"* ID NIL\r\n" + tag + b" OK done\r\n", False
        return tag + b" OK done\r\n", verb == b"STARTTLS"


class Pop3:
    more = b"more\r\n"
    wrong = b"* OK this is IMAP\r\n"

    def __init__(self, is_tls):
        self.is_tls = is_tls

    def greeting(self):
        return b"+OK ready\r\n"

    def answer(self, line):
        if line.startswith(b"CAPA"):
            return b"+OK\r\nUIDL\r\n" + (b"SASL OAUTHBEARER XOAUTH2" if self.is_tls else b"STLS") + b"\r\n.\r\n", False
        if line.startswith(b"AUTH") and len(line.split()) == 2:  # the token follows on a line of its own
            return b"+ \r\n", False
        return b"+OK done\r\n", line.startswith(b"STLS")


class Smtp:
    more = b"250-more\r\n"
    wrong = b"354 not what you asked\r\n"

    def __init__(self, is_tls):
        self.is_tls = is_tls

    def greeting(self):
        return b"220 hop.example.test\r\n"

    def answer(self, line):
        verb = line[:4].upper()
        if verb in (b"EHLO", b"LHLO"):
            lines = [b"PIPELINING", b"ENHANCEDSTATUSCODES"] + ([] if self.is_tls else [b"STARTTLS"])
            return b"250-hop.example.test\r\n" + b"".join(
                b"250" + (b"-" if one is not lines[-1] else b" ") + one + b"\r\n" for one in lines), False
        if verb == b"STAR":
            return b"220 2.0.0 go\r\n", True
        if verb == b"DATA":
            return b"354 go\r\n", False
        if verb == b"QUIT":
            return b"221 2.0.0 bye\r\n", False
        return b"250 2.0.0 done\r\n", False


class Connection:
    def __init__(self, server, sock):
        self.server, self.sock, self.pending = server, sock, b""
        self.sock.settimeout(PATIENCE)
        self.step = 0

    def read(self, end=b"\r\n"):
        while end not in self.pending:
            got = self.sock.recv(65536)
            if not got:
                raise Gone
            self.pending += got
        line, self.pending = self.pending.split(end, 1)
        return line

    def serve(self):
        dialogue = self.server.dialogue(False)
        self.reply(dialogue, dialogue.greeting(), False)
        while True:
            line = self.read()
            answer, is_starttls = dialogue.answer(line)
            self.reply(dialogue, answer, is_starttls)
            if is_starttls:
                self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)
                self.pending = b""
                dialogue = self.server.dialogue(True)
            elif answer.startswith(b"354"):
                self.read(b"\r\n.\r\n")
                self.server.kept += 1
                self.reply(dialogue, b"250 2.0.0 kept\r\n", False)

    def reply(self, dialogue, answer, is_starttls):
        self.step += 1
        self.server.steps = max(self.server.steps, self.step)
        at, kind = self.server.bad
        if self.step != at:
            self.sock.sendall(answer)
            return
        if kind in TLS_KINDS and not is_starttls:
            self.sock.sendall(answer)
            return
        self.server.reached = True
        getattr(self, kind)(dialogue, answer)
        raise Gone

    def close(self, *_):
        pass

    def reset(self, *_):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def hang(self, *_):
        end = time.monotonic() + PATIENCE
        while self.sock.recv(65536) and time.monotonic() < end:
            pass

    def half(self, _, answer):
        self.sock.sendall(answer[:-2])
        self.hang()

    def endless(self, dialogue, _):
        for _ in range(ENDLESS // 65536):
            self.sock.sendall(dialogue.more * (65536 // len(dialogue.more)))
        self.hang()

    def long(self, _, answer):
        self.sock.sendall(answer[:-2] + b"x" * 1024 * 1024 + b"\r\n")
        self.hang()

    def nul(self, _, answer):
        self.sock.sendall(answer[:4] + b"\0" + answer[4:])
        self.hang()

    def wrong(self, dialogue, answer):
        self.sock.sendall(b"250 2.0.0 too early\r\n" if answer.startswith(b"354") else dialogue.wrong)
        self.hang()

    def injected(self, dialogue, answer):
        self.sock.sendall(answer + dialogue.more)
        self.hang()

    def no_tls(self, _, answer):
        self.sock.sendall(answer)
        self.sock.recv(65536)
        self.sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.hang()


class Server:
    """bad: (which reply, counted from 1, kind); (0, "") for one that does everything right."""

    def __init__(self, dialogue, certificate):
        self.dialogue = dialogue
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(*certificate)
        self.bad = (0, "")
        self.steps = 0  # the most replies that a connection came to
        self.kept = 0
        self.reached = False
        self.live = []
        self.port = 0
        self.start()

    def start(self):
        """Again on the same port, after stop()."""
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.run, args=(sock,), daemon=True).start()

    def turn(self, step, kind):
        """From the next connection on; older ones are closed."""
        for connection in list(self.live):
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        self.bad, self.reached = (step, kind), False

    def run(self, sock):
        connection = Connection(self, sock)
        self.live.append(connection)
        with contextlib.suppress(OSError, Gone):
            connection.serve()
        with contextlib.suppress(OSError):
            connection.sock.close()
        self.live.remove(connection)

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()  # before its descriptor is another's
        self.listener.close()
        self.turn(0, "")
