# SPDX-License-Identifier: ISC
"""Children of gatepostd that have been taken over (tests/acting): what they do is refused or fatal to them, gatepostd
starts them again, and the rest goes on."""

import itertools
import os
import re
import signal
import socket

import browse
import pytest
import rig
import talk
from conftest import ALICE

_folders = itertools.count()
REFUSED, FATAL, CUT = "refused", "fatal", "cut"
# The sanitizers' reports try to start a symbolizer, so in their builds a process is refused instead (privsep/filter.c).
FORK = REFUSED if "ASAN_OPTIONS" in os.environ else FATAL
FRONT_ACTS = {
    # files
    "open_store": REFUSED, "open_passwd": REFUSED, "create_file": REFUSED, "reopen_fd": REFUSED, "memfd": FATAL,
    # the network, also by a socket from before the jail
    "socket": FATAL, "unix_socket": FATAL, "connect": FATAL, "fast_open": FATAL, "bind": FATAL, "listen": FATAL,
    "dial_elsewhere": REFUSED, "dial_mailbox": REFUSED,
    # other processes
    "exec": FATAL, "fork": FORK, "ptrace": FATAL, "read_memory": FATAL, "kill": FATAL, "kill_all": FATAL,
    "raise_limit_of_other": FATAL,
    # the kernel
    "io_uring": FATAL, "bpf": FATAL, "map_code": FATAL, "make_code": FATAL, "become_root": FATAL, "namespace": FATAL,
    "chroot": FATAL, "dumpable": FATAL, "keyboard": REFUSED,
    # the ban map
    "map_bans_writable": REFUSED, "make_bans_writable": REFUSED, "write_bans": REFUSED,
    # channels
    "signin_foreign": CUT, "mail_foreign": CUT, "resume_foreign": CUT, "resume_late": CUT, "take_session_id": CUT,
    "want_mailbox": CUT,
    "ask_like_core": CUT, "ask_like_cli": CUT, "accuse": CUT, "babble_to_peer": CUT, "babble_to_parent": CUT,
    "send_long_to_peer": CUT, "send_long_to_parent": CUT,
}


def libexec(folder):
    """A directory in which each child is the acting one until it is told nothing any more."""
    folder.mkdir()
    for name in ("gatepost-front", "gatepost-core", "gatepost-vault", "gatepost-web"):
        (folder / name).symlink_to(rig.BUILD / "tests/acting/acting")
        (folder / f"{name}.true").symlink_to(rig.BUILD / name)
    return folder


def full_name(worker):
    """As the log names it: there is one core only, and the status lists it without a number."""
    return "core.0" if worker == "core" else worker


def take_over(door, folder, acts):
    """{worker: act}: each is killed, and does its act when it comes back. Returns what became of each."""
    before = len(door.log())
    pids = door.pids()
    for worker, act in acts.items():
        role, _, index = full_name(worker).partition(".")
        (folder / f"gatepost-{role}.{index}").write_text(act, encoding="ascii")
    for worker in acts:
        os.kill(pids[worker], signal.SIGKILL)
    rig.until(lambda: not list(folder.glob("*.[0-9]*")), "every act begun")
    return {worker: rig.until(lambda w=worker, a=act: outcome(door.log()[before:], full_name(w), a), f"the end of {act}")
            for worker, act in acts.items()}


def outcome(log, worker, act):
    assert f"event=act_done act={act}" not in log, act
    if re.search(rf"event=act_(refused|over) act={act}\b", log):
        return REFUSED
    if re.search(rf'event=worker_killed worker={re.escape(worker)} why="it broke the rules of (its|the) channel', log):
        return CUT
    if re.search(rf'event=worker_crashed worker={re.escape(worker)} signal="Bad system call"', log):
        return FATAL
    return None


def serves(door, workers):
    """Everybody is back, honest, and lets alice in."""
    def is_back():
        pids = door.pids()
        return all(worker in pids and rig.is_alive(pids[worker]) for worker in workers)
    rig.until(is_back, "every worker")
    for service in ("imaps", "submissions", "pop3s") * 3:
        rig.until(lambda s=service: talk.is_ok(talk.signin(door, s, *ALICE)), f"a sign-in on {service}")


@pytest.fixture
def taken(make_gatepost, workdir):
    folder = libexec(workdir / f"libexec-{next(_folders)}")

    def make(**more):
        return make_gatepost(arguments=["--libexec", folder], **more), folder
    return make


def test_what_a_front_may_not(taken):
    door, folder = taken(fronts=len(FRONT_ACTS) + 2)
    workers = door.pids()
    with talk.connect(door, "imaps", "127.73.0.1") as line:
        assert talk.is_ok(talk.attempt(line, "imaps", *ALICE))
        holder = {row["pid"]: row["name"] for row in door.json("status")["processes"]}
        busy = front_of(line, holder)
        fronts = [name for name in workers if name.startswith("front.") and name != busy]
        acts = dict(zip(fronts, ["hold_session", *FRONT_ACTS]))
        # A core that has just started believes a front that says who has signed in.
        door.advance(3600)
        ends = take_over(door, folder, acts)
        assert {acts[worker]: end for worker, end in ends.items() if acts[worker] != "hold_session"} == FRONT_ACTS
        # The session on the front that nobody has touched never noticed, and core and vaults are who they were.
        line.send("b NOOP")
        assert line.tagged("b")[-1].startswith("b OK")
    serves(door, workers)
    now = door.pids()
    assert {name: pid for name, pid in now.items() if not name.startswith("front.")} == {
        name: pid for name, pid in workers.items() if not name.startswith("front.")}
    assert door.json("ban", "list") == []


def front_of(line, holder):
    """Name of the front whose connection this is."""
    mine = line.sock.getsockname()
    for pid, name in holder.items():
        if name.startswith("front.") and mine[1] in ports_of(pid):
            return name
    raise rig.RigError("nobody has the connection")


def ports_of(pid):
    """Remote ports of the TCP connections of a process."""
    inodes = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        target = os.readlink(entry.path)
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as file:
        rows = [row.split() for row in file.readlines()[1:]]
    return {int(row[2].split(":")[1], 16) for row in rows if row[9] in inodes}


@pytest.mark.parametrize("role,act", [("vault", "babble_to_peer"), ("vault", "babble_to_parent"),
                                      ("vault", "ask_like_core"), ("vault", "send_long_to_peer"),
                                      ("core", "babble_to_parent"), ("core", "send_long_to_parent")])
def test_babble_of_the_others(taken, role, act):
    """Only who babbled dies, and comes back."""
    door, folder = taken()
    workers = door.pids()
    first = sorted(name for name in workers if name.startswith(role))[0]
    assert take_over(door, folder, {first: act}) == {first: CUT}
    rig.until(lambda: door.cli_raw("status").returncode == 0, "core")
    serves(door, workers)
    now = door.pids()
    assert [name for name in workers if now[name] != workers[name]] == [first]


def test_what_web_may_not(taken):
    """One act after the other, for there is one web only; mail and core go on."""
    door, folder = taken()
    workers = door.pids()
    # Few of them: each ends two processes, and gatepostd waits longer each time.
    acts = {"ask_like_cli": CUT, "babble_to_peer": CUT, "exec": FATAL}
    for act, end in acts.items():
        assert take_over(door, folder, {"web.0": act}) == {"web.0": end}
        rig.until(lambda: browse.Browser(door).get("/api/v1/session").status == 200, "the portal")
    now = door.pids()
    assert [name for name in workers if now[name] != workers[name]] == ["web.0"]


def test_babble_on_the_control_socket(gatepost):
    """One who babbles there is cut off; core and everybody else do not notice."""
    workers = gatepost.pids()
    for size in (0, 1, 7, 100, 4000, 16384, 16385, 60000):
        for _ in range(8):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
                sock.settimeout(20)
                sock.connect(str(gatepost.folder / "gatepost.sock"))
                sock.send(os.urandom(size))
                sock.shutdown(socket.SHUT_WR)
                try:
                    assert sock.recv(100) == b""
                except ConnectionResetError:
                    pass
    assert gatepost.pids() == workers
