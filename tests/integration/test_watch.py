# SPDX-License-Identifier: ISC
"""Processes that hang, and processes that send nonsense: gatepostd ends them and starts others in their place, and
nobody else notices more than a temporary error."""

import contextlib
import ctypes
import itertools
import os
import random
import re
import signal
import socket

import load
import pytest
import rig
import talk
from conftest import ALICE

PIDFD_GETFD = 438
NONSENSE = 3  # packets to each socket
libc = ctypes.CDLL(None, use_errno=True)


def processes(door):
    return rig.until(lambda: (door.status() or {}).get("processes"), "the processes", 30)


def pids(door):
    return {row["name"]: row["pid"] for row in processes(door)}


def is_serving(door, device):
    return all(talk.is_ok(load.attempt(door, service, ALICE[0], secret))
               for service, secret in (("imaps", device), ("submissions", ALICE[1]), ("pop3s", device)))


def assert_nobody_was_wrong(door):
    rows = door.json("signin", "list", "--limit", "1000")
    assert [row for row in rows if row["counted"] and row["reason"] != "crashed"] == []
    assert door.json("ban", "list") == []


# ---- processes that hang ----


def is_of(row, kind):
    return kind in (row.get("lane"), row["name"].split(".")[0])


@pytest.mark.parametrize("kind", ["fast", "slow", "desk", "core", "front"])
def test_who_hangs_is_replaced(make_gatepost, kind, peer):
    """Both kinds of passwords are temporary errors at worst, until gatepostd misses the answers to its pings."""
    door = make_gatepost()
    device = door.add_device(ALICE[0], "phone")
    before = pids(door)
    hung = {row["name"]: row["pid"] for row in processes(door) if is_of(row, kind)}
    for pid in hung.values():
        os.kill(pid, signal.SIGSTOP)
    answers = {}
    for service, secret in (("imaps", device), ("submissions", ALICE[1])):
        with contextlib.suppress(*load.BROKEN):  # a front that hangs is found dead
            answers[service] = talk.signin(door, service, ALICE[0], secret, peer)
    for service, answer in answers.items():
        assert answer is None or talk.is_ok(answer) or "UNAVAILABLE" in answer or answer.startswith("454 "), answer
    if kind in ("slow", "desk"):
        assert talk.is_ok(answers["imaps"])  # device passwords have nothing to do with these
    if kind == "fast":
        assert talk.is_ok(answers["submissions"])  # nor main passwords with that
    # Nobody lets them go on: they are replaced, and all is well.
    rig.until(lambda: is_serving(door, device), "service", 60)
    now = rig.until(lambda: (p := pids(door)) and all(p.get(n) not in (None, 0, o) for n, o in hung.items()) and p,
                    "others in their places", 60)
    assert {name: pid for name, pid in now.items() if name not in hung} == {
        name: pid for name, pid in before.items() if name not in hung}
    assert_nobody_was_wrong(door)


# ---- nonsense on the channels between them ----


class Sock(socket.socket):
    """A descriptor of another process, as if we were it."""

    @classmethod
    def of(cls, pid, fd):
        pidfd = os.pidfd_open(pid)
        try:
            got = libc.syscall(PIDFD_GETFD, pidfd, fd, 0)
        finally:
            os.close(pidfd)
        if got < 0:
            pytest.skip(f"no descriptor of another process can be had here: {os.strerror(ctypes.get_errno())}")
        return cls(fileno=got)


def channels(pid):
    """Descriptors of its channels to others."""
    found = []
    for name in sorted(os.listdir(f"/proc/{pid}/fd"), key=int):
        with contextlib.suppress(OSError):
            if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                continue
            with Sock.of(pid, int(name)) as sock:
                # The CLI's have the name of the socket they came to.
                is_pair = sock.family == socket.AF_UNIX and sock.type == socket.SOCK_SEQPACKET and not sock.getsockname()
                if is_pair:
                    found.append(int(name))
    return found


def babble(pid, fd, chance):
    with Sock.of(pid, fd) as sock, contextlib.suppress(OSError):
        for _ in range(NONSENSE):
            sock.send(chance.randbytes(chance.choice((1, 7, 200, 4000))), socket.MSG_DONTWAIT)


def assert_one_was_replaced(door, device, before, gone, sessions):
    """Of the processes only those named may be others than before; sessions of fronts that live go on."""
    rig.until(lambda: is_serving(door, device), "service", 30)
    now = rig.until(lambda: (p := pids(door)) and any(p.get(n) not in (None, 0, before[n]) for n in gone) and p,
                    f"another in the place of {gone}", 30)
    assert [name for name in before if now.get(name) != before[name] and name not in gone] == []
    for name, line in sessions.items():
        if now[name] == before[name]:
            line.send("n NOOP")
            assert line.tagged("n")[-1].startswith("n OK"), name


def one_session_a_front(door, device):
    sessions = {}
    while len(sessions) < 2:
        line = talk.connect(door, "imaps", load.source())
        assert talk.is_ok(talk.attempt(line, "imaps", ALICE[0], device))
        name = load.holder(line, {n: p for n, p in pids(door).items() if n.startswith("front")})
        if name in sessions:
            line.close()
        else:
            sessions[name] = line
    return sessions


def accusers(door):
    """Who said of a core that it sends nonsense. Who says it again is not believed: it goes itself."""
    return set(re.findall(r"event=core_accused .*worker=(\S+)", door.log()))


@pytest.mark.parametrize("who", ["front.0", "core", "fast", "slow", "desk"])
def test_who_sends_nonsense_is_replaced(make_gatepost, who):
    """On each of its channels: the sender goes, whoever hears it."""
    door = make_gatepost({"slow_vaults": 1})
    device = door.add_device(ALICE[0], "phone")
    chance = random.Random(who)
    # gatepostd, and core or (as core) two fronts and three vaults.
    least = 6 if who == "core" else 2
    for number in itertools.count():
        row = next(row for row in processes(door) if who in (row["name"], row.get("lane")))
        sessions = one_session_a_front(door, device)
        before = pids(door)
        mine = rig.until(lambda pid=row["pid"]: len(found := channels(pid)) >= least and found, "its channels")
        if number >= len(mine):
            break
        # Which channel is whose is another thing with each core: one may lead to who has heard the last.
        gone = {row["name"]} | accusers(door)
        babble(row["pid"], mine[number], chance)
        assert_one_was_replaced(door, device, before, gone, sessions)
        for line in sessions.values():
            line.close()
    assert_nobody_was_wrong(door)


def test_nonsense_from_gatepostd_ends_who_hears_it(make_gatepost):
    """What is no message of gatepostd is obeyed by nobody; it goes on with others in their places."""
    door = make_gatepost({"slow_vaults": 1})
    device = door.add_device(ALICE[0], "phone")
    before = pids(door)
    chance = random.Random(1)
    parent = door.process.pid
    for fd in channels(parent):
        babble(parent, fd, chance)
    rig.until(lambda: all(p not in (0, before[n]) for n, p in pids(door).items() if n not in ("gatepostd", "parent")),
              "others in all places", 30)
    rig.until(lambda: is_serving(door, device), "service", 30)
    assert door.process.poll() is None
    assert_nobody_was_wrong(door)


def test_who_speaks_against_core_again_goes_itself(make_gatepost):
    """Else a process that was taken over could keep core from work."""
    door = make_gatepost({"slow_vaults": 1})
    device = door.add_device(ALICE[0], "phone")
    chance = random.Random(2)
    os.kill(pids(door)["core"], signal.SIGKILL)
    heard = []
    # Each time somebody hears it, two fronts or three vaults, until one hears it again.
    while len(heard) == len(set(heard)):
        rig.until(lambda: is_serving(door, device), "service", 30)
        before, known = pids(door), accusers(door)
        # A core that came last has its channel to gatepostd first.
        babble(before["core"], channels(before["core"])[1], chance)
        rig.until(lambda b=before: pids(door) != b and is_serving(door, device), "another process", 30)
        now = pids(door)
        gone = [name for name in before if now.get(name) != before[name]]
        assert len(gone) == 1 and (gone == ["core"] or gone[0] in known), (gone, known)
        heard += gone if gone != ["core"] else list(accusers(door) - known)
        assert len(heard) <= len(before), heard
