# SPDX-License-Identifier: ISC
"""Real mail programs through the door, unattended."""

import json
import os
import shutil
import subprocess

import pytest
import rig
from conftest import ALICE, BOB


@pytest.fixture
def home(tmp_path):
    tmp_path.chmod(0o700)
    return tmp_path


def run(home, *command, stdin="", timeout=60, env=None, ok=(0,)):
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **(env or {})}
    result = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout,
                            cwd=home, env=environment, check=False)
    assert result.returncode in ok, f"{command}: {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout + result.stderr


def arrived(dovecot, marker, address=BOB[0]):
    return rig.until(lambda: [m for m in dovecot.messages(address) if marker.encode() in m], marker)


def mail(subject):
    return f"From: {ALICE[0]}\nTo: {BOB[0]}\nSubject: {subject}\n\nhello\n"


@pytest.mark.parametrize("mode", ["submission-PLAIN", "submission-LOGIN", "submissions-PLAIN"])
def test_swaks(gatepost, dovecot, home, mode):
    service, mechanism = mode.split("-")
    tls = ["--tls-on-connect"] if service == "submissions" else ["--tls"]
    secret = home / "secret"
    secret.write_text(ALICE[1], encoding="ascii")
    output = run(home, "swaks", "--server", "127.0.0.1", "--port", str(gatepost.ports[service]), *tls,
                 "--auth", mechanism, "--auth-user", "alice", "--auth-password", ALICE[1],
                 "--from", ALICE[0], "--to", BOB[0], "--header", f"Subject: swaks-{mode}", "--suppress-data")
    assert "235 2.7.0" in output
    arrived(dovecot, f"swaks-{mode}")


def test_msmtp(gatepost, dovecot, home):
    (home / ".msmtprc").write_text(f"""account default
host 127.0.0.1
port {gatepost.ports['submission']}
tls on
tls_starttls on
tls_certcheck off
auth on
user alice@example.test
passwordeval "echo '{ALICE[1]}'"
from alice@example.test
""", encoding="ascii")
    (home / ".msmtprc").chmod(0o600)
    run(home, "msmtp", BOB[0], stdin=mail("msmtp-1"))
    arrived(dovecot, "msmtp-1")


def test_curl(gatepost, dovecot, home):
    (home / "mail").write_text(mail("curl-1").replace("\n", "\r\n"), encoding="ascii")
    credentials = home / "curlrc"
    credentials.write_text(f'user = "alice:{ALICE[1]}"\n', encoding="ascii")
    common = ["curl", "-sS", "--cacert", str(gatepost.chain), "-K", str(credentials),
              "--resolve", f"localhost:{gatepost.ports['submissions']}:127.0.0.1"]
    run(home, *common, f"smtps://localhost:{gatepost.ports['submissions']}", "-k", "--mail-from", ALICE[0],
        "--mail-rcpt", ALICE[0], "-T", "mail")
    arrived(dovecot, "curl-1", ALICE[0])
    listing = run(home, *common, "-k", f"imaps://localhost:{gatepost.ports['imaps']}/", "-X", "STATUS INBOX (MESSAGES)")
    assert "MESSAGES" in listing
    run(home, *common, "-k", f"pop3s://localhost:{gatepost.ports['pop3s']}/")


def test_mutt(gatepost, dovecot, home):
    (home / "muttrc").write_text(f"""set from="alice@example.test"
set realname="Alice"
set use_from=yes
set ssl_starttls=yes
set ssl_force_tls=yes
set certificate_file="{gatepost.chain}"
set ssl_verify_host=no
set smtp_url="smtp://alice@localhost:{gatepost.ports['submission']}/"
set smtp_pass="{ALICE[1]}"
set copy=no
set spoolfile="/dev/null"
""", encoding="ascii")
    run(home, "mutt", "-F", "muttrc", "-s", "mutt-1", "--", BOB[0], stdin="hello\n")
    arrived(dovecot, "mutt-1")


def test_mbsync(gatepost, dovecot, home):
    (home / "store").mkdir()
    (home / "mbsyncrc").write_text(f"""IMAPAccount a
Host localhost
Port {gatepost.ports['imaps']}
User alice@example.test
PassCmd "echo '{ALICE[1]}'"
SSLType IMAPS
CertificateFile {gatepost.chain}

IMAPStore far
Account a

MaildirStore near
Path {home}/store/
Inbox {home}/store/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns INBOX
Create Near
""", encoding="ascii")
    marker = "for-mbsync-1"
    run(home, "msmtp", "-C", "/dev/null", "--host=127.0.0.1", f"--port={gatepost.ports['submission']}", "--tls=on",
        "--tls-certcheck=off", "--auth=on", "--user=alice", f"--passwordeval=echo '{ALICE[1]}'",
        "--from=alice@example.test", ALICE[0], stdin=mail(marker))
    arrived(dovecot, marker, ALICE[0])
    run(home, "mbsync", "-c", "mbsyncrc", "c")
    stored = [p.read_bytes() for p in (home / "store").rglob("*") if p.is_file() and "INBOX" in str(p)]
    assert any(marker.encode() in message for message in stored)


def test_fetchmail(gatepost, dovecot, home):
    run(home, "swaks", "--server", "127.0.0.1", "--port", str(gatepost.ports["submissions"]), "--tls-on-connect",
        "--auth", "PLAIN", "--auth-user", "alice", "--auth-password", ALICE[1], "--from", ALICE[0], "--to", BOB[0],
        "--header", "Subject: for-fetchmail-1", "--suppress-data")
    arrived(dovecot, "for-fetchmail-1")
    rc = home / "fetchmailrc"
    rc.write_text(f"""poll localhost protocol POP3 port {gatepost.ports['pop3s']}
  user "bob@example.test" password "{BOB[1]}"
  ssl sslcertfile "{gatepost.chain}" no sslcertck keep fetchall mda "cat >> {home}/got"
""", encoding="ascii")
    rc.chmod(0o600)
    run(home, "fetchmail", "-f", str(rc), "--nosyslog", "--nodetach", env={"FETCHMAILHOME": str(home)}, ok=(0, 1))
    assert "for-fetchmail-1" in (home / "got").read_text(encoding="utf-8", errors="replace")


def test_nodemailer(gatepost, dovecot, home):
    modules = os.environ.get("GATEPOST_NODE_MODULES", str(rig.ROOT / "node_modules"))
    if shutil.which("node") is None or not os.path.isdir(os.path.join(modules, "nodemailer")):
        pytest.fail(f"nodemailer is not in {modules}: run ./test, which installs it")
    program = """
const settings = JSON.parse(require('fs').readFileSync(0));
const mailer = require(settings.modules + '/nodemailer');
(async () => {
  for (const secure of [true, false]) {
    const transport = mailer.createTransport({host: '127.0.0.1', port: settings.ports[secure ? 1 : 0], secure,
      requireTLS: true, auth: {user: 'alice@example.test', pass: settings.pass}, tls: {rejectUnauthorized: false}});
    const info = await transport.sendMail({from: 'alice@example.test', to: 'bob@example.test',
      subject: 'nodemailer-' + secure, text: 'hello'});
    console.log(info.response);
  }
})().catch((error) => { console.error(error); process.exit(1); });
"""
    settings = {"modules": modules, "pass": ALICE[1],
                "ports": [gatepost.ports["submission"], gatepost.ports["submissions"]]}
    run(home, "node", "-e", program, stdin=json.dumps(settings))
    arrived(dovecot, "nodemailer-true")
    arrived(dovecot, "nodemailer-false")
