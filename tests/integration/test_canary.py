# SPDX-License-Identifier: ISC
"""Distinctive secrets go through every protocol, right and wrong, whole and mangled. None of them may stand in a log
(debug level), in the store's files, in a process's arguments or environment, or in a core file."""

import base64
import os
import re
import resource
import signal
import time

import pytest
import rig
import talk
from browse import Browser
from conftest import BOB, DORA
from test_portal_core import totp


class Canaries:
    """Secrets that occur nowhere else, each with what it was used for."""

    def __init__(self):
        self.uses = {}

    def new(self, use):
        secret = f"Cnry{len(self.uses):02}-{os.urandom(6).hex()}"
        self.uses[secret] = use
        return secret

    def forms(self):
        """Every way that it might have been written down, with its use."""
        for secret, use in self.uses.items():
            yield secret.encode(), use
            yield secret.lower().encode(), use + ", lower case"
            yield secret.encode().hex().encode(), use + ", hex"
            for shift in range(3):
                # What base64 makes of it whatever stands before and behind.
                text = base64.b64encode(b"\0" * shift + secret.encode())
                yield text[(0, 2, 3)[shift]:len(text) // 4 * 4 - 4], use + ", base64"


def raw_imap(door, lines, peer):
    with talk.connect(door, "imaps", peer) as line:
        line.raw(lines.encode())
        line.sock.settimeout(5)
        drain(line)


def drain(line):
    line.raw(b"\r\nz LOGOUT\r\nQUIT\r\n")
    while line.line() is not None:
        pass


def sign_in_everywhere(door, canaries, right, peer):
    for service in ("imaps", "imap", "submissions", "submission", "pop3s", "pop3"):
        assert talk.is_ok(talk.signin(door, service, DORA, right, peer)), service
        wrong = canaries.new(f"wrong on {service}")
        assert not talk.is_ok(talk.signin(door, service, DORA, wrong, peer))
        door.lift_all()


def sign_in_oddly(door, canaries, peer):
    """Mechanisms and mistakes: the secret comes where it should and where it should not."""
    def new(use):
        door.lift_all()
        return canaries.new(use)

    with talk.connect(door, "submissions", peer) as line:
        line.ask("EHLO canary")
        line.ask("AUTH LOGIN " + talk.b64(DORA))
        line.ask(talk.b64(new("AUTH LOGIN")))
        line.ask("AUTH PLAIN " + talk.plain(DORA, new("malformed AUTH PLAIN")) + "!")
        line.ask("AUTH PLAIN " + talk.plain(DORA, new("AUTH PLAIN with more")) + " x")
        line.ask("AUTH CRAM-MD5 " + talk.b64(new("unknown mechanism")))
        line.ask("PASS " + new("unknown command"))
        line.ask("AUTH PLAIN " + talk.plain(DORA, new("far too long")) + "A" * 13000)
    with talk.connect(door, "submission", peer, tls=False) as line:
        line.ask("EHLO canary")
        line.ask("AUTH PLAIN " + talk.plain(DORA, new("AUTH without TLS")))
    raw_imap(door, f"a AUTHENTICATE PLAIN {talk.plain(DORA, new('IMAP initial response'))}\r\n", peer)
    literal = new("IMAP literal")
    raw_imap(door, f"a LOGIN {DORA} {{{len(literal)}+}}\r\n{literal}\r\n", peer)
    raw_imap(door, f"a LOGIN {DORA} {new('IMAP with more')} x\r\n", peer)
    raw_imap(door, f"a LOGIN {DORA} \"{new('IMAP unclosed')}\r\n", peer)
    raw_imap(door, f"{new('IMAP tag')} NOOP\r\n", peer)
    for lines in (f"PASS {new('POP3 PASS first')}", f"USER {DORA}\r\nPASSWORD {new('POP3 unknown command')}",
                  f"AUTH PLAIN {talk.plain(DORA, new('POP3 AUTH'))}", f"APOP {DORA} {new('APOP')}"):
        with talk.connect(door, "pop3s", peer) as line:
            line.raw(lines.encode() + b"\r\n")
            drain(line)
    # The client is gone before the answer.
    line = talk.connect(door, "imaps", peer)
    line.send(f"a LOGIN {DORA} {new('gone before the answer')}")
    line.close()


def key_lines(door, token_keys):
    """What stands in the files of keys, line by line, and the bytes it means."""
    files = [door.folder / "pepper.key", token_keys / "default/HS256/default", door.key]
    for path in files:
        for text in path.read_bytes().split(b"\n"):
            if len(text) < 20 or text.startswith(b"-----"):
                continue
            yield text, path.name
            try:
                yield base64.b64decode(text, validate=True), path.name + ", decoded"
            except ValueError:
                yield bytes.fromhex(text.decode()), path.name + ", decoded"


def find_in_processes(needles, pids):
    for name, pid in pids.items():
        for file in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{file}", "rb") as opened:
                text = opened.read()
            yield from ((use, f"{file} of {name}") for needle, use in needles if needle in text)


def find_in_files(needles, folder, but):
    for path in folder.rglob("*"):
        if not path.is_file() or path in but:
            continue
        text = path.read_bytes()
        yield from ((use, str(path)) for needle, use in needles if needle in text)


@pytest.fixture
def no_core_limit():
    """As far as the tests are concerned, everybody may leave a core file."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_no_secret_is_left_anywhere(make_gatepost, token_keys, no_core_limit):
    door = make_gatepost({"autoban_failures": 12})
    canaries, peer = Canaries(), "127.74.0.1"
    first, right = canaries.new("first password"), canaries.new("password")
    door.add_account(DORA, first)
    door.cli("account", "passwd", DORA, stdin=right + "\n")
    device = door.add_device(DORA, "phone")
    compact = device.replace(" ", "").replace("-", "")
    for form, use in ((device, "device password"), (compact, "device password without spaces")):
        canaries.uses[form] = use
    sign_in_everywhere(door, canaries, right, peer)
    for form in (device, compact, device.lower()):
        assert talk.is_ok(talk.signin(door, "imaps", DORA, form, peer))
    lost = door.json("device", "add", DORA, "lost")
    revoked = lost["password"]
    canaries.uses[revoked] = "revoked device password"
    door.cli("device", "revoke", DORA, str(lost["id"]))
    assert not talk.is_ok(talk.signin(door, "imaps", DORA, revoked, peer))
    sign_in_oddly(door, canaries, peer)
    needles = list(canaries.forms()) + list(key_lines(door, token_keys)) + [(b"eyJ", "a token"), (b"ZXlK", "a token, base64")]
    assert all(len(needle) >= 3 for needle, _ in needles)
    pids = door.pids()
    assert not list(find_in_processes(needles, pids))
    # Whoever crashes now leaves nothing behind.
    for name, pid in pids.items():
        if not name.startswith(("gatepostd", "parent")):
            os.kill(pid, signal.SIGABRT)
    rig.until(lambda: door.cli_raw("status").returncode == 0 and not set(door.pids().values()) & set(pids.values()) -
              {door.process.pid}, "new children")
    door.process.send_signal(signal.SIGABRT)
    door.process.wait()
    door.process = None
    assert "debug" in door.log() and DORA in door.log()
    keys = {door.folder / "pepper.key", door.key}
    assert not list(find_in_files(needles, door.folder, keys))
    assert not [path for path in (*door.folder.rglob("core*"), *rig.ROOT.glob("core*")) if path.is_file()]


class PortalUse:
    """One who uses the portal for all that it is for; every secret on the way is remembered."""

    def __init__(self, door, canaries, peer):
        self.door, self.canaries, self.browser, self.codes = door, canaries, Browser(door, peer), []

    def keep(self, secret, use):
        """As it was shown, and as a program would write it down."""
        for form in {secret, secret.replace(" ", "").replace("-", "")}:
            self.canaries.uses[form] = use
        return secret

    def ask(self, method, path, body=None, status=(200, 201, 204)):
        answer = self.browser.ask(method, "/api/v1" + path, body)
        assert answer.status in status, (path, answer)
        if self.browser.cookie:
            self.keep(self.browser.cookie, "cookie")
        return answer.json if answer.body else None

    def code(self, secret, ahead=0):
        self.codes.append(totp(secret, time.time() + ahead))
        return self.codes[-1]

    def sign_in(self, password, state="signed_in"):
        row = self.ask("POST", "/session", {"login": DORA, "password": password})
        assert row["state"] == state


def letter_to(dovecot, address, pattern, seen):
    """What a letter not seen before has at this place; it is read from the mailbox, which is not the door's."""
    def find():
        for raw in set(dovecot.messages(address)) - seen:
            match = re.search(pattern, raw.replace(b"=\r\n", b"").replace(b"=\n", b"").replace(b"=3D", b"=").decode())
            if match:
                return match.group(1)
        return None
    return rig.until(find, f"a letter with {pattern}")


def use_the_portal(one, password, dovecot):
    """Password, device password, two-factor sign-in on, a lost phone, a recovery address, a link, off again."""
    new = one.canaries.new
    one.ask("POST", "/session", {"login": DORA, "password": new("wrong at the portal")}, (403,))
    one.sign_in(password)
    second = new("second password")
    one.ask("POST", "/self/password", {"old": password, "new": second, "end_devices": True})
    one.ask("POST", "/self/password", {"old": new("wrong old password"), "new": new("not taken")}, (403,))
    one.keep(one.ask("POST", "/self/devices", {"name": "phone"})["password"], "own device password")
    secret = one.keep(one.ask("POST", "/self/twofactor", {"password": second})["secret"], "TOTP secret")
    recovery = one.ask("POST", "/self/twofactor/confirm", {"code": one.code(secret)})["recovery_codes"]
    for code in recovery:
        one.keep(code, "recovery code")
    one.door.advance(60)
    one.sign_in(second, "code")
    one.ask("POST", "/session/code", {"code": new("wrong code")}, (403,))
    one.ask("POST", "/session/code", {"code": one.code(secret, 60)})
    seen = set(dovecot.messages(BOB[0]))
    one.door.advance(60)
    one.ask("POST", "/self/recovery-address", {"password": second, "address": BOB[0], "code": one.code(secret, 120)})
    mailed = one.keep(letter_to(dovecot, BOB[0], r"Subject: Your code: ([\w-]+)", seen), "mailed code")
    one.ask("POST", "/self/recovery-address/confirm", {"code": mailed})
    one.ask("DELETE", "/session")
    one.sign_in(second, "code")
    one.ask("POST", "/session/code", {"code": recovery[0]})
    # The link, and what is set by it.
    one.door.cli("account", "reset-link", DORA)
    token = one.keep(letter_to(dovecot, BOB[0], r"#reset=([\w-]+)", seen), "reset link")
    one.ask("POST", "/reset/show", {"token": token})
    one.ask("POST", "/reset", {"token": token, "password": new("by a link")})
    one.ask("POST", "/reset/show", {"token": new("wrong link")}, (403,))


def use_a_token(one):
    token = one.keep(one.door.json("token", "add", "panel", "--role", "admin")["token"], "API token")
    panel = Browser(one.door, one.browser.peer, Authorization=f"Bearer {token}", Origin=None)
    password = one.canaries.new("set by a panel")
    for _ in range(2):
        answer = panel.post("/api/v1/accounts", {"address": "made@example.test", "password": password},
                            Idempotency_Key="job")
        assert answer.status == 201
        answer = panel.post("/api/v1/accounts/made@example.test/devices", {"name": "x"}, Idempotency_Key="job 2")
        one.keep(answer.json["password"], "device password kept for who asks again")
    answer = panel.post("/api/v1/tokens", {"name": "more", "role": "staff"}, Idempotency_Key="job 3")
    one.keep(answer.json["token"], "API token kept for who asks again")


def test_no_secret_of_the_portal_is_left(make_gatepost, dovecot, token_keys):
    door = make_gatepost({"autoban_failures": 100})
    canaries = Canaries()
    one = PortalUse(door, canaries, "127.74.0.2")
    password = canaries.new("first password")
    door.add_account(DORA, password)
    use_the_portal(one, password, dovecot)
    use_a_token(one)
    needles = list(canaries.forms()) + list(key_lines(door, token_keys))
    # Six digits occur by chance: only where somebody wrote them down.
    needles += [(form % code.encode(), "one-time code") for code in one.codes for form in (b'"%s"', b"=%s ", b"=%s\n")]
    # As bytes, whatever they were written as.
    needles += [(base64.b32decode(secret), "TOTP secret, decoded") for secret, use in canaries.uses.items()
                if use == "TOTP secret" and " " not in secret]
    assert {use for _, use in needles} >= {"cookie", "reset link", "API token", "TOTP secret", "recovery code"}
    assert (door.folder / "state/gatepost.db-wal").exists()
    assert not list(find_in_processes(needles, door.pids()))
    assert not list(find_in_files(needles, door.folder, {door.folder / "pepper.key", door.key}))
    door.stop()
    assert "debug" in door.log() and DORA in door.log()
    assert not list(find_in_files(needles, door.folder, {door.folder / "pepper.key", door.key}))
