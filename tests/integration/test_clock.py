# SPDX-License-Identifier: ISC
"""The machine's wall clock is moved while the door works (tests/wall_jump): bans and windows neither vanish nor last
longer, sessions go on, nobody's password becomes wrong."""

import mmap
import os
import signal
import struct
import time

import load
import pytest
import rig
import talk
from browse import Browser
from conftest import ALICE
from test_portal_core import totp

SHIM = rig.BUILD / "tests/wall_jump/wall_jump.so"


class Clock:
    def __init__(self, path):
        path.write_bytes(bytes(mmap.PAGESIZE))
        self.path = path
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), mmap.PAGESIZE)

    def jump(self, seconds):
        self.map[:8] = struct.pack("=q", seconds)

    def preload(self):
        return ["env", f"LD_PRELOAD={SHIM}", f"WALL_JUMP_FILE={self.path}"]

    def close(self):
        self.map.close()
        self.file.close()


@pytest.fixture
def moved(make_gatepost):
    """A door whose processes all have the clock of the test."""
    if load.allowed(0) != 0:
        pytest.skip("the sanitizers want to be loaded first")
    door = make_gatepost(start=False)
    clock = Clock(door.folder / "clock")
    folder = door.folder / "libexec"
    folder.mkdir()
    for role in ("front", "core", "vault", "web"):
        program = folder / f"gatepost-{role}"
        program.write_text(f"#!/bin/sh\nexec {' '.join(clock.preload())} {rig.BUILD}/gatepost-{role} \"$@\"\n",
                           encoding="utf-8")
        program.chmod(0o755)
    door.prefix = clock.preload()
    door.arguments = ["--libexec", folder]
    door.start()
    door.add_account(*ALICE)
    yield door, clock
    clock.close()


def test_a_used_code_stays_used(moved, peer):
    """One-time codes are good for a span of the wall clock; a step back brings no used one back."""
    door, clock = moved
    browser = Browser(door, peer)
    sign_in = {"login": ALICE[0], "password": ALICE[1]}
    assert browser.post("/api/v1/session", sign_in).status == 200
    secret = browser.post("/api/v1/self/twofactor", {"password": ALICE[1]}).json["secret"]
    assert browser.post("/api/v1/self/twofactor/confirm", {"code": totp(secret, time.time())}).status == 200
    clock.jump(90)
    code = totp(secret, time.time() + 90)
    browser = Browser(door, peer)
    assert browser.post("/api/v1/session", sign_in).json == {"state": "code"}
    assert browser.post("/api/v1/session/code", {"code": code}).status == 200
    for seconds in (90, 60, 0):
        clock.jump(seconds)
        again = Browser(door, peer)
        assert again.post("/api/v1/session", sign_in).json == {"state": "code"}
        assert again.post("/api/v1/session/code", {"code": code}).status == 403
    # Nor one of a time that is before it.
    assert again.post("/api/v1/session/code", {"code": totp(secret, time.time())}).status == 403
    clock.jump(150)
    assert again.post("/api/v1/session/code", {"code": totp(secret, time.time() + 150)}).status == 200


def restart(door, what):
    if what == "core":
        pid = door.pids()["core"]
        os.kill(pid, signal.SIGKILL)
        rig.until(lambda: (door.status() or {}).get("processes") and door.pids()["core"] not in (0, pid), "a new core")
    elif what == "gatepostd":
        door.stop()
        door.start()


def banned(door):
    return sorted(row["source"] for row in door.json("ban", "list"))


@pytest.mark.parametrize("seconds", [3600, -3600, 86400, -86400])
@pytest.mark.parametrize("what", ["nothing", "core", "gatepostd"])
def test_the_wall_clock_jumps(moved, seconds, what, peer):
    door, clock = moved
    device = door.add_device(ALICE[0], "phone")
    guesser, other = load.source(), load.source()
    talk.wrong(door, guesser, 5)
    talk.wrong(door, other, 4)
    rig.until(lambda: len(door.json("signin", "list", "--source", other)) == 4, "the events")
    assert banned(door) == [guesser]
    with talk.connect(door, "submissions", peer) as line:
        assert talk.is_ok(talk.attempt(line, "submissions", ALICE[0], device))
        before = door.json("signin", "list", "--limit", "1")[0]["at"]
        clock.jump(seconds)
        if what != "gatepostd":
            restart(door, what)
            assert line.ask("NOOP")[0].startswith("250")
    if what == "gatepostd":
        restart(door, what)
    # The right ones come in. (Not by IMAP: the server behind, whose clock stands still, would refuse the token.)
    rig.until(lambda: talk.is_ok(talk.signin(door, "submissions", ALICE[0], device, peer)), "a sign-in")
    assert talk.is_ok(talk.signin(door, "submissions", *ALICE, peer))
    after = rig.until(lambda: door.json("signin", "list", "--limit", "1", "--source", peer), "the event")[0]["at"]
    assert (after > before) == (seconds > 0)  # the clock did jump
    assert banned(door) == [guesser]
    assert talk.signin(door, "imaps", *ALICE, guesser).startswith("* BYE ")
    # The window holds what it held: one more is the fifth.
    talk.wrong(door, other, 1, login="bob@example.test")
    assert banned(door) == sorted([guesser, other])
    door.advance(29 * 60)
    assert banned(door) == sorted([guesser, other])
    door.advance(2 * 60)
    assert banned(door) == []
    assert talk.is_ok(talk.signin(door, "submissions", *ALICE, guesser))


def test_a_token_of_a_moved_clock_is_nobodys_wrong_password(moved, peer):
    """The server behind has another clock and refuses the token: a temporary error, until the clocks agree again."""
    door, clock = moved
    clock.jump(-3600)
    answer = talk.signin(door, "imaps", *ALICE, peer)
    assert answer.startswith("a NO [UNAVAILABLE]"), answer
    assert [row for row in door.json("signin", "list") if row["counted"]] == []
    clock.jump(0)
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE, peer))
