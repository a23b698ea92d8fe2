# SPDX-License-Identifier: ISC
"""10,000 random transactions of many people at once, through the real door to next hops that keep their own books: what
is metered is what they have taken, and nothing stays reserved."""

import asyncio
import base64
import collections
import contextlib
import random
import threading

import pytest
import rig
from conftest import token_option

TRANSACTIONS = 10000
CONNECTIONS = 40
PEOPLE = 8
PASSWORD = "three blind mice and a cat"
PLAN = ('plan "wide" {\n  messages_hour = 10000000\n  messages_day = 0\n  recipients_hour = 10000000\n  recipients_day = 0\n'
        "  new_recipients_day = 0\n}\n")
# Everything is judged, and nothing follows from it.
OPTIONS = {"sending_plan": '"wide"', "sending_slow": 10000, "sending_ask": 10000, "sending_block": 10000,
           "message_recipients": 20}
# What the next hop does with recipients of these names: the reply to RCPT, to DATA, to the message; None: it is gone.
RCPT = {"nobody": "550 5.1.1 no such mailbox", "barred": "554 5.7.1 not for you", "later": "450 4.2.1 later", "gone-rcpt": None}
DATA = {"no-data": "554 5.5.1 no", "gone-data": None}
END = {"spam": "554 5.7.1 spam", "busy": "451 4.3.0 later", "gone-end": None}
FULL = "452 4.2.2 full"  # LMTP, for one recipient


class Gone(Exception):
    pass


class Hop:
    """A next hop, in a thread of its own. Its books: recipients and messages by sender."""

    def __init__(self, is_lmtp):
        self.is_lmtp = is_lmtp
        self.recipients, self.messages = collections.Counter(), collections.Counter()
        self.has_slow, self.goes_on = threading.Event(), asyncio.Event()
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 20))
        self.port = self.server.sockets[0].getsockname()[1]
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def close(self):
        self.loop.call_soon_threadsafe(self.server.close)

    async def serve(self, reader, writer):
        with contextlib.suppress(Gone, OSError, asyncio.IncompleteReadError):
            writer.write(b"220 hop\r\n")
            await self.talk(reader, writer)
        writer.close()

    def say(self, writer, text):
        if text is None:
            raise Gone
        writer.write(text.encode() + b"\r\n")
        return text[0] in "23"

    async def talk(self, reader, writer):
        sender, names = None, []
        while True:
            verb, _, rest = (await reader.readuntil(b"\r\n")).decode().strip().partition(" ")
            name = rest[rest.find("<") + 1:].split("@")[0]
            if verb in ("EHLO", "LHLO"):
                writer.write(b"250-hop\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n")
            elif verb == "MAIL":
                is_good = self.say(writer, "553 5.1.8 no" if "+bad" in rest else "250 2.1.0 ok")
                sender, names = rest[rest.find("<") + 1:rest.find(">")] if is_good else None, []
            elif verb == "RCPT":
                kind = name.split(".")[0]
                if self.say(writer, "503 5.5.1 MAIL first" if sender is None else RCPT.get(kind, "250 2.1.5 ok")):
                    names.append(kind)
            elif verb == "DATA":
                if self.say(writer, next((DATA[kind] for kind in names if kind in DATA), "354 go")):
                    await reader.readuntil(b"\r\n.\r\n")
                    if "slow" in names:
                        self.has_slow.set()
                        await self.goes_on.wait()
                    self.take(writer, sender.replace("+x@", "@"), names)
                    sender, names = None, []
            elif verb == "RSET":
                sender, names = None, []
                writer.write(b"250 2.0.0 ok\r\n")
            else:
                writer.write(b"221 2.0.0 bye\r\n")
                return

    def take(self, writer, sender, names):
        """Written down before it is said."""
        refusal = next((kind for kind in names if kind in END), None)
        if refusal is not None and not self.is_lmtp:
            self.say(writer, END[refusal])
            return
        taken = 0
        for kind in names if self.is_lmtp else names[:1]:
            answer = END.get(kind, FULL if kind == "full" else "250 2.0.0 ok") if self.is_lmtp else "250 2.0.0 ok"
            count = 1 if self.is_lmtp else len(names)
            if answer is not None and answer[0] == "2":
                self.recipients[sender] += count
                self.messages[sender] += taken == 0
                taken += count
            self.say(writer, answer)


class Person:
    """One connection: random transactions, in all the ways they can end."""

    def __init__(self, port, address, seed):
        self.port, self.address, self.random = port, address, random.Random(seed)
        self.ended = collections.Counter()
        self.writer = None

    async def connect(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        plain = base64.b64encode(f"\0{self.address}\0{PASSWORD}".encode()).decode()
        await self.reply()
        await self.ask("EHLO client.test")
        assert (await self.ask(f"AUTH PLAIN {plain}")).startswith("235")

    async def reply(self):
        while True:
            line = (await self.reader.readuntil(b"\r\n")).decode()
            if line[3] == " ":
                return line

    async def ask(self, *commands):
        """Pipelined; the last reply."""
        self.writer.write("".join(command + "\r\n" for command in commands).encode())
        for _ in commands:
            reply = await self.reply()
        return reply

    def leave(self):
        self.writer.transport.abort() if self.random.random() < 0.5 else self.writer.close()
        self.writer = None

    def recipient(self):
        kinds = ("nobody", "barred", "later", "no-data", "spam", "busy", "full", "gone-rcpt", "gone-data", "gone-end")
        kind = self.random.choice(kinds) if self.random.random() < 0.12 else "good"
        return f"RCPT TO:<{kind}.{self.random.randrange(1000)}@elsewhere.test>"

    def envelope(self):
        way = self.random.random()
        sender = self.address.replace("@", "+bad@" if way < 0.04 else "+x@" if way < 0.3 else "@")
        return [f"MAIL FROM:<{sender}>", *(self.recipient() for _ in range(self.random.choice((1, 1, 1, 2, 3, 8, 22))))]

    async def transaction(self):
        way = self.random.random()
        commands = self.envelope()
        if way < 0.08:  # off before anybody can have answered, and on with the next
            await self.ask(*commands, "RSET", *self.envelope(), "RSET")
            self.ended["RSET"] += 1
        elif way < 0.12:
            await self.ask(*commands)
            await self.ask("EHLO again")
            self.ended["EHLO"] += 1
        elif way < 0.15:
            self.writer.write("".join(command + "\r\n" for command in commands).encode())
            self.leave()
            self.ended["client lost"] += 1
        elif (reply := await self.ask(*commands, "DATA")).startswith("354"):
            await self.message()
        else:
            self.ended["DATA " + reply[:3]] += 1
            await self.ask("RSET")

    async def message(self):
        way, text = self.random.random(), b"Subject: x\r\n\r\n" + b"hello\r\n" * self.random.randrange(300)
        self.writer.write(text if way < 0.03 else text + b".\r\n")
        if way < 0.06:
            await self.writer.drain()
            self.leave()
            self.ended["client lost in the message" if way < 0.03 else "client lost before the answer"] += 1
        else:
            self.ended["message " + (await self.reply())[:3]] += 1

    async def run(self, count):
        for _ in range(count):
            if self.writer is None:
                await self.connect()
            await self.transaction()
        if self.writer is not None:
            self.leave()


@pytest.fixture(scope="module")
def hops():
    both = {"smtp": Hop(False), "lmtp": Hop(True)}
    yield both
    for hop in both.values():
        hop.close()


@pytest.fixture(scope="module")
def door(workdir, hops, token_keys):
    sections = [PLAN, *(rig.backend(name, name, [f"127.0.0.1:{hop.port}"]) for name, hop in hops.items()),
                rig.route("*", smtp="smtp"), rig.route("lmtp.test", smtp="lmtp")]
    server = rig.Gatepost(workdir / "transactions", {**token_option(token_keys), **OPTIONS}, sections, listeners=("submission",),
                          listener_options='plaintext_networks = {"127.0.0.0/8"}')
    try:
        server.start()
        server.cli("domain", "add", "lmtp.test")
        yield server
    finally:
        server.stop()


def limit(door, address, name):
    shown = door.json("account", "sending", address)
    return next(row for row in shown["limits"] if row["limit"] == name)


def test_metered_is_delivered(door, hops):
    people = [f"p{n}@{'lmtp' if n % 4 == 0 else 'example'}.test" for n in range(PEOPLE)]
    for address in people:
        door.add_account(address, PASSWORD)
    crowd = [Person(door.ports["submission"], people[n % PEOPLE], f"transactions-{n}") for n in range(CONNECTIONS)]

    async def run():
        await asyncio.gather(*(person.run(TRANSACTIONS // CONNECTIONS) for person in crowd))

    asyncio.run(run())
    ended = sum((person.ended for person in crowd), collections.Counter())
    assert sum(ended.values()) == TRANSACTIONS
    # Each way was gone.
    assert len(ended) >= 10 and min(ended.values()) > 0, ended
    recipients = hops["smtp"].recipients + hops["lmtp"].recipients
    messages = hops["smtp"].messages + hops["lmtp"].messages
    for address in people:
        rig.until(lambda: limit(door, address, "recipients an hour")["reserved"] == 0, f"nothing reserved by {address}")
        for name, books in (("recipients an hour", recipients), ("messages an hour", messages)):
            shown = limit(door, address, name)
            assert (shown["spent"], shown["reserved"]) == (books[address], 0), (address, name, ended)
    assert sum(recipients.values()) == door.stats()["recipients_metered"] > TRANSACTIONS


def test_session_closed_while_the_next_hop_ponders(door, hops):
    address = "slow@example.test"
    door.add_account(address, PASSWORD)
    person, hop = Person(door.ports["submission"], address, "slow"), hops["smtp"]

    async def run():
        await person.connect()
        await person.ask(f"MAIL FROM:<{address}>", "RCPT TO:<slow@elsewhere.test>", "RCPT TO:<good@elsewhere.test>", "DATA")
        person.writer.write(b"hello\r\n.\r\n")
        await asyncio.to_thread(hop.has_slow.wait, 10)
        await asyncio.to_thread(door.cli, "account", "passwd", address, stdin="another one altogether\n")
        hop.loop.call_soon_threadsafe(hop.goes_on.set)
        await person.reader.read()
        person.leave()

    asyncio.run(run())
    rig.until(lambda: limit(door, address, "recipients an hour")["reserved"] == 0, "nothing reserved")
    assert limit(door, address, "recipients an hour")["spent"] == hop.recipients[address] == 2
