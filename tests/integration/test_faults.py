# SPDX-License-Identifier: ISC
"""What breaks beneath the door: processes, the store, the clock, descriptors. Nothing acknowledged is lost, nobody's
password becomes wrong by it, and all is well again without a restart."""

import concurrent.futures
import contextlib
import fcntl
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import load
import pytest
import rig
import talk
from conftest import ALICE, BOB

KILL_EVERY = 2  # seconds
KILL_SECONDS = int(os.environ.get("GATEPOST_KILL_SECONDS", "60"))


def processes(door):
    return rig.until(lambda: (door.status() or {}).get("processes"), "the processes", 20)


def pids(door):
    return {row["name"]: row["pid"] for row in processes(door)}


def vault(door, lane):
    """The first vault of this lane: (name, pid)."""
    return next((row["name"], row["pid"]) for row in processes(door) if row.get("lane") == lane)


def kill_and_wait(door, name, pid):
    os.kill(pid, signal.SIGKILL)
    rig.until(lambda: pids(door).get(name) not in (None, 0, pid), f"a new {name}")


def events(door, *filters):
    return door.json("signin", "list", "--limit", "1000", *filters)


def counted(door, peer):
    return [row for row in events(door, "--source", peer) if row["counted"]]


def assert_nobody_was_wrong(door):
    assert [row for row in events(door) if row["counted"] and row["reason"] != "crashed"] == []
    assert door.json("ban", "list") == []


def all_right(door, device):
    return all(talk.is_ok(load.attempt(door, service, ALICE[0], secret))
               for service, secret in (("imaps", device), ("submissions", ALICE[1])))


def assert_all_temporary(door, peer, *attempts):
    """All at once: each may take as long as core waits for a vault."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = pool.map(lambda one: talk.signin(door, one[0], ALICE[0], one[1], peer), attempts)
    for answer in answers:
        assert answer.startswith(("a NO [UNAVAILABLE]", "-ERR [SYS/TEMP]", "454 4.7.0 ")), answer


# ---- processes ----


def check_mailbox(dovecot, address, senders):
    """Every acknowledged message is there; one is there twice only if its answer was lost on the way."""
    found = {}
    for message in dovecot.messages(address):
        for ident in re.findall(rb"^X-Ident: <(.+?)>", message, re.M):
            found[ident.decode()] = found.get(ident.decode(), 0) + 1
    for sender in senders:
        assert [ident for ident in sender.acknowledged if ident not in found] == []
        for ident in (name for name in found if name.rsplit("-", 1)[0] == sender.name):
            assert found[ident] <= (ident in sender.acknowledged) + sender.in_flight[ident], ident
    return sum(found.values()) - len(found)


class Prober(threading.Thread):
    """Signs in again and again, with both kinds of passwords: when did that work?"""

    def __init__(self, door, device):
        super().__init__(daemon=True)
        self.door, self.device = door, device
        self.worked = []  # (begun, ended)
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.is_set():
            began = time.monotonic()
            if all_right(self.door, self.device):
                self.worked.append((began, time.monotonic()))

    def back_after(self, when):
        """Seconds from then to the end of the first sign-in that was begun later and worked."""
        return rig.until(lambda: next((ended - when for began, ended in list(self.worked) if began > when), None),
                         "service", 30)

    def stop(self):
        self.is_over.set()
        self.join(60)


def kill_in_turn(door, device):
    """Each process in turn, every KILL_EVERY seconds, whatever state the others are in. Returns (name, when)."""
    names = [name for name in sorted(pids(door)) if not name.startswith(("parent", "gatepostd"))]
    kills = []
    idle = []
    pause = threading.Event()
    due = time.monotonic()
    for number in range(KILL_SECONDS // KILL_EVERY):
        name = names[number % len(names)]
        idle = [line for line in idle if is_alive(line)]
        while len(idle) < 4:
            idle.append(signed_in(door, device))
        pid = rig.until(lambda n=name: pids(door).get(n), f"{name} to kill")
        held = [line for line in idle if load.holder(line, {name: pid}) is None]
        pause.wait(max(0, due - time.monotonic()))
        os.kill(pid, signal.SIGKILL)
        kills.append((name, time.monotonic()))
        due += KILL_EVERY
        # Sessions of the other processes live on.
        assert all(is_alive(line) for line in held), name
    for line in idle:
        line.close()
    return kills


def test_kill_9_under_load(make_gatepost, dovecot):
    door = make_gatepost({"sending_plan": "free"}, [*rig.dovecot_sections(dovecot), rig.plan("free")])
    device = door.add_device(ALICE[0], "load")
    senders = [load.Sender(door, f"kill{n}", (ALICE[0], device) if n else ALICE, BOB[0]) for n in range(3)]
    readers = [load.Reader(door, (ALICE[0], device)) for _ in range(2)]
    prober = Prober(door, device)
    workers = [*senders, *readers, prober]
    for worker in workers:
        worker.start()
    try:
        kills = kill_in_turn(door, device)
        gaps = {}
        for name, when in kills:
            gaps.setdefault(name.split(".")[0], []).append(prober.back_after(when))
        when = time.monotonic()
        door.kill()
        door.start()
        gaps["gatepostd"] = [prober.back_after(when)]
        done = sum(len(sender.acknowledged) for sender in senders)
        rig.until(lambda: sum(len(s.acknowledged) for s in senders) > done + 5, "messages to go on")
    finally:
        for worker in workers:
            worker.is_over.set()
        for worker in workers:
            worker.stop()
    twice = check_mailbox(dovecot, BOB[0], senders)
    print()
    for name, times in sorted(gaps.items()):
        print(f"{name}: {len(times)} kills, service back after {sorted(times)[len(times) // 2] * 1000:.0f} ms in the "
              f"median, {max(times) * 1000:.0f} at most")
    print(f"{len(kills)} kills in {KILL_SECONDS} s: {sum(len(s.acknowledged) for s in senders)} acknowledged, "
          f"{twice} twice, {sum(sum(s.in_flight.values()) for s in senders)} in flight at a kill, "
          f"{sum(r.sessions for r in readers)} IMAP sessions")
    assert len(kills) == KILL_SECONDS // KILL_EVERY
    assert [answer for worker in senders + readers for answer in worker.refused] == []
    assert sum(reader.sessions for reader in readers) > len(kills)
    assert_nobody_was_wrong(door)


def signed_in(door, device):
    def try_it():
        with contextlib.suppress(*load.BROKEN):
            line = talk.connect(door, "imaps", load.source())
            if talk.is_ok(talk.attempt(line, "imaps", ALICE[0], device)):
                return line
            line.close()
        return None
    return rig.until(try_it, "an IMAP session")


def is_alive(line):
    with contextlib.suppress(*load.BROKEN):
        line.send("n NOOP")
        return line.tagged("n")[-1].startswith("n OK")
    return False


def test_events_outlive_the_vault_that_had_them(make_gatepost, peer):
    door = make_gatepost()
    name, pid = vault(door, "desk")
    os.kill(pid, signal.SIGSTOP)
    assert not any(map(talk.is_ok, talk.wrong(door, peer, 4)))
    os.kill(pid, signal.SIGKILL)
    rig.until(lambda: pids(door).get(name) not in (None, 0, pid), "a new desk vault")
    rig.until(lambda: len(counted(door, peer)) == 4, "the events")
    # Nothing is kept twice when the vault dies after keeping.
    kill_and_wait(door, *vault(door, "desk"))
    assert len(counted(door, peer)) == 4
    # And core has them when it dies itself: the next wrong one is the fifth.
    kill_and_wait(door, "core", pids(door)["core"])
    talk.wrong(door, peer, 1, login="bob@example.test")
    assert [row["source"] for row in door.json("ban", "list")] == [peer]
    assert len(counted(door, peer)) == 5


def test_a_stop_keeps_what_is_on_its_way(make_gatepost):
    """More failures than a vault reads in a turn, and the end at once."""
    door = make_gatepost()
    _, pid = vault(door, "desk")
    os.kill(pid, signal.SIGSTOP)
    sources = [load.source() for _ in range(50)]
    for one in sources:
        talk.wrong(door, one, 2, service="imaps")
    door.process.terminate()
    os.kill(pid, signal.SIGCONT)
    door.process.wait(20)
    door.start()
    assert {one: len(counted(door, one)) for one in sources} == {one: 2 for one in sources}


def kill_everything(door, victims):
    """All at once; victims: of pids(), whose end is the first."""
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    door.process.wait()
    door.process = None
    rig.until(lambda: not any(rig.is_alive(pid) for pid in victims), "the end of all")


def in_order_of_harm(door):
    """The vault that writes first, then the others that it talks with."""
    _, desk = vault(door, "desk")
    return [desk, *(pid for pid in pids(door).values() if pid != desk)]


@pytest.mark.parametrize("what", ["guesses", "ban", "block"])
def test_what_was_reported_outlives_the_end_of_everything(make_gatepost, peer, what):
    """Not one process is left to write down what the others had heard."""
    door = make_gatepost()
    device = door.add_device(ALICE[0], "phone")
    guesser = load.source()
    victims = in_order_of_harm(door)
    talk.wrong(door, guesser, 5)
    if what == "guesses":
        assert [row["source"] for row in door.json("ban", "list")] == [guesser]
    elif what == "ban":
        door.cli("ban", "add", peer)
    else:
        door.cli("device", "revoke", ALICE[0], "--all")
        door.cli("account", "block", BOB[0])
    kill_everything(door, victims)
    door.start()
    if what == "guesses":
        assert [row["source"] for row in door.json("ban", "list")] == [guesser]
        assert len(counted(door, guesser)) == 5
    elif what == "ban":
        assert peer in [row["source"] for row in door.json("ban", "list")]
    else:
        assert talk.signin(door, "imaps", ALICE[0], device, peer).startswith("a NO [AUTHENTICATIONFAILED]")
        assert door.json("account", "show", BOB[0])["blocked_at"] is not None


def test_a_ban_that_cannot_be_kept_is_not_reported_as_kept(make_gatepost, peer):
    door = make_gatepost()
    _, desk = vault(door, "desk")
    os.kill(desk, signal.SIGSTOP)
    result = door.cli_raw("ban", "add", peer)
    assert result.returncode == 75 and "in force" in result.stderr, result
    assert talk.connect(door, "imaps", peer).startswith("* BYE")
    os.kill(desk, signal.SIGCONT)
    rig.until(lambda: door.cli_raw("ban", "add", peer).returncode == 0, "the vault")


# ---- the store ----


def database(door):
    return door.folder / "state/gatepost.db"


def test_a_locked_store_takes_the_events_later(make_gatepost, peer):
    """A backup or an admin holds the write lock longer than a vault waits."""
    door = make_gatepost()
    device = door.add_device(ALICE[0], "phone")
    rig.until(lambda: events(door) is not None, "the journal")
    other = sqlite3.connect(database(door), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert talk.is_ok(talk.signin(door, "imaps", ALICE[0], device, peer))
        assert talk.is_ok(talk.signin(door, "submissions", *ALICE, peer))
        assert talk.signin(door, "pop3s", ALICE[0], "wrong", peer).startswith("-ERR [AUTH]")
        rig.until(lambda: "record_refused" in door.log(), "the vault to give up")
        result = door.cli_raw("account", "passwd", ALICE[0], stdin="another password\n")
        assert result.returncode == 75, result.stderr
    finally:
        other.execute("ROLLBACK")
        other.close()
    rig.until(lambda: len(events(door, "--source", peer)) == 3, "the events, each once")
    assert len(counted(door, peer)) == 1
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE, peer))


def test_a_store_that_cannot_be_read_is_a_temporary_fault(make_gatepost, peer):
    door = make_gatepost()
    device = door.add_device(ALICE[0], "phone")
    with open(f"{database(door)}-shm", "r+b") as shared:
        fcntl.lockf(shared, fcntl.LOCK_EX, 8, 120)  # all of SQLite's WAL but the one for its life
        assert_all_temporary(door, peer, ("imaps", device), ("pop3s", ALICE[1]), ("submissions", "wrong"))
    rig.until(lambda: all_right(door, device), "service")
    assert_nobody_was_wrong(door)


def test_a_store_that_is_gone_makes_nobodys_password_wrong(make_gatepost, peer):
    door = make_gatepost()
    device = door.add_device(ALICE[0], "phone")
    away = door.folder / "away"
    away.mkdir()

    def move(source, target):
        for path in source.glob("gatepost.db*"):
            shutil.move(path, target / path.name)

    move(door.folder / "state", away)
    for row in processes(door):
        if row["name"].startswith("vault"):
            os.kill(row["pid"], signal.SIGKILL)
    # Its vaults find none and must not begin a new one, in which everybody is unknown.
    assert_all_temporary(door, peer, ("imaps", device), ("submissions", ALICE[1]))
    assert not database(door).exists()
    move(away, door.folder / "state")
    rig.until(lambda: all_right(door, device), "service", 30)
    assert_nobody_was_wrong(door)


@pytest.fixture
def small_disk(make_gatepost):
    """A door whose state is on a disk of 2 MiB."""
    door = make_gatepost(start=False)
    state = door.folder / "state"
    keep = {path.name: path.read_bytes() for path in state.iterdir()}
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", state],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("a file system of its own cannot be had here")
    try:
        for name, data in keep.items():
            (state / name).write_bytes(data)
        yield door
    finally:
        door.stop()
        subprocess.run(["umount", state], check=True)


def test_a_full_disk_takes_the_events_later(small_disk, peer):
    door = small_disk
    door.start()
    door.add_account(*ALICE)
    device = door.add_device(ALICE[0], "phone")
    filler = door.folder / "state/filler"
    with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    others = []
    while "record_refused" not in door.log():  # until the write-ahead log may not grow any more
        assert len(others) < 200
        others.append(load.source())
        assert all_right(door, device)
        talk.wrong(door, others[-1], 2)
    assert talk.is_ok(talk.signin(door, "imaps", ALICE[0], device, peer))
    talk.wrong(door, peer, 5)
    assert [row["source"] for row in door.json("ban", "list")] == [peer]
    filler.unlink()
    rig.until(lambda: len(counted(door, peer)) == 5, "the events")
    assert [one for one in others if len(counted(door, one)) != 2] == []
    assert all_right(door, device)
    # The ban has come through too.
    door.kill()
    door.start()
    assert [row["source"] for row in door.json("ban", "list")] == [peer]
    door.advance(31 * 60)
    assert door.json("ban", "list") == []


# ---- descriptors ----


def test_256_descriptors(make_gatepost):
    """More clients than there are descriptors: the oldest that has not signed in gives way; nobody dies of it."""
    door = make_gatepost(start=False)
    door.prefix = ["prlimit", "--nofile=256:256"]
    door.start()
    door.add_account(*ALICE)
    device = door.add_device(ALICE[0], "phone")
    before = pids(door)
    assert "256" in open(f"/proc/{before['front.0']}/limits", encoding="ascii").read()
    held = [signed_in(door, device) for _ in range(20)]
    crowd = []
    for _ in range(700):
        with contextlib.suppress(OSError):
            crowd.append(rig.Line(door.ports["imap"], load.source()))
    for line in crowd:  # until all of them have been let in: else those who follow were older than some
        with contextlib.suppress(*load.BROKEN):
            line.line()
    for service, secret in (("imaps", device), ("submissions", ALICE[1]), ("pop3s", device)):
        answer = load.attempt(door, service, ALICE[0], secret)
        assert talk.is_ok(answer), answer
    assert all(is_alive(line) for line in held)
    # Signed in, there is nobody to give way: then a newcomer waits, and the others go on.
    more = []
    with contextlib.suppress(rig.RigError):
        for _ in range(300):
            more.append(signed_in_at_once(door, device))
            if more[-1] is None:
                break
    assert all(is_alive(line) for line in held)
    for line in crowd + [line for line in more if line is not None]:
        line.close()
    rig.until(lambda: all_right(door, device), "service")
    assert all(is_alive(line) for line in held)
    assert pids(door) == before
    assert_nobody_was_wrong(door)


def signed_in_at_once(door, device):
    with contextlib.suppress(*load.BROKEN):
        line = rig.Line(door.ports["imaps"], load.source(), None)
        line.sock.settimeout(2)
        line.sock = door.tls().wrap_socket(line.sock, server_hostname="mail.example.test")
        if line.line() and talk.is_ok(talk.attempt(line, "imaps", ALICE[0], device)):
            return line
        line.close()
    return None
