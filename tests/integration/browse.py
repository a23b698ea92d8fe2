# SPDX-License-Identifier: ISC
"""Browsers and other HTTP clients: requests to the byte, and one that keeps its cookie as a browser does."""

import json
import re
import socket

import rig

NAME = "mail.example.test"


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def __getitem__(self, name):
        """The value of a field, "" if it is not there."""
        return self.fields.get(name.lower(), "")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:200]!r}"


class Wire:
    """One connection. peer: the loopback address to come from."""

    def __init__(self, door, peer="127.0.0.1"):
        sock = socket.create_connection(("127.0.0.1", door.ports["https"]), 30, (peer, 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as browsers do
        self.sock = door.tls().wrap_socket(sock, server_hostname=NAME)
        self.pending = b""

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)
        return self

    def receive(self):
        try:
            got = self.sock.recv(65536)
        except OSError:
            got = b""
        self.pending += got
        return bool(got)

    def is_closed(self):
        """Waits for the end; nothing more may come before it."""
        return not self.pending and not self.receive()

    def answer(self, method="GET"):
        """The next answer; None if the connection ends before it begins."""
        while b"\r\n\r\n" not in self.pending:
            if not self.receive():
                if self.pending:
                    raise rig.RigError(f"half an answer: {self.pending!r}")
                return None
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        status, *lines = head.decode().split("\r\n")
        fields = {}
        for line in lines:
            name, value = line.split(": ", 1)
            assert name.lower() not in fields, f"{name} twice"
            fields[name.lower()] = value
        code = int(re.fullmatch(r"HTTP/1\.1 (\d{3}) .+", status).group(1))
        length = 0 if method == "HEAD" or code in (100, 204, 304) else int(fields["content-length"])
        while len(self.pending) < length:
            if not self.receive():
                raise rig.RigError(f"half a body: {self.pending!r}")
        body, self.pending = self.pending[:length], self.pending[length:]
        return Answer(code, fields, body)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Browser:
    """Asks as a page of the portal does, and keeps the cookie."""

    def __init__(self, door, peer="127.0.0.1", **fields):
        self.door, self.peer, self.fields, self.cookie = door, peer, fields, None

    def ask(self, method, path, body=None, **more):
        """more: further fields, "_" for "-"; None leaves one out."""
        host = f"{NAME}:{self.door.ports['https']}"
        fields = {"Host": host, "Connection": "close"}
        if method not in ("GET", "HEAD"):
            fields |= {"Origin": f"https://{host}", "Content-Type": "application/json"}
        if self.cookie:
            fields["Cookie"] = f"__Host-gatepost={self.cookie}"
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if data:
            fields["Content-Length"] = str(len(data))
        for name, value in {**self.fields, **more}.items():
            fields[name.replace("_", "-")] = value
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
        with Wire(self.door, self.peer) as wire:
            answer = wire.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data).answer(method)
        if answer is not None and answer["Set-Cookie"]:
            self.keep(answer["Set-Cookie"])
        return answer

    def keep(self, text):
        match = re.fullmatch(r"__Host-gatepost=([\w-]*); Path=/; Secure; HttpOnly; SameSite=Strict(; Max-Age=0)?", text)
        assert match and bool(match.group(2)) == (match.group(1) == ""), text
        self.cookie = match.group(1) or None

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.ask("POST", path, {} if body is None else body, **more)

    def delete(self, path, **more):
        return self.ask("DELETE", path, **more)
