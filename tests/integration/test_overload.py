# SPDX-License-Identifier: ISC
"""More than the door can take: connections that only sit there, and floods of wrong main passwords. Those who come
rightly are served meanwhile, memory is bounded, and who cannot be served hears so."""

import concurrent.futures
import contextlib
import itertools
import multiprocessing
import os
import resource
import select
import socket
import statistics
import threading
import time

import load
import pytest
import rig
import talk
from conftest import ALICE

CROWD = 5000  # connections at once
CROWD_SOURCES = 50
FLOOD_SOURCES = 1000
FLOOD_AT_ONCE = 80
FLOOD_TRIES = 4  # of each source, one less than would ban it


def want_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        if hard != resource.RLIM_INFINITY and hard < count:
            pytest.skip(f"{count} descriptors of one process are wanted, {hard} may be had")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def resident(door):
    return {name: load.memory(pid) for name, pid in door.pids().items()}


def describe(before, after):
    return ", ".join(f"{name} {before[name]} to {after[name]} KiB" for name in sorted(before))


def latencies(door, service, secret, count):
    """Milliseconds of each sign-in on a connection of its own, TLS included; all must get in."""
    times = []
    for _ in range(count):
        began = time.monotonic()
        answer = load.attempt(door, service, ALICE[0], secret)
        times.append((time.monotonic() - began) * 1000)
        assert talk.is_ok(answer), answer
    return times


class Crowd(threading.Thread):
    """Slowloris: connections that send a byte now and then, so that they never look idle."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.is_over = threading.Event()
        self.socks = []
        self.closed = 0
        for number in range(CROWD):
            source = f"127.200.0.{number % CROWD_SOURCES + 1}"
            sock = socket.create_connection(("127.0.0.1", port), 10, source_address=(source, 0))
            sock.setblocking(False)
            self.socks.append(sock)

    def run(self):
        words = itertools.cycle(b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        poll = select.poll()
        by_fd = {sock.fileno(): sock for sock in self.socks}
        for fd in by_fd:
            poll.register(fd, select.POLLIN)
        while by_fd and not self.is_over.is_set():
            byte = bytes([next(words)])
            for sock in list(by_fd.values())[::10]:
                with contextlib.suppress(OSError):
                    sock.send(byte)
            for fd, _ in poll.poll(100):
                gone = True
                with contextlib.suppress(OSError):
                    gone = by_fd[fd].recv(4096) == b""
                if gone:
                    poll.unregister(fd)
                    by_fd.pop(fd).close()
                    self.closed += 1

    def stop(self):
        self.is_over.set()
        self.join(10)
        for sock in self.socks:
            sock.close()


def test_slowloris(make_gatepost):
    """Each is closed when the time for signing in is over, whatever it sends, and nobody else waits for that."""
    want_descriptors(CROWD + 1000)
    door = make_gatepost({"login_timeout": '"15s"'})
    device = door.add_device(ALICE[0], "phone")
    alone = latencies(door, "imaps", device, 30)
    before = resident(door)
    crowd = Crowd(door.ports["imap"])
    began = time.monotonic()
    crowd.start()
    try:
        beside = latencies(door, "imaps", device, 60)
        during = resident(door)
        open_then = CROWD - crowd.closed
        crowd.join(40)
        assert not crowd.is_alive() and crowd.closed == CROWD
    finally:
        crowd.stop()
    slower = statistics.median(beside) / statistics.median(alone)
    print(f"\n{open_then} of {CROWD} open: a sign-in takes {statistics.median(beside):.1f} ms ({max(beside):.0f} at "
          f"most), alone {statistics.median(alone):.1f} ({max(alone):.0f}): {slower:.2f} times; all closed after "
          f"{time.monotonic() - began:.1f} s; {describe(before, during)}")
    fronts = [name for name in before if name.startswith("front")]
    grown = sum(during[name] - before[name] for name in fronts)
    assert grown < load.allowed(CROWD * 24)  # a session before sign-in has buffers of 8 KiB
    assert during["core"] - before["core"] < load.allowed(CROWD * 4)
    # No wrong password was among it.
    assert door.json("ban", "list") == []
    assert talk.is_ok(load.attempt(door, "submissions", *ALICE))


def test_a_full_front_lets_the_honest_in(make_gatepost):
    """More connections than it takes: the oldest that has not signed in makes room for the newest."""
    door = make_gatepost({"max_connections": 400, "login_timeout": '"300s"'})
    with contextlib.ExitStack() as held:
        for number in range(1200):
            source = f"127.201.0.{number % CROWD_SOURCES + 1}"
            held.enter_context(socket.create_connection(("127.0.0.1", door.ports["imap"]), 10, (source, 0)))
        for service in ("imaps", "submissions", "pop3s"):
            assert talk.is_ok(load.attempt(door, service, *ALICE))
        assert sum(load.descriptors(pid) for name, pid in door.pids().items() if name.startswith("front")) < 1000


class Flood:
    """Wrong main passwords from many sources, in a process of its own, so that it does not hold up who measures."""

    def __init__(self, door):
        self.door = door
        self.wrong, self.temporary, self.other, self.sources = (multiprocessing.Value("i", 0) for _ in range(4))
        self.is_over = multiprocessing.Event()
        self.process = multiprocessing.get_context("fork").Process(target=self.run, daemon=True)

    def run(self):
        os.nice(5)
        tries = itertools.product(range(FLOOD_TRIES), range(FLOOD_SOURCES))
        lock = threading.Lock()
        with concurrent.futures.ThreadPoolExecutor(FLOOD_AT_ONCE) as pool:
            for _ in range(FLOOD_AT_ONCE):
                pool.submit(self.guess, tries, lock)

    def guess(self, tries, lock):
        while not self.is_over.is_set():
            with lock:
                n, number = next(tries, (None, None))
                if n is None:
                    return
                self.sources.value = max(self.sources.value, number + 1)
            self.attempt(f"127.{210 + number // 250}.1.{number % 250 + 1}", n)

    def attempt(self, peer, n):
        answer = None
        with contextlib.suppress(*load.BROKEN):
            # Names of their own: the limit of guesses at one account is not what is tried here.
            answer = talk.signin(self.door, "submission", f"nobody{peer}-{n}@example.test", f"wrong {n} {peer}", peer)
        kind = self.other
        if answer is not None and answer.startswith("535"):
            kind = self.wrong
        elif answer is not None and answer.startswith("454 4.7.0 "):
            kind = self.temporary
        with kind.get_lock():
            kind.value += 1
        if kind is self.temporary:
            self.is_over.wait(0.2)  # as a flood from many machines would leave the processor to the door

    def count(self):
        return {"wrong": self.wrong.value, "temporary": self.temporary.value, "other": self.other.value}

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.process.join(60)


def test_a_flood_of_wrong_main_passwords(make_gatepost):
    """Device passwords have a lane of their own; what the queue cannot hold is a temporary error, not a wrong password."""
    door = make_gatepost({"slow_vaults": 1, "signin_queue": 20, "argon2_memory": 19456})
    device = door.add_device(ALICE[0], "phone")
    alone = latencies(door, "imaps", device, 30)
    before = resident(door)
    with Flood(door) as flood:
        rig.until(lambda: flood.temporary.value > 50 and flood.sources.value == FLOOD_SOURCES, "the flood", 120)
        beside = latencies(door, "imaps", device, 60)
        during = resident(door)
        assert flood.process.is_alive()  # it went on all the time
    answers = flood.count()
    print(f"\nbeside a flood from {FLOOD_SOURCES} sources ({answers}) a device password takes "
          f"{statistics.median(beside):.1f} ms ({max(beside):.0f} at most), alone {statistics.median(alone):.1f} "
          f"({max(alone):.0f}): {statistics.median(beside) / statistics.median(alone):.2f} times; "
          f"{describe(before, during)}")
    assert answers["wrong"] > 0 and answers["other"] == 0
    # What was not checked was not counted: no more than its four can stand against any source.
    assert door.json("ban", "list") == []
    assert door.stats()["guesses_checked"] == answers["wrong"]
    assert all(during[name] - before[name] < load.allowed(64 * 1024) for name in before)
    assert talk.is_ok(load.attempt(door, "imaps", *ALICE))
