# SPDX-License-Identifier: ISC
"""What a driver is: one class for each mail program, in programs/.

A driver says what its program can do and does it: send() and fetch() take a Task, start the program the way a person
or a script would have set it up, and return what the program showed. Whether the mail arrived is judged elsewhere, by
the mailbox and by what the program brought, never by its exit code."""

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import pty
import pwd
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

SENDING = ("submission", "submissions")
IMAP = ("imap", "imaps")
POP3 = ("pop3", "pop3s")
IMPLICIT = ("submissions", "imaps", "pop3s")
SECONDS = 20  # that a program may take for one task


class Missing(Exception):
    """The program is not installed."""


@dataclasses.dataclass(frozen=True)
class Task:
    service: str  # as in gatepost.conf
    port: int  # on host
    login: str
    secret: str
    address: str  # the account's own
    recipient: str
    subject: str  # of what is to be sent, or of what is in the inbox; a word of its own
    authority: pathlib.Path  # that signed the door's certificate
    home: pathlib.Path  # an empty folder
    host: str = "localhost"  # also in the certificate

    @property
    def is_implicit(self):
        """TLS from the first byte; else STARTTLS or STLS."""
        return self.service in IMPLICIT

    @property
    def is_imap(self):
        return self.service in IMAP

    def letter(self):
        return f"From: {self.address}\nTo: {self.recipient}\nSubject: {self.subject}\n\nhello\n"

    def write(self, name, text):
        """A file in the home that only its owner may read, as programs want it where a password stands."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path


class Program:
    name = ""
    package = ""  # Debian's, or npm's name and "npm"
    services = ()
    note = ""  # what else there is to say in the table
    at_once = 1  # tasks
    set_up = None  # of those that find the settings themselves: as send(), and returns what came in as well

    def version(self):
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", self.package], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Missing(f"{self.name}: the package {self.package} is not installed; ./test installs it")
        return done.stdout

    def open(self, folder, door):
        """Before the first task; for programs that stay."""

    def close(self):
        """After the last task."""

    def send(self, task):
        raise NotImplementedError

    def fetch(self, task):
        raise NotImplementedError


def environment(home, **more):
    """Nothing of the person who runs the tests: no settings, no agents, no proxies."""
    return {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "xterm",
            "USER": pwd.getpwuid(os.getuid()).pw_name, "XDG_RUNTIME_DIR": str(home), "TMPDIR": str(home), **more}


def run(task, *command, stdin="", seconds=SECONDS, **env):
    """What the command writes to both outputs. It and what it started end when the time is up."""
    if shutil.which(str(command[0])) is None:
        raise Missing(f"{command[0]} is not installed; ./test installs it")
    with subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, cwd=task.home, env=environment(task.home, **env),
                          start_new_session=True) as process:
        try:
            output = process.communicate(stdin.encode(), timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            end_group(process)
            output = process.communicate()[0] + b"\n(ended: it took too long)"
    return output.decode("utf-8", "replace")


def end_group(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Screen:
    """A program on a terminal of its own; what it wrote is kept."""

    CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]|[\x00-\x08\x0e-\x1f]")

    SIZE = (40, 250)  # a refusal fits on one line

    def __init__(self, task, *command, **env):
        self.text = ""
        self.seen = 0
        pid, self.fd = pty.fork()
        if pid == 0:
            try:
                os.chdir(task.home)
                os.execvpe(command[0], [str(c) for c in command],
                           environment(task.home, LINES=str(self.SIZE[0]), COLUMNS=str(self.SIZE[1]), **env))
            finally:
                os._exit(127)
        self.pid = pid
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", *self.SIZE, 0, 0))
        self.end = time.monotonic() + SECONDS

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def type(self, keys):
        self.seen = len(self.text)
        os.write(self.fd, keys.encode())

    def wait(self, *patterns):
        """Until one of these is on the screen since the last key; returns which, or -1 at the end."""
        while True:
            for number, pattern in enumerate(patterns):
                if re.search(pattern, self.text[self.seen:]):
                    return number
            left = self.end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return -1
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return -1
            if not data:
                return -1
            self.text += self.CONTROL.sub(" ", data.decode("utf-8", "replace"))
