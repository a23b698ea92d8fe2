# SPDX-License-Identifier: ISC
"""Every program through every port with every login form and secret it can have, then what each shows when it is
refused. run_all() fills the results; table.py writes them down."""

import concurrent.futures
import dataclasses
import re
import time

import program
import rig
from door import RECIPIENT, Door

# What people type into the box for the user name.
FORMS = {
    "address": lambda name: f"{name}@example.test",
    "local part": lambda name: name,
    "user%domain": lambda name: f"{name}%example.test",
    "UPPER CASE": lambda name: f"{name}@example.test".upper(),
}
# And into the one for the password.
SECRETS = {
    "main": lambda main, device: main,
    "device": lambda main, device: device,
    "with spaces": lambda main, device: device.replace("-", " "),
    "without hyphens": lambda main, device: device.replace("-", ""),
}
WRONG = "Not the password 1"
WORKERS = 4
TAIL = 400  # characters of a program's output in a fault
WORDS = {
    "wrong password": "Wrong name or password. If two-factor sign-in is on, use a device password: ",
    "banned": "is blocked for ",
    "blocked": "has been blocked from sending due to abusive activity.",
}


@dataclasses.dataclass
class Try:
    service: str
    form: str
    secret: str
    ok: bool
    shown: str


@dataclasses.dataclass
class Refusal:
    kind: str  # a key of WORDS
    service: str
    shown: str
    passed: bool  # it got through: a fault
    attempts: int = 0  # sign-ins that the door counted for this one task

    def is_told(self, portal):
        """Does the person see what the door said, with the portal's address where it has one?"""
        flat = " ".join(self.shown.split()).lower()  # one program shouts
        return WORDS[self.kind].lower() in flat and (self.kind == "blocked" or portal in flat)


@dataclasses.dataclass
class Result:
    name: str
    version: str = ""
    services: tuple = ()
    note: str = ""
    tries: list = dataclasses.field(default_factory=list)
    refusals: list = dataclasses.field(default_factory=list)
    mechanisms: set = dataclasses.field(default_factory=set)
    tls: set = dataclasses.field(default_factory=set)
    set_up: Try = None
    portal: str = ""
    seconds: float = 0
    error: str = ""

    def faults(self):
        """What must not be, in words."""
        found = [self.error] if self.error else []
        for done in [*self.tries, *([self.set_up] if self.set_up else [])]:
            if not done.ok:
                found.append(f"{done.service}, {done.form}, {done.secret}: {done.shown[-TAIL:]!r}")
        for refusal in self.refusals:
            if refusal.passed:
                found.append(f"{refusal.service}, {refusal.kind}: it got through")
            if refusal.kind == "wrong password" and not refusal.attempts:
                found.append(f"{refusal.service}, {refusal.kind}: the door saw no sign-in: {refusal.shown[-TAIL:]!r}")
        if self.tls - {"TLSv1.2", "TLSv1.3"}:
            found.append(f"TLS: {self.tls}")
        return found


class Visit:
    """One program at the door."""

    def __init__(self, driver, door, number, folder):
        self.driver = driver
        self.door = door
        self.folder = folder
        self.number = number
        self.name = re.sub(r"\W", "", driver.name).lower()
        self.tasks = 0
        self.sent = {}  # subject → the try or refusal it belongs to
        self.main, self.device, self.marker = door.add_account(self.name, number)
        self.source = f"127.77.0.{number}"
        self.result = Result(driver.name, services=driver.services, note=driver.note, portal=door.portal)

    def task(self, service, login, secret):
        self.tasks += 1
        home = self.folder / f"{self.tasks}"
        home.mkdir(parents=True)
        sends = service in program.SENDING
        return program.Task(service, self.door.lanes[self.name].ports[service], login, secret,
                            f"{self.name}@example.test", RECIPIENT,
                            f"sent-{self.name}-{self.tasks}-end" if sends else self.marker, self.door.authority, home)

    def perform(self, task):
        if task.service in program.SENDING:
            return self.driver.send(task)
        return self.driver.fetch(task)

    def good(self):
        """Over the ports of a program each form meets each secret, where it has four ports; every port sees every
        form and every secret."""
        ways = []
        for row, service in enumerate(self.driver.services):
            for column, (form, spell) in enumerate(FORMS.items()):
                kind = list(SECRETS)[(row + column) % len(SECRETS)]
                task = self.task(service, spell(self.name), SECRETS[kind](self.main, self.device))
                ways.append((task, Try(service, form, kind, False, "")))
        with concurrent.futures.ThreadPoolExecutor(self.driver.at_once) as pool:
            outputs = list(pool.map(self.perform, [task for task, _ in ways]))
        for (task, done), shown in zip(ways, outputs):
            done.shown = shown
            done.ok = self.marker in shown
            self.result.tries.append(done)
            if task.service in program.SENDING:
                self.sent[task.subject] = done
        if self.driver.set_up is not None:
            task = self.task("submissions", f"{self.name}@example.test", self.device)
            shown = self.driver.set_up(task)
            if self.marker not in shown:
                self.result.error = f"it did not set itself up: {shown}"
            self.sent[task.subject] = Try("autoconfig", "address", "device", True, shown)
            self.result.set_up = self.sent[task.subject]
        for row in self.door.signins(self.name + "@example.test"):
            self.result.mechanisms.add(row["mechanism"])
            self.result.tls.add(row.get("tls") or "none")

    def one_port_each(self):
        """The best port of each protocol that the program can."""
        for services in (program.SENDING, program.IMAP, program.POP3):
            able = [service for service in services if service in self.driver.services]
            if able:
                yield able[-1]

    def refuse(self, kind, services, secret):
        for service in services:
            before = len(self.door.signins_from(self.source))
            task = self.task(service, f"{self.name}@example.test", secret)
            shown = self.perform(task)
            refusal = Refusal(kind, service, shown, self.marker in shown)
            refusal.attempts = len(self.door.signins_from(self.source)) - before
            self.result.refusals.append(refusal)
            if service in program.SENDING:
                self.sent[task.subject] = refusal
            if kind == "wrong password":
                self.door.lift(self.source)  # some programs try one password several times

    def run(self):
        start = time.monotonic()
        try:
            self.result.version = self.driver.version()
            self.driver.open(self.folder, self.door)
            try:
                self.good()
                self.refuse("wrong password", self.one_port_each(), WRONG)
                sending = [s for s in self.one_port_each() if s in program.SENDING]
                self.door.cli("account", "block", f"{self.name}@example.test", "--reason", "matrix")
                self.refuse("blocked", sending, self.main)
                self.door.ban(self.source, f"{self.name}@example.test")
                self.refuse("banned", self.one_port_each(), self.main)
            finally:
                self.driver.close()
        except Exception as error:  # pylint: disable=broad-except
            # One program's trouble is no other's; the test shows it.
            self.result.error = f"{type(error).__name__}: {error}"
        self.result.seconds = time.monotonic() - start
        return self.result

    def settle(self, received):
        """What arrived decides, once everybody is done."""
        for subject, what in self.sent.items():
            if isinstance(what, Try):
                what.ok = subject in received
            else:
                what.passed = subject in received


def run_all(folder, drivers):
    """Name of each driver → its Result."""
    door = Door(folder / "door")
    try:
        door.start()
        door.add_mailboxes([re.sub(r"\W", "", d.name).lower() for d in drivers])
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            def visit(numbered):
                number, driver = numbered
                made = Visit(driver, door, number + 1, folder / re.sub(r"\W", "", driver.name).lower())
                made.run()
                return made
            visits = list(pool.map(visit, enumerate(drivers)))
        wanted = {subject for v in visits for subject, what in v.sent.items() if isinstance(what, Try)}
        try:
            rig.until(lambda: all(subject in door.received() for subject in wanted), "mail", 5)
        except rig.RigError:
            pass  # the table says which
        received = door.received()
        for made in visits:
            made.settle(received)
        return {made.result.name: made.result for made in visits}
    finally:
        door.stop()
