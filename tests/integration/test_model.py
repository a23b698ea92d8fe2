# SPDX-License-Identifier: ISC
"""Random dialogues of tests/model through the real door, with core, vault and sockets between: acknowledged to the
client = counted by core = delivered to the next hop. tests/model/run plays 100,000 of them without a kernel."""

import random
import re
import socket
import subprocess
import sys

import pytest
import rig
from sink import Sink

sys.path.insert(0, str(rig.ROOT / "tests/model"))
from dialogues import Maker, token  # noqa: E402
from smtp_model import follow  # noqa: E402

COUNT = 300
RECEIVED = re.compile(rb"Received: from [^\r\n]*\r\n(?:\t[^\r\n]*\r\n)+")
VERBS = ("dial", "mail", "rcpt", "data", "end")
# What only the model's own core knows, and what means TLS here.
UNFIT = (b"blocked@", b"later@", token("busy").encode(), token("later").encode(), b"STARTTLS")


def is_closed(made):
    """Which of these dialogues end with the connection; the model's own front says so."""
    stdin = b"".join(" ".join(words).encode() + b"\n" + data for words, data in made)
    rest = subprocess.run([rig.BUILD / "tests/model/drive_smtp"], input=stdin, stdout=subprocess.PIPE, check=True).stdout
    for _ in made:
        head, _, rest = rest.partition(b"\n")
        words = head.split()
        rest = rest[int(words[5]) + int(words[6]):]
        yield words[3] == b"0"


def dialogues():
    made = []
    for number in range(COUNT * 3):
        words, data = Maker(f"door-{number}").dialogue(f"door-{number}")
        words[4], words[5] = "-", "-"
        if not any(part in data for part in UNFIT) and len(data) < 20000 and b"\r\nQUIT\r\n" in data:
            words[-1] = str(len(data))
            made.append((words, data))
    return [one for one, closes in zip(made, is_closed(made)) if closes][:COUNT]


@pytest.fixture(scope="module")
def sink():
    server = Sink()
    yield server
    server.close()


def told(door, service, data, cut, seed):
    """All that the client hears. cut: whole, byte, line, any."""
    heard, rnd = b"", random.Random(seed)
    with socket.create_connection(("127.0.0.1", door.ports[service]), 20, ("127.75.0.1", 0)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = 0
        try:
            while at < len(data):
                size = {"whole": len(data), "byte": 1, "line": data.find(b"\n", at) + 1 - at or len(data)}.get(
                    cut, rnd.randrange(1, 200))
                sock.sendall(data[at:at + size])
                at += size
            while part := sock.recv(65536):
                heard += part
        except (ConnectionResetError, BrokenPipeError):
            pass
    return heard


def test_acknowledged_is_counted_is_delivered(make_gatepost, sink):
    # The dialogues use any sender address, and are many: what an account may send is for other tests.
    sections = [rig.backend(name, "smtp", [f"127.0.0.1:{sink.port}"]) for name in ("a", "b")] + [
        rig.route("*", smtp="a"), rig.route("b.test", smtp="b"), rig.plan("free")]
    door = make_gatepost({"message_recipients": 5, "message_size": 200000, "login_commands": 1000,
                          "autoban_failures": 1000, "sending_mode": "observe", "sending_plan": "free"}, sections, listeners=("smtp", "submission"),
                         listener_options='plaintext_networks = {"127.0.0.0/8"}', accounts=False)
    door.add_account("alice@example.test", "rightful")
    door.cli("domain", "add", "b.test")
    made, messages, recipients, delivered = dialogues(), 0, 0, 0
    assert len(made) == COUNT
    for words, data in made:
        _, service, seed, cut, _, *letters, _ = words
        script = {verb: "" if word == "-" else word for verb, word in zip(VERBS, letters)}
        sink.load(script)
        # A connection to the next hop may rest from the dialogue before.
        model = follow(told(door, service, data, cut, seed), False, service, data, script, rests=True, pooled=("a", "b"))
        took = [(sender, names, RECEIVED.sub(b"", message, 1)) for sender, names, message in sink.delivered]
        assert took == model.delivered, words
        messages, recipients = messages + model.messages, recipients + model.recipients
        delivered += len(took)
    assert not sink.faults
    rig.until(lambda: door.stats()["messages_accepted"] == messages, "every message counted")
    assert door.stats()["recipients_accepted"] == recipients
    assert messages == delivered > COUNT / 2
