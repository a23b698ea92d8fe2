# SPDX-License-Identifier: ISC
"""What core pays for each recipient that is judged and metered, with its part of the message: through a real front, of a
store that knows many accounts."""

import base64
import itertools
import json
import pathlib
import socket

ACTIVE = 20  # accounts that send
MESSAGES = 10  # of each account and round
_strangers = itertools.count()


def core_ns(peer):
    """CPU that core has had, in ns."""
    pid = next(row["pid"] for row in json.loads(peer.cli("status", "--json").stdout)["processes"] if row["name"] == "core")
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0])


def import_accounts(bench, count):
    path = bench.folder / "known.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("address,password\n")
        for number in range(count):
            file.write(f"known{number}@example.test,{{CRYPT}}$6$saltsalt${'x' * 86}\n")
    bench.gatepost.cli("account", "import", path, seconds=1800)
    path.unlink()


class Sender:
    """One session of one account. What it sends is pipelined."""

    def __init__(self, port, address, secret):
        self.address = address
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.file = self.sock.makefile("rb")
        token = base64.b64encode(f"\0{address}\0{secret}".encode()).decode()
        assert self.reply() == 220 and self.ask("EHLO bench.test") == 250 and self.ask(f"AUTH PLAIN {token}") == 235

    def reply(self):
        while (line := self.file.readline())[3:4] == b"-":
            pass
        return int(line[:3])

    def ask(self, *lines):
        """The last reply; the others must be good."""
        self.sock.sendall("".join(f"{line}\r\n" for line in lines).encode())
        for _ in lines[1:]:
            assert self.reply() == 250
        return self.reply()

    def message(self, recipients):
        assert self.ask(f"MAIL FROM:<{self.address}>",
                        *(f"RCPT TO:<s{next(_strangers)}@elsewhere.test>" for _ in range(recipients)), "DATA") == 354
        self.sock.sendall(b"Subject: bench\r\n\r\n" + b"x" * 1000 + b"\r\n.\r\n")
        assert self.reply() == 250

    def close(self):
        self.sock.close()


def measure(bench, recipients, count):
    """µs of core for each recipient: count messages of each account, so many recipients each."""
    peer = bench.gatepost
    with open(peer.users, encoding="utf-8") as file:
        people = [line.split() for line in itertools.islice(file, ACTIVE)]
    senders = [Sender(peer.ports["smtp"], *person) for person in people]
    for sender in senders:  # what is loaded at the first MAIL is loaded
        sender.message(1)
    before = core_ns(peer)
    for _ in range(count):
        for sender in senders:
            sender.message(recipients)
    spent = core_ns(peer) - before
    for sender in senders:
        sender.close()
    return spent / 1e3 / (count * len(senders) * recipients)


def judging(bench):
    """Everything is judged, and passes."""
    peer = bench.gatepost
    known = 10 if bench.options.smoke else bench.options.known
    count = 1 if bench.options.smoke else MESSAGES
    import_accounts(bench, known)
    text = peer.config.read_text(encoding="utf-8")
    peer.config.write_text("sending_mode = observe\n" + text, encoding="utf-8")
    peer.cli("reload")
    for recipients in (50, 1):
        values = [measure(bench, recipients, count) for _ in range(bench.options.rounds)]
        bench.row(f"core's CPU for a first-time recipient, {recipients} a message, {known} accounts known", "µs", "20",
                  {"Gatepost": values})
    peer.config.write_text(text, encoding="utf-8")
    peer.cli("reload")
