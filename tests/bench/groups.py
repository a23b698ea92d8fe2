# SPDX-License-Identifier: ISC
"""Processes that are measured together: what CPU they have used and what memory is theirs, children and those who
went into the background included."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

V1 = pathlib.Path("/sys/fs/cgroup/cpuacct")
V2 = pathlib.Path("/sys/fs/cgroup")
TICKS = os.sysconf("SC_CLK_TCK")


def _cgroup_root():
    for root, proof in ((V1, "cpuacct.usage"), (V2, "cgroup.controllers")):
        if (root / proof).exists() and os.access(root, os.W_OK):
            return root
    return None


def _stat(pid):
    """(parent, CPU ticks, those of reaped children) of a process."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])


class Group:
    """One server with all its processes: a control group of its own if there are any, else the tree below what was
    started (which must then stay in the foreground). All that were made are in Group.all."""

    all = []

    def __init__(self, name):
        root = _cgroup_root()
        self.name = name
        self.folder = root / f"gatepost-bench-{os.getpid()}-{name}" if root else None
        self.is_v1 = root == V1
        self.started = []
        if self.folder:
            self.folder.mkdir()
        Group.all.append(self)

    def start(self, command, log):
        def join():
            if self.folder:
                (self.folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

        with open(log, "ab") as file:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                       preexec_fn=join, start_new_session=True)
        self.started.append(process)
        return process

    def pids(self):
        if self.folder:
            return [int(pid) for pid in (self.folder / "cgroup.procs").read_text().split()]
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    parents.setdefault(_stat(entry)[0], []).append(int(entry))
        found, waiting = [], [process.pid for process in self.started]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            waiting += parents.get(pid, [])
        return found

    def cpu(self):
        """CPU seconds used so far."""
        if self.folder and self.is_v1:
            return int((self.folder / "cpuacct.usage").read_text()) / 1e9
        if self.folder:
            for line in (self.folder / "cpu.stat").read_text().splitlines():
                if line.startswith("usage_usec"):
                    return int(line.split()[1]) / 1e6
        ticks = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                ticks += sum(_stat(pid)[1:])
        return ticks / TICKS

    def pss_kib(self):
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        return total

    def stop(self):
        for process in self.started:
            if process.poll() is None:
                process.terminate()
        end = time.monotonic() + 10
        while time.monotonic() < end and self._reap():
            time.sleep(0.05)
        for pid in self._reap():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.started:
            process.wait()
        while self.folder and self._reap():
            time.sleep(0.05)
        if self.folder:
            self.folder.rmdir()

    def _reap(self):
        """Those that live on."""
        alive = [process.pid for process in self.started if process.poll() is None]
        return self.pids() if self.folder else alive
