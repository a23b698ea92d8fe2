# SPDX-License-Identifier: ISC
"""How much a front keeps for an rspamd that does not read, and how many recipients it is told. Mail passes all the same."""

import contextlib
import smtplib
import threading

import pytest
import rig
from conftest import ALICE
from sink import Sink
from test_rspamd import RESULTS, Peer, counts, verdict

HEAD_MAX = 512 * 1024  # SMTP_FILTER_HEAD_MAX
HELD_MAX = 64 << 20  # SMTP_FILTER_HELD_MAX
MEGABYTE = b"%s\r\n" % (b"x" * 1022) * 1024
RECIPIENTS = 2200
UNLIMITED = "plan open { messages_hour = 0 messages_day = 0 recipients_hour = 0 recipients_day = 0 new_recipients_day = 0 }"


@pytest.fixture(scope="module")
def peer():
    server = Peer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def sink():
    server = Sink()
    server.load({})
    yield server
    server.close()


@pytest.fixture
def door(make_gatepost, peer, sink):
    """One front. Nothing is judged, so that all that is sent passes."""
    sink.load({})
    return make_gatepost({"rspamd": f'"127.0.0.1:{peer.port}"', "rspamd_timeout": "30s", "rspamd_max_size": "64M",
                          "message_size": "100M", "message_recipients": 3000, "sending_mode": "observe",
                          "sending_plan": "open", "notices": "no"},
                         [rig.backend("smtp", "smtp", [f"127.0.0.1:{sink.port}"]), rig.route("*", smtp="smtp"), UNLIMITED],
                         listeners=("submissions",), fronts=1)


@contextlib.contextmanager
def message(door, recipients=("r@example.org",)):
    """A session after its DATA."""
    with smtplib.SMTP_SSL("127.0.0.1", door.ports["submissions"], context=door.tls(), timeout=60) as client:
        client.login(*ALICE)
        assert client.mail(ALICE[0])[0] == 250
        client.send("".join(f"RCPT TO:<{recipient}>\r\n" for recipient in recipients))
        assert {client.getreply()[0] for _ in recipients} == {250}
        assert client.docmd("DATA")[0] == 354
        client.send(b"Subject: large\r\n\r\n")
        yield client


def send_megabytes(client, count):
    for _ in range(count):
        client.send(MEGABYTE)
    return count


def test_what_waits_is_bounded_for_all_messages_together(door, peer, sink):
    """Two messages, neither of which is too much. The later one goes unseen, the earlier one waits and is judged."""
    go_on, seen = threading.Event(), []

    def act(sock, file):
        go_on.wait(60)
        with contextlib.suppress(ValueError):  # of the one that is given up, there is no end
            while file.readline() != b"\r\n":
                pass
            size = 0
            while (chunk := int(file.readline(), 16)):
                size += len(file.read(chunk + 2)) - 2
            seen.append(size)
            sock.sendall(verdict("no action"))

    peer.act = act
    before = counts(door, *RESULTS)

    def failed():
        return door.stats()["rspamd_failed"] - before["rspamd_failed"]
    half = (HELD_MAX >> 20) // 2 + 4
    with message(door) as first, message(door) as second:
        send_megabytes(first, half)
        sent = send_megabytes(second, (HELD_MAX >> 20) - half - 4)
        assert failed() == 0
        while sent < half + 20 and not failed():  # what the sockets hold on their way is beyond our count
            sent += send_megabytes(second, 4)
        rig.until(lambda: failed() == 1, "the second one is not shown any more")
        assert 'event=rspamd_failed' in door.log() and '"does not read"' in door.log()
        go_on.set()
        for client in (second, first):
            client.send(b".\r\n")
            assert client.getreply()[0] == 250
    after = counts(door, *RESULTS)
    assert {name: after[name] - before[name] for name in RESULTS} == {
        "rspamd_ok": 1, "rspamd_failed": 1, "rspamd_timeouts": 0}
    assert sorted(len(text) >> 20 for _, _, text in sink.delivered) == sorted((half, sent))
    assert [size >> 20 for size in seen] == [half]


def test_recipients_beyond_the_head_are_left_out(door, peer, sink):
    peer.act = peer.judge
    domain = ".".join(["d" * 60] * 3) + ".test"
    recipients = [f"{number:064}@{domain}" for number in range(RECIPIENTS)]
    with message(door, recipients) as client:
        client.send(b".\r\n")
        assert client.getreply()[0] == 250
    assert sink.delivered[0][1] == recipients
    _, fields, _ = peer.seen.pop()
    told = [value for name, value in fields if name == "Rcpt"]
    size = sum(len(f"{name}: {value}\r\n") for name, value in fields)
    assert told == recipients[:len(told)]
    line = len(f"Rcpt: {recipients[0]}\r\n")
    assert HEAD_MAX - 2 * line < size < HEAD_MAX + line
    assert door.stats()["rspamd_ok"] == 1
