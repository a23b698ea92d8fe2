# SPDX-License-Identifier: ISC
"""The door that the programs come to: ./quickstart as everybody starts it, an account for each program, and for each
program a lane, so that it has an address of its own as a person's computer has."""

import asyncio
import contextlib
import json
import os
import smtplib
import ssl
import subprocess
import threading
import time

import rig

PORTS = {"submission": 587, "submissions": 465, "imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995}
NAMES = ("mail.example.test", "localhost", "example.test", "autoconfig.example.test", "autodiscover.example.test")
RECIPIENT = "bob@example.test"
START = 300  # seconds: it may have to build


class Lane:
    """Takes connections on ports of its own and goes on to the door from one loopback address. Bytes pass as they
    are: TLS is between the program and the door."""

    def __init__(self, loop, source, ports):
        self.loop = loop
        self.source = source
        self.ports = {}
        self.servers = []
        for service, port in ports.items():
            server = asyncio.run_coroutine_threadsafe(self.serve(port), loop).result(rig.WAIT)
            self.servers.append(server)
            self.ports[service] = server.sockets[0].getsockname()[1]

    async def serve(self, port):
        async def on_client(reader, writer):
            with contextlib.suppress(OSError):
                door = await asyncio.open_connection("127.0.0.1", port, local_addr=(self.source, 0))
                await asyncio.gather(self.pump(reader, door[1]), self.pump(door[0], writer))

        return await asyncio.start_server(on_client, "127.0.0.1", 0)

    @staticmethod
    async def pump(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()


class Door:
    def __init__(self, folder):
        self.folder = folder
        self.demo = {}
        self.context = None
        self.authority = None  # that signed the door's certificate
        self.lanes = {}
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def start(self):
        (self.folder / "tls").mkdir(parents=True)
        self.folder.chmod(0o755)
        self.make_certificate(self.folder / "tls")
        self.quickstart("--port-base", str(self.free_base()), "--detach")
        self.demo = json.loads((self.folder / "demo.json").read_text(encoding="utf-8"))
        self.context = ssl.create_default_context(cafile=str(self.authority))
        self.context.check_hostname = False  # it is asked for by its number
        self.thread.start()
        return self

    def stop(self):
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
        if self.folder.exists():
            self.quickstart("--stop")

    def quickstart(self, *arguments):
        with open(self.folder / "quickstart.log", "ab") as log:  # no pipe: what it leaves running would keep it open
            done = subprocess.run([rig.ROOT / "quickstart", "--dir", self.folder, *arguments], check=False,
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=START)
        if done.returncode != 0:
            text = (self.folder / "quickstart.log").read_text(encoding="utf-8", errors="replace")
            raise rig.RigError(f"quickstart {arguments}: {text[-2000:]}")

    def make_certificate(self, folder):
        """For quickstart, which takes what is there: by an authority, which programs can be told to trust."""
        own, own_key = rig.make_certificate(folder, "authority", ["Authority of the tests"])
        self.authority = own
        names = ",".join(f"DNS:{name}" for name in NAMES)
        subprocess.run(
            ["openssl", "req", "-x509", "-CA", own, "-CAkey", own_key, "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days",
             "30", "-subj", f"/CN={NAMES[0]}", "-addext", f"subjectAltName={names},IP:127.0.0.1", "-addext",
             "basicConstraints=critical,CA:FALSE"], check=True, capture_output=True)

    @staticmethod
    def free_base():
        """All that quickstart listens on lies between base + 25 and base + 1143."""
        for step in range(40):
            base = 20000 + (os.getpid() + step * 7) % 8 * 1500
            if not any(rig.is_open(base + offset) for offset in (25, 1024, 1110, 1143, *PORTS.values())):
                return base
        raise rig.RigError("no free ports for quickstart")

    def cli(self, *arguments, stdin=""):
        done = subprocess.run([self.demo["cli"], "--config", self.demo["config"], "--json", *arguments], input=stdin,
                              capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise rig.RigError(f"gatepost {arguments}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    @property
    def portal(self):
        return self.demo["portal_url"]

    def add_mailboxes(self, names):
        """Before the first mail: Dovecot looks at its users once a second at most."""
        users = self.folder / "dovecot/users"
        rows = users.read_text(encoding="utf-8")
        pattern = rows.splitlines()[0]
        old = pattern.split("@")[0]
        added = "".join(pattern.replace(f"{old}@", f"{name}@") + "\n" for name in names)
        users.write_text(rows + added, encoding="utf-8")
        stamp = time.time() + 2  # a file of the same second and another size is new to it, and this is plainer
        os.utime(users, (stamp, stamp))

    def add_account(self, name, number):
        """An account with a main and a device password, one letter in its inbox, and a lane to the door. Returns
        (main password, device password, marker of the letter)."""
        address = f"{name}@example.test"
        main = f"Tall pine 7+{name}"
        self.cli("account", "add", address, stdin=main + "\n")
        marker = f"letter-for-{name}"
        self.deliver(address, marker)  # the first of the inbox: the second tells of the device password
        device = self.cli("device", "add", address, "matrix")["password"]
        self.lanes[name] = Lane(self.loop, f"127.77.0.{number}", {s: self.demo["ports"][s] for s in PORTS})
        return main, device, marker

    def deliver(self, address, marker):
        """By port 25, as another server would."""
        with smtplib.SMTP("127.0.0.1", self.demo["ports"]["smtp"], timeout=rig.WAIT) as server:
            server.sendmail("friend@elsewhere.test", [address],
                            f"From: friend@elsewhere.test\r\nTo: {address}\r\nSubject: {marker}\r\n\r\nhello\r\n")

    def received(self):
        """All that is in the mailbox that the programs write to."""
        found = b""
        for part in ("new", "cur"):
            for path in (self.folder / "dovecot/mail" / RECIPIENT / part).glob("*"):
                found += path.read_bytes()
        return found.decode("utf-8", "replace")

    def signins(self, account):
        return self.cli("signin", "list", "--account", account, "--outcome", "ok", "--limit", "500")

    def signins_from(self, source):
        """Those that failed, newest first."""
        return self.cli("signin", "list", "--source", source, "--outcome", "denied", "--limit", "500")

    def lift(self, source):
        """A ban, if there is one, and what was counted."""
        self.cli("ban", "remove", source)

    def ban(self, source, login):
        """As a person gets one: wrong passwords, until the door closes."""
        for number in range(20):
            try:
                server = smtplib.SMTP_SSL("127.0.0.1", self.demo["ports"]["submissions"], timeout=rig.WAIT,
                                          source_address=(source, 0), context=self.context)
            except smtplib.SMTPConnectError:
                return
            try:
                server.login(login, f"guess {number}")
            except smtplib.SMTPException:
                pass
            finally:
                server.close()
        raise rig.RigError(f"{source} is not banned")
