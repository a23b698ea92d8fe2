# SPDX-License-Identifier: ISC
"""Backends and next hops that are down, hang, reset or babble, at each step of their dialogue: people hear of a
temporary error, nobody's password is wrong, nothing leaks, and the next sign-in works."""

import contextlib
import time

import hostile
import load
import pytest
import rig
import talk
from conftest import ALICE, BOB

DIALOGUES = {"imap": hostile.Imap, "pop3": hostile.Pop3, "smtp": hostile.Smtp, "lmtp": hostile.Smtp}


@pytest.fixture
def broken(make_gatepost, workdir, request):
    """A door before one hostile backend."""
    protocol = request.param
    server = hostile.Server(DIALOGUES[protocol], rig.make_certificate(workdir, f"bad-{protocol}", ["bad.test"]))
    key = "smtp" if protocol == "lmtp" else protocol
    sections = [rig.backend("bad", protocol, [f"127.0.0.1:{server.port}"], "tls = starttls",
                            "connect_timeout = 1s", "reply_timeout = 1s"),
                rig.route("*", **{key: "bad"})]
    service = {"imap": "imaps", "pop3": "pop3s"}.get(protocol, "submissions")
    yield make_gatepost(sections=sections, listeners=(service,), fronts=1), server, service
    server.stop()


def submit(door):
    """All replies from MAIL to the end of the message; None for a connection that ended."""
    replies = []
    with contextlib.suppress(OSError), talk.connect(door, "submissions", load.source()) as line:
        answer = talk.attempt(line, "submissions", *ALICE)
        if not talk.is_ok(answer):
            return [answer]
        for command in (f"MAIL FROM:<{ALICE[0]}>", f"RCPT TO:<{BOB[0]}>", "DATA"):
            replies.append((line.ask(command) or [None])[0])
            if replies[-1] is None or replies[-1][0] not in "23":
                return replies
        line.raw(b"Subject: x\r\n\r\ntext\r\n.\r\n")
        replies.append((line.reply() or [None])[0])
    return replies


def check(door, server, service, is_good):
    if service == "submissions":
        kept = server.kept
        replies = submit(door)
        if is_good:
            assert len(replies) == 4 and replies[-1].startswith("250 "), replies
            assert server.kept == kept + 1
        else:
            # Temporary, and never an acknowledgement that the next hop did not give.
            assert not [one for one in replies if one and one[0] == "5"], (server.bad, replies)
            assert len(replies) < 4 or not (replies[-1] or "").startswith("2"), (server.bad, replies)
        return
    answer = load.attempt(door, service, *ALICE)
    if is_good:
        assert talk.is_ok(answer), answer
    else:
        assert answer.startswith(("a NO [UNAVAILABLE]", "-ERR [SYS/TEMP]")), (server.bad, answer)


def cases(steps):
    for step in range(1, steps + 1):
        for kind in hostile.KINDS + hostile.TLS_KINDS:
            yield step, kind


@pytest.mark.parametrize("broken", list(DIALOGUES), indirect=True)
def test_a_bad_backend_at_each_step(broken):
    door, server, service = broken
    check(door, server, service, True)
    pids = door.pids()
    watched = [pid for name, pid in pids.items() if name.startswith(("front", "gatepostd"))]
    before = {pid: load.descriptors(pid) for pid in watched}
    small = {pid: load.memory(pid) for pid in watched}
    steps = server.steps
    assert steps >= 4
    done = 0
    for step, kind in cases(steps):
        server.turn(step, kind)
        if kind in hostile.TLS_KINDS:
            # Good, where it is not the answer to STARTTLS.
            with contextlib.suppress(AssertionError):
                check(door, server, service, False)
            if not server.reached:
                continue
        else:
            check(door, server, service, False)
        assert server.reached, (step, kind)
        done += 1
        server.turn(0, "")
        if kind in ("hang", "wrong"):
            check(door, server, service, True)
    print(f"{done} ways to go wrong in {steps} replies")
    assert done == steps * len(hostile.KINDS) + len(hostile.TLS_KINDS)
    check(door, server, service, True)
    rig.until(lambda: all(load.descriptors(pid) <= before[pid] + 2 for pid in watched), "descriptors to be closed")
    grown = max(load.memory(pid) - small[pid] for pid in watched)
    print(f"{grown} KiB more than before")
    assert grown < load.allowed(16 * 1024)
    assert door.pids() == pids
    assert door.json("ban", "list") == []
    assert not [row for row in door.json("signin", "list", "--limit", "1000") if row["counted"]]
    assert door.stats()["guesses_checked"] == 0


@pytest.mark.parametrize("broken", list(DIALOGUES), indirect=True)
def test_a_backend_that_is_down_and_comes_back(broken):
    door, server, service = broken
    server.stop()
    began = time.monotonic()
    check(door, server, service, False)
    print(f"said after {(time.monotonic() - began) * 1000:.0f} ms")
    server.start()
    check(door, server, service, True)
    assert door.json("ban", "list") == []
