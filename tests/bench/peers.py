# SPDX-License-Identifier: ISC
"""The servers that are measured, each with a configuration of its own in a folder of its own, all in front of the
same sink. A peer has .name, .group, .ports (imap, imaps, smtp: submission with STARTTLS) and .users (a file of names
and passwords for mailload)."""

import base64
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
import rig  # noqa: E402 (the tests' own helpers)
from groups import Group  # noqa: E402

BUILD = rig.BUILD
TOOLS = BUILD / "tests/bench"
USERS = 100
HOST = "127.0.0.1"
NGINX_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_mail_module.so")


def user(number):
    return f"user{number}@example.test"


class Sink:
    """The mail server behind them all."""

    def __init__(self, folder, size):
        self.imap, self.pop3, self.smtp = rig.free_ports(3)
        self.group = Group(f"sink-{size}")
        self.group.start([TOOLS / "mailsink", str(size), str(self.imap), str(self.pop3), str(self.smtp)],
                         folder / "sink.log")
        rig.until(lambda: rig.is_open(self.smtp), "mailsink")


class Peer:
    def __init__(self, name, folder, services=("imap", "imaps", "smtp")):
        self.name = name
        self.folder = folder / name.replace(" ", "-")
        self.folder.mkdir()
        self.group = Group(self.folder.name)
        self.ports = dict(zip(services, rig.free_ports(len(services))))
        self.helpers = []  # groups whose CPU is this peer's too
        self.users = folder / "users"

    def groups(self):
        return [self.group, *self.helpers]

    def run(self, *command):
        self.group.start(list(command), self.folder / "log")
        for port in self.ports.values():
            rig.until(lambda p=port: rig.is_open(p), f"{self.name}, see {self.folder}/log")

    def settle(self):
        """Until work that was taken over is done."""


class Bare(Peer):
    """A reference line: tests/bench/bare."""

    def __init__(self, name, folder, service, *arguments):
        super().__init__(name, folder, (service,))
        self.run(TOOLS / "bare", arguments[0], str(self.ports[service]), *map(str, arguments[1:]))


class Nginx(Peer):
    """The mail proxy with an authentication service that always gives the same answer."""

    def __init__(self, name, folder, sink, tls, buffer=None):
        super().__init__(name, folder)
        auth, = rig.free_ports(1)
        ports = self.ports
        tuning = f"proxy_buffer {buffer};" if buffer else ""
        (self.folder / "nginx.conf").write_text(f"""
load_module {NGINX_MODULE};
daemon off; worker_processes 2; worker_rlimit_nofile 20000; user www-data;
pid {self.folder}/pid; error_log {self.folder}/error.log error;
events {{ worker_connections 19000; multi_accept on; }}
http {{
  access_log off;
  map $http_auth_protocol $backend {{ imap {sink.imap}; smtp {sink.smtp}; }}
  map $http_auth_pass $verdict {{ pass OK; default "Invalid login or password"; }}
  server {{
    listen {HOST}:{auth}; keepalive_requests 100000;
    location /auth {{
      add_header Auth-Status $verdict; add_header Auth-Server {HOST}; add_header Auth-Port $backend; return 200;
    }}
  }}
}}
mail {{
  server_name mail.example.test; auth_http {HOST}:{auth}/auth; proxy_timeout 30m; timeout 30m; {tuning}
  ssl_certificate {tls[0]}; ssl_certificate_key {tls[1]}; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off;
  imap_auth plain login; smtp_auth plain login; smtp_capabilities "PIPELINING" "8BITMIME" "SIZE 100000000";
  server {{ listen {HOST}:{ports["imap"]} backlog=4096; protocol imap; starttls on; }}
  server {{ listen {HOST}:{ports["imaps"]} ssl backlog=4096; protocol imap; }}
  server {{ listen {HOST}:{ports["smtp"]} backlog=4096; protocol smtp; starttls on; xclient off; }}
}}
""", encoding="utf-8")
        self.run("nginx", "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log")


DOVECOT = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap submission
listen = 127.0.0.1
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
first_valid_uid = 8
mail_location = maildir:{dir}/mail/%u
mail_max_userip_connections = 0
submission_relay_host = 127.0.0.1
submission_relay_port = {smtp_sink}
hostname = mail.example.test
service anvil {{
  client_limit = 19000
}}
service stats {{
  client_limit = 19000
}}
service auth {{
  client_limit = 19000
  inet_listener sasl {{
    address = 127.0.0.1
    port = {sasl}
  }}
}}
service imap-login {{
  {login}
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service submission-login {{
  {login}
  inet_listener submission {{
    port = {smtp}
  }}
}}
userdb {{
  driver = passwd-file
  args = {dir}/users.imap
}}
passdb {{
  driver = passwd-file
  args = {dir}/users.%s
}}
"""


class Dovecot(Peer):
    """Dovecot as a proxy; fast: one login process for many clients, else one for each (the default)."""

    def __init__(self, name, folder, sink, tls, is_fast):
        super().__init__(name, folder)
        self.sasl, = rig.free_ports(1)
        for part in ("run", "state", "mail"):
            (self.folder / part).mkdir()
        for protocol, port in (("imap", sink.imap), ("submission", sink.smtp), ("smtp", sink.smtp)):
            (self.folder / f"users.{protocol}").write_text("".join(
                f"{user(n)}:{{PLAIN}}pass:8:8::/nonexistent::proxy=y host={HOST} port={port} proxy_timeout=60\n"
                for n in range(USERS)), encoding="utf-8")
        login = "\n  ".join(
            ("service_count = 0", "process_min_avail = 2", "process_limit = 2", "client_limit = 15000",
             "vsz_limit = 4G") if is_fast else ("service_count = 1", "process_limit = 6000"))
        (self.folder / "dovecot.conf").write_text(DOVECOT.format(
            dir=self.folder, chain=tls[0], key=tls[1], smtp_sink=sink.smtp, sasl=self.sasl, login=login,
            **self.ports), encoding="utf-8")
        self.run("dovecot", "-F", "-c", self.folder / "dovecot.conf")


class Postfix(Peer):
    """smtpd with Dovecot SASL: in front of the sink (smtpd_proxy_filter), or into its queue and on from there."""

    def __init__(self, name, folder, sink, tls, dovecot, is_filter):
        super().__init__(name, folder, ("smtp",))
        self.helpers = [dovecot.group]
        for part in ("conf", "spool", "data"):
            (self.folder / part).mkdir()
        os.chown(self.folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
        settings = {
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
            "smtp_tls_security_level": "none",
            "default_process_limit": "100",
            "message_size_limit": "50000000",
        }
        if is_filter:
            settings["smtpd_proxy_filter"] = f"{HOST}:{sink.smtp}"
        common = rig.fill("tests/integration/postfix-main.cf.in", {
            "DIR": self.folder, "XCLIENT_HOSTS": "", "TLS_LEVEL": "may", "TLS_CERT": tls[0], "TLS_KEY": tls[1],
            "SASL_PORT": dovecot.sasl, "TRANSPORT": f"smtp:[{HOST}]:{sink.smtp}"})
        # No setting twice: postlogd warns of it to itself, and waits for itself once its queue is full.
        lines = [line for line in common.splitlines() if line.split(" = ")[0] not in settings]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        (self.folder / "conf/main.cf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "conf/master.cf").write_text(rig.fill(
            "tests/integration/postfix-master.cf.in", {"PORT": self.ports["smtp"]}), encoding="utf-8")
        for file in ("postfix-files", "dynamicmaps.cf"):
            for source in (pathlib.Path("/etc/postfix") / file, pathlib.Path("/usr/share/postfix") / file):
                if source.exists():
                    shutil.copy(source, self.folder / "conf" / file)
                    break
        self.run("postfix", "-c", self.folder / "conf", "start-fg")

    def settle(self):
        def is_empty():
            return not any(path.is_file() for part in ("incoming", "active", "deferred", "maildrop")
                           for path in (self.folder / "spool" / part).rglob("*"))
        rig.until(is_empty, "Postfix's queue to be empty", 120)


class Haraka(Peer):
    """Two workers, passwords in the clear, each message handed on before it is accepted (smtp_forward)."""

    @staticmethod
    def program(home):
        return home / "node_modules/Haraka/bin/haraka"

    @classmethod
    def is_installed(cls, home):
        return home is not None and shutil.which("node") is not None and cls.program(home).exists()

    def __init__(self, name, folder, sink, tls, home):
        super().__init__(name, folder, ("smtp",))
        config = {
            "me": "mail.example.test\n",
            "plugins": "tls\nauth/flat_file\nqueue/smtp_forward\n",
            "smtp.ini": f"listen={HOST}:{self.ports['smtp']}\nnodes=2\n",
            "tls.ini": f"key={tls[1]}\ncert={tls[0]}\n",
            "auth_flat_file.ini": "[core]\nmethods=PLAIN\nconstrain_sender=false\n[users]\n" + "".join(
                f"{user(n)}=pass\n" for n in range(USERS)),
            "smtp_forward.ini": f"host={HOST}\nport={sink.smtp}\nenable_outbound=true\n",
        }
        subprocess.run(["node", self.program(home.resolve()), "-i", self.folder], capture_output=True, check=True)
        for file, text in config.items():
            (self.folder / "config" / file).write_text(text, encoding="utf-8")
        self.run("node", self.program(home.resolve()), "-c", self.folder)


class Gatepost(Peer):
    """As it comes: SQLite, events on, its sandbox on; device passwords and main passwords made by the CLI."""

    def __init__(self, name, folder, sink, tls):
        super().__init__(name, folder)
        self.config = self.folder / "gatepost.conf"
        (self.folder / "state").mkdir()
        path = self.folder / "token.key"
        path.write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
        path.chmod(0o600)
        text = f"""
hostname = "mail.example.test"
default_domain = "example.test"
state_dir = "{self.folder}/state"
control_socket = "{self.folder}/socket"
token_key_file = "{self.folder}/token.key"
pepper_file = "{self.folder}/pepper.key"
front_user = "61501"
core_user = "61502"
vault_user = "61503"
autoban_loopback = yes
certificate "main" {{
  chain_file = "{tls[0]}"
  key_file = "{tls[1]}"
}}
"""
        for service, port in self.ports.items():
            text += (f'listener "{service}" {{\n  service = {"submission" if service == "smtp" else service}\n'
                     f'  addresses = {{"{HOST}"}}\n  port = {port}\n'
                     f'  plaintext_networks = {{"127.0.0.0/8"}}\n}}\n')
        text += rig.backend("imap", "imap", [f"{HOST}:{sink.imap}"], "auth = token")
        text += rig.backend("smtp", "smtp", [f"{HOST}:{sink.smtp}"])
        text += rig.route("*", imap="imap", smtp="smtp", plan="free") + rig.plan("free")
        self.config.write_text(text, encoding="utf-8")
        self.run(BUILD / "gatepostd", "-c", self.config)
        rig.until(lambda: self.cli("status", check=False).returncode == 0, "gatepostd")
        self.users = self.folder / "users"
        self.main_users = self.folder / "main-users"
        self.add_users()
        self.cli("sender", "add", "load@example.org", "--domain", "example.test")

    def add_users(self):
        with open(self.users, "w", encoding="utf-8") as devices, \
                open(self.main_users, "w", encoding="utf-8") as mains:
            for number in range(USERS):
                main = os.urandom(16).hex()
                self.cli("account", "add", user(number), "--create-domain", stdin=main + "\n")
                device = json.loads(self.cli("device", "add", user(number), "bench", "--json").stdout)
                devices.write(f"{user(number)} {device['password']}\n")
                mains.write(f"{user(number)} {main}\n")

    def cli(self, *arguments, stdin="", check=True, seconds=60):
        done = subprocess.run([BUILD / "gatepost", "--config", self.config, *arguments], input=stdin,
                              capture_output=True, text=True, timeout=seconds, check=False)
        if check and done.returncode != 0:
            raise rig.RigError(f"gatepost {' '.join(arguments)}: {done.stderr or done.stdout}")
        return done
