# SPDX-License-Identifier: ISC
"""Real servers for the tests: Gatepost, Dovecot and Postfix, each in a temporary folder on loopback, each ended by
its pid. Nothing here knows what a test wants to prove."""

import contextlib
import grp
import itertools
import json
import os
import pathlib
import pwd
import random
import signal
import socket
import ssl
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GATEPOST_BUILD", ROOT / "build"))
SERVICES = ("smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s")
DOORS = (*SERVICES, "https")
IMPLICIT_TLS = {"submissions", "imaps", "pop3s"}
MAIL_UID = 61500  # demo mailboxes belong to a number nobody has
WAIT = 30.0  # seconds that a start or a change may take before a test gives up


class RigError(Exception):
    pass


def _own_ports():
    """Below those that the kernel gives to clients, and of these the share of this one of the pytests side by side."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = range(10000 + worker, 20000, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    return itertools.cycle(random.sample(ports, len(ports)))


_ports = _own_ports()


def free_ports(count):
    """Ports that nobody listens on, all different, and not given away again soon."""
    found = []
    while len(found) < count:
        port = next(_ports)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            found.append(port)
    return found


def until(condition, what, seconds=WAIT):
    """Polls until condition() is true; its value is returned."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise RigError(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(0.02)


def is_open(port, host="127.0.0.1"):
    with contextlib.suppress(OSError):
        with socket.create_connection((host, port), timeout=2):
            return True
    return False


def is_alive(pid):
    """A zombie is not alive."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def end_pid(pid, seconds=10.0):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def fill(template, values):
    text = (ROOT / template).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text


def make_certificate(folder, name, names):
    """A self-signed P-256 certificate; returns (chain, key)."""
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    alternatives = ",".join(f"DNS:{n}" for n in names) + ",IP:127.0.0.1"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", key, "-out", chain, "-days", "30", "-subj", f"/CN={names[0]}",
         "-addext", f"subjectAltName={alternatives}"],
        check=True, capture_output=True)
    return chain, key


class DovecotBase:
    """A private Dovecot; what it is like stands in its template."""

    template = None

    def __init__(self, folder, ports, **values):
        self.folder = folder
        folder.mkdir(parents=True)
        self.ports = dict(zip(ports, free_ports(len(ports))))
        self.is_root = os.geteuid() == 0
        self.mail_uid = MAIL_UID if self.is_root else os.getuid()
        self.mail_gid = MAIL_UID if self.is_root else os.getgid()
        for name in ("mail", "run", "state"):
            (folder / name).mkdir()
        if self.is_root:
            os.chown(folder / "mail", self.mail_uid, self.mail_gid)
        own = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
        (folder / "dovecot.conf").write_text(fill(self.template, {
            "DIR": folder, "MAIL_UID": self.mail_uid, "MAIL_GID": self.mail_gid,
            "INTERNAL_USER": "dovecot" if self.is_root else own[0],
            "INTERNAL_GROUP": "dovecot" if self.is_root else own[1],
            "LOGIN_USER": "dovenull" if self.is_root else own[0],
            "LOGIN_CHROOT": "login" if self.is_root else "",
            **{f"{name.upper()}_PORT": port for name, port in self.ports.items()}, **values,
        }), encoding="utf-8")
        (folder / "users").write_text("", encoding="utf-8")
        self.process = None

    def add_user(self, address, password=""):
        line = f"{address}:{password}:{self.mail_uid}:{self.mail_gid}::{self.folder}/mail/{address}::\n"
        with open(self.folder / "users", "a", encoding="utf-8") as file:
            file.write(line)

    def start(self):
        self.process = subprocess.Popen(
            ["dovecot", "-F", "-c", self.folder / "dovecot.conf"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for port in self.ports.values():
            until(lambda p=port: is_open(p), f"Dovecot on port {port}: {self.log()[-400:]}")
        return self

    def stop(self):
        if self.process is not None:
            end_pid(self.process.pid)
            self.process.wait()
            self.process = None

    def log(self):
        path = self.folder / "dovecot.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def messages(self, address):
        """The raw messages in the inbox of this mailbox, oldest first."""
        found = []
        for part in ("new", "cur"):
            folder = self.folder / "mail" / address / part
            if folder.is_dir():
                found += folder.iterdir()
        return [path.read_bytes() for path in sorted(found, key=lambda path: path.name)]


class Dovecot(DovecotBase):
    """The mail server behind the door: opens a mailbox for Gatepost's token only."""

    template = "contrib/dovecot/demo.conf.in"

    def __init__(self, folder, token_key_dir):
        super().__init__(folder, ("imap", "pop3", "lmtp", "sasl"))
        self.imap_port, self.pop3_port, self.lmtp_port, self.sasl_port = self.ports.values()
        (folder / "token-keys").symlink_to(token_key_dir)
        (folder / "dovecot-oauth2.conf").write_text(
            fill("contrib/dovecot/demo-oauth2.conf.in", {"DIR": folder}), encoding="utf-8")
        with open(folder / "dovecot.conf", "a", encoding="utf-8") as file:  # for Postfix
            file.write(f"service auth {{\n  inet_listener sasl {{\n    port = {self.sasl_port}\n  }}\n}}\n")


class ClassicDovecot(DovecotBase):
    """One with passwords of its own, a master user, TLS and a port for PROXY headers."""

    template = "tests/integration/dovecot-classic.conf.in"

    def __init__(self, folder, certificate, master):
        super().__init__(folder, ("imap", "imaps", "proxy", "pop3", "pop3s"),
                         CERT=certificate[0], KEY=certificate[1])
        (folder / "masters").write_text(f"{master[0]}:{{PLAIN}}{master[1]}\n", encoding="utf-8")


class Postfix:
    """A next hop as doc/postfix.md wants it: XCLIENT for loopback, Dovecot's SASL, delivery to Dovecot."""

    def __init__(self, folder, dovecot, tls=None, xclient=True):
        self.folder = folder
        self.port, = free_ports(1)
        for name in ("conf", "spool", "data"):
            (folder / name).mkdir(parents=True)
        os.chown(folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
        (folder / "conf/main.cf").write_text(fill("tests/integration/postfix-main.cf.in", {
            "DIR": folder,
            "XCLIENT_HOSTS": "127.0.0.0/8" if xclient else "",
            "TLS_LEVEL": "may" if tls else "none",
            "TLS_CERT": tls[0] if tls else "", "TLS_KEY": tls[1] if tls else "",
            "SASL_PORT": dovecot.sasl_port, "TRANSPORT": f"lmtp:inet:127.0.0.1:{dovecot.lmtp_port}",
        }), encoding="utf-8")
        (folder / "conf/master.cf").write_text(
            fill("tests/integration/postfix-master.cf.in", {"PORT": self.port}), encoding="utf-8")

    def start(self):
        # Postfix wants these two beside its configuration.
        for name in ("postfix-files", "dynamicmaps.cf"):
            source = pathlib.Path("/etc/postfix") / name
            if not source.exists():
                source = pathlib.Path("/usr/share/postfix") / name
            if source.exists():
                (self.folder / "conf" / name).write_bytes(source.read_bytes())
        # Into a file, not a pipe: Postfix's master would keep a pipe open for ever.
        with open(self.folder / "start.log", "wb") as log:
            subprocess.run(["postfix", "-c", self.folder / "conf", "start"], stdin=subprocess.DEVNULL,
                           stdout=log, stderr=log, timeout=60, check=False)
        try:
            until(lambda: is_open(self.port), "Postfix")
        except RigError as error:
            said = (self.folder / "start.log").read_text(encoding="utf-8", errors="replace")
            raise RigError(f"{error}: {said}{self.log()[-800:]}") from error
        return self

    def stop(self):
        subprocess.run(["postfix", "-c", self.folder / "conf", "stop"], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)

    def log(self):
        path = self.folder / "maillog"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


CONFIG = """\
hostname = "mail.example.test"
portal_url = "https://mail.example.test/"
default_domain = "example.test"
state_dir = "{folder}/state"
control_socket = "{folder}/gatepost.sock"
front_user = "61501"
pepper_file = "{folder}/pepper.key"
core_user = "61502"
vault_user = "61503"
web_user = "61504"
settable_clock = yes
autoban_loopback = yes
log_level = debug
fronts = {fronts}
slow_vaults = {slow_vaults}
argon2_memory = {argon2_memory}
"""


class Gatepost:
    """One gatepostd with its children. Options and sections are written as in gatepost.conf(5)."""

    def __init__(self, folder, options=None, sections=(), ports=None, listeners=DOORS, fronts=2,
                 listener_options="", arguments=(), https_options=""):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "state").mkdir(exist_ok=True)
        self.ports = ports or dict(zip(listeners, free_ports(len(listeners))))
        self.chain, self.key = make_certificate(
            folder, "main", ["mail.example.test", "localhost", "imap.example.test"])
        # All tests of a door guess at the same account; those about its limit set it.
        self.options = {"argon2_memory": 1024, "slow_vaults": 2, "fronts": fronts, "account_guesses": 1000,
                        **(options or {})}
        self.sections = list(sections)
        self.listener_options = listener_options
        self.https_options = https_options
        self.arguments = list(arguments)  # of gatepostd, besides -c
        self.config = folder / "gatepost.conf"
        self.log_path = folder / "gatepost.log"
        self.process = None
        self.prefix = []  # a command that starts another
        self.write_config()

    def write_config(self):
        options = dict(self.options)
        text = CONFIG.format(folder=self.folder, fronts=options.pop("fronts"),
                             slow_vaults=options.pop("slow_vaults"),
                             argon2_memory=options.pop("argon2_memory"))
        text += "".join(f"{key} = {value}\n" for key, value in options.items())
        text += (f'certificate "main" {{\n  names = {{"mail.example.test"}}\n'
                 f'  chain_file = "{self.chain}"\n  key_file = "{self.key}"\n}}\n')
        for name, port in self.ports.items():
            service = name.split("-")[0]
            own = self.https_options if service == "https" else ""
            text += (f'listener "{name}" {{\n  service = {service}\n  addresses = {{"127.0.0.1", "::1"}}\n'
                     f"  port = {port}\n  {self.listener_options}\n  {own}\n}}\n")
        text += "\n".join(self.sections)
        self.config.write_text(text, encoding="utf-8")

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, BUILD / "gatepostd", "-c", self.config, *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait_serving()
        return self

    def wait_serving(self):
        def serves():
            if self.process.poll() is not None:
                raise RigError(f"gatepostd ended with {self.process.returncode}:\n{self.log()[-3000:]}")
            return all(is_open(port) for port in self.ports.values()) and self.status()
        try:
            until(serves, "Gatepost")
        except RigError as error:
            raise RigError(f"{error}\n{self.log()[-3000:]}") from error

    def status(self):
        result = self.cli_raw("status", "--json")
        if result.returncode != 0:
            return None
        status = json.loads(result.stdout)
        return status if status.get("ready", True) else None

    def stop(self):
        if self.process is not None:
            end_pid(self.process.pid, 15)
            self.process.wait()
            self.process = None

    def kill(self):
        """kill -9 of gatepostd; its children follow."""
        pids = self.pids()
        self.process.kill()
        self.process.wait()
        self.process = None
        until(lambda: not any(is_alive(pid) for pid in pids.values()), "the children's end")

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def pids(self):
        """Name of each process → pid."""
        return {row["name"]: row["pid"] for row in json.loads(self.cli("status", "--json"))["processes"]}

    def cli_raw(self, *args, stdin=""):
        return subprocess.run([BUILD / "gatepost", "--config", self.config, *args], input=stdin,
                              capture_output=True, text=True, timeout=120, check=False)

    def cli(self, *args, stdin=""):
        result = self.cli_raw(*args, stdin=stdin)
        if result.returncode != 0:
            raise RigError(f"gatepost {' '.join(map(str, args))}: exit {result.returncode}: "
                           f"{result.stderr or result.stdout}")
        return result.stdout

    def json(self, *args, stdin=""):
        return json.loads(self.cli(*args, "--json", stdin=stdin))

    def stats(self):
        return self.json("stats")

    def add_account(self, address, password, *args):
        self.cli("account", "add", address, "--create-domain", *args, stdin=password + "\n")

    def add_device(self, address, name, *args):
        return self.json("device", "add", address, name, *args)["password"]

    def advance(self, seconds):
        self.cli("clock", "advance", str(seconds))

    def lift_all(self):
        for row in self.json("ban", "list"):
            self.cli("ban", "remove", row["source"])

    def tls(self):
        context = ssl.create_default_context(cafile=str(self.chain))
        context.check_hostname = False
        return context


def backend(name, protocol, hosts, *lines):
    hosts = ", ".join(f'"{host}"' for host in hosts)
    extra = "".join(f"  {line}\n" for line in lines)
    return f'backend "{name}" {{\n  protocol = {protocol}\n  hosts = {{{hosts}}}\n{extra}}}\n'


def route(domain, **backends):
    lines = "".join(f'  {key} = "{value}"\n' for key, value in backends.items())
    return f'route "{domain}" {{\n{lines}}}\n'


def plan(name, **limits):
    """Limits of sending; what is not given has none."""
    every = dict.fromkeys(("messages_hour", "messages_day", "recipients_hour", "recipients_day", "new_recipients_day"), 0)
    lines = "".join(f"  {key} = {value}\n" for key, value in {**every, **limits}.items())
    return f'plan "{name}" {{\n{lines}}}\n'


def dovecot_sections(dovecot):
    """Everything to and from one Dovecot."""
    return [
        backend("imap", "imap", [f"127.0.0.1:{dovecot.imap_port}"], "auth = token"),
        backend("pop3", "pop3", [f"127.0.0.1:{dovecot.pop3_port}"], "auth = token"),
        backend("lmtp", "lmtp", [f"127.0.0.1:{dovecot.lmtp_port}"]),
        route("*", imap="imap", pop3="pop3", smtp="lmtp"),
    ]


class Line:
    """A bare line dialogue, for what must be right to the byte. peer: the loopback address to come from."""

    def __init__(self, port, peer="127.0.0.1", tls=None, server_name=None, host="127.0.0.1"):
        self.sock = socket.create_connection((host, port), timeout=WAIT, source_address=(peer, 0))
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock, server_hostname=server_name)
        self.pending = b""

    def send(self, text):
        data = text.encode() if isinstance(text, str) else text
        self.sock.sendall(data + b"\r\n")
        return self

    def raw(self, data):
        self.sock.sendall(data)
        return self

    def line(self):
        while b"\r\n" not in self.pending:
            try:
                got = self.sock.recv(65536)
            except (ConnectionResetError, ssl.SSLError):
                got = b""
            if not got:
                if self.pending:
                    raise RigError(f"half a line, then the end: {self.pending!r}")
                return None
            self.pending += got
        line, self.pending = self.pending.split(b"\r\n", 1)
        return line.decode()

    def reply(self):
        """One SMTP reply with all its lines."""
        lines = []
        while True:
            line = self.line()
            if line is None:
                return lines or None
            lines.append(line)
            if line[3:4] != "-":
                return lines

    def tagged(self, tag):
        """IMAP: all lines up to the tagged one."""
        lines = []
        while True:
            line = self.line()
            lines.append(line)
            if line is None or line.startswith(tag + " "):
                return lines

    def ask(self, text):
        self.send(text)
        return self.reply()

    def starttls(self, context, server_name=None):
        self.sock = context.wrap_socket(self.sock, server_hostname=server_name)
        self.pending = b""
        return self

    def is_closed(self):
        return self.line() is None

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
