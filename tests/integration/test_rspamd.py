# SPDX-License-Identifier: ISC
"""Messages are shown to rspamd as they pass: to a real one, to one of ours that keeps what it was shown, and to such
as hang, break off, babble or do not read. Whatever it does, mail is neither lost nor held up for long."""

import contextlib
import itertools
import json
import pathlib
import shutil
import smtplib
import socket
import subprocess
import time

import pytest
import rig
from conftest import ALICE
from listening import Listening
from sink import Sink

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
PATIENCE = 20  # seconds: nobody waits so long unless something is wrong
HASTE = 0.5
DOMAIN = "example.test"
_accounts = itertools.count(1)


def verdict(action, score=1.5):
    body = json.dumps({"is_skipped": False, "score": score, "required_score": 15, "action": action,
                       "symbols": {"X": {"score": 1, "action": "reject"}}}).encode()
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Peer(Listening):
    """Speaks as rspamd does, or as act(sock, file) wants it."""

    def __init__(self):
        self.seen, self.act = [], self.judge
        self.action = "no action"
        super().__init__()

    def talk(self, sock):
        with sock, sock.makefile("rb") as file, contextlib.suppress(OSError):
            self.act(sock, file)

    @staticmethod
    def take(file):
        """The request: line, fields, and the message without its chunks."""
        head = []
        while (line := file.readline().rstrip(b"\r\n")):
            head.append(line.decode())
        message = b""
        while (size := int(file.readline(), 16)):
            message += file.read(size)
            assert file.read(2) == b"\r\n"
        assert file.readline() == b"\r\n"
        return head[0], [tuple(line.split(": ", 1)) for line in head[1:]], message

    def judge(self, sock, file):
        self.seen.append(self.take(file))
        sock.sendall(verdict(self.action))


@pytest.fixture(scope="module")
def peer_of_ours():
    server = Peer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def sink():
    server = Sink()
    yield server
    server.close()


def make_door(folder, token_keys, peer, sink, timeout):
    """One message that is condemned asks the owner, so that verdicts show."""
    return rig.Gatepost(
        folder, {"token_key_file": f'"{token_keys}/default/HS256/default"', "rspamd": f'"127.0.0.1:{peer.port}"',
                 "rspamd_timeout": f"{int(timeout * 1000)}ms", "rspamd_max_size": "8M", "points_filter": 60,
                 "notices": "no"},
        [rig.backend("smtp", "smtp", [f"127.0.0.1:{sink.port}"]), rig.route("*", smtp="smtp")],
        listeners=("submissions", "smtp"))


@pytest.fixture(scope="module")
def door(workdir, token_keys, peer_of_ours, sink):
    server = make_door(workdir / "rspamd-door", token_keys, peer_of_ours, sink, PATIENCE)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def hasty(workdir, token_keys, peer_of_ours, sink):
    server = make_door(workdir / "rspamd-hasty", token_keys, peer_of_ours, sink, HASTE)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def account(door, peer_of_ours):
    """A new one each time: what one test does must not weigh in the next. And a peer that behaves."""
    peer_of_ours.act, peer_of_ours.action = peer_of_ours.judge, "no action"
    peer_of_ours.seen.clear()
    address = f"sender{next(_accounts)}@{DOMAIN}"
    door.add_account(address, ALICE[1])
    return address


def send(door, account, text="Subject: hello\r\n\r\nhow are you\r\n", recipients=("r@example.org",)):
    """The reply to the end of the message."""
    with smtplib.SMTP_SSL("127.0.0.1", door.ports["submissions"], context=door.tls(), timeout=60) as client:
        client.ehlo("laptop.test")
        client.login(account, ALICE[1])
        assert client.mail(account)[0] == 250
        for recipient in recipients:
            assert client.rcpt(recipient)[0] == 250
        return client.data(text)


def counts(door, *names):
    stats = door.stats()
    return {name: stats[name] for name in names}


def grew(door, before):
    """By how much; counters arrive a moment later."""
    def difference():
        return {name: door.stats()[name] - value for name, value in before.items()}
    with contextlib.suppress(rig.RigError):
        rig.until(lambda: any(difference().values()), "a counter that grows")
    return difference()


RESULTS = ("rspamd_ok", "rspamd_failed", "rspamd_timeouts")


def test_what_rspamd_is_shown(door, account, peer_of_ours, sink):
    sink.load({})
    before = counts(door, *RESULTS)
    text = "Subject: dots\r\n\r\n.\r\n..two\r\na.b\r\n" + "x" * 70000 + "\r\n.\r\nend\r\n"
    code, reply = send(door, account, text, ("r@example.org", "s@example.org"))
    assert code == 250, reply
    line, fields, message = peer_of_ours.seen.pop()
    assert line == "POST /checkv2 HTTP/1.1"
    assert message == text.encode()
    told = dict(fields)
    assert told["From"] == account and told["User"] == account and told["Helo"] == "laptop.test"
    assert told["IP"] == "127.0.0.1" and len(told["Queue-Id"]) == 16
    assert [value for name, value in fields if name == "Rcpt"] == ["r@example.org", "s@example.org"]
    assert sink.delivered[0][2].endswith(b"\r\n..two\r\n".replace(b"..", b"...") + b"a.b\r\n" + b"x" * 70000 +
                                         b"\r\n..\r\nend\r\n")
    assert grew(door, before) == {"rspamd_ok": 1, "rspamd_failed": 0, "rspamd_timeouts": 0}
    assert told["Queue-Id"] in door.log()


@pytest.mark.parametrize("action", ["no action", "greylist", "add header", "soft reject", "of my own"])
def test_what_is_not_condemned_passes(door, account, peer_of_ours, sink, action):
    sink.load({})
    peer_of_ours.action = action
    assert send(door, account)[0] == 250
    assert len(sink.delivered) == 1


def test_a_condemned_message_is_not_delivered(door, account, peer_of_ours, sink):
    """It reaches the threshold of its account while it waits for its end: nobody gets it any more."""
    sink.load({})
    peer_of_ours.action = "reject"
    before = counts(door, "filter_refused", "recipients_metered", "messages_accepted")
    code, reply = send(door, account)
    assert code == 450 and b"4.7.1" in reply and account.encode() in reply, reply
    assert sink.delivered == []
    assert grew(door, before) == {"filter_refused": 1, "recipients_metered": 0, "messages_accepted": 0}
    with pytest.raises(AssertionError):  # the owner is asked: RCPT hears it, too
        send(door, account)
    shown = door.json("account", "sending", account)
    row = shown[0] if isinstance(shown, list) else shown
    assert "filter" in json.dumps(row), row


def test_doubts_add_up(door, account, peer_of_ours, sink):
    sink.load({})
    peer_of_ours.action = "rewrite subject"
    assert send(door, account)[0] == 250
    assert send(door, account)[0] == 450
    assert len(sink.delivered) == 1


def test_nobody_else_is_shown(door, peer_of_ours, sink):
    """Mail that comes in on port 25 is the next hop's to judge."""
    peer_of_ours.act = peer_of_ours.judge
    peer_of_ours.seen.clear()
    sink.load({})
    with smtplib.SMTP("127.0.0.1", door.ports["smtp"], timeout=60) as client:
        client.sendmail("x@example.org", [f"sender1@{DOMAIN}"], "Subject: x\r\n\r\nx\r\n")
    assert len(sink.delivered) == 1 and peer_of_ours.seen == []


def hang(sock, file):
    Peer.take(file)
    file.read()


def ignore(sock, file):
    """Takes nothing."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    time.sleep(HASTE + 3)


def break_off(sock, file):
    file.readline()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def endless(sock, file):
    Peer.take(file)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n{\"x\":[" % (1 << 30))
    for _ in range(1 << 14):
        sock.sendall(b"1," * (1 << 15))


def endless_head(sock, file):
    Peer.take(file)
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(1 << 14):
        sock.sendall(b"X-Filler: y\r\n" * 4096)


def answer_of(text):
    def act(sock, file):
        Peer.take(file)
        sock.sendall(text)
    return act


def too_early(sock, file):
    file.readline()
    sock.sendall(verdict("reject"))
    file.read()


HOSTILE = {
    "break_off": (break_off, "rspamd_failed"), "endless": (endless, "rspamd_failed"),
    "endless_head": (endless_head, "rspamd_failed"),
    "bad_json": (answer_of(verdict("reject").replace(b"{", b"[", 1)), "rspamd_failed"),
    "no_length": (answer_of(b"HTTP/1.1 200 OK\r\n\r\n{}"), "rspamd_failed"),
    "an_error": (answer_of(b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}"), "rspamd_failed"),
    "half": (answer_of(verdict("reject")[:-9]), "rspamd_failed"),
}


def pass_by(door, account, sink, counter, size=100_000):
    sink.load({})
    before = counts(door, *RESULTS)
    pids = door.pids()
    assert send(door, account, "Subject: x\r\n\r\n" + ("y" * 98 + "\r\n") * (size // 100))[0] == 250
    assert len(sink.delivered) == 1 and len(sink.delivered[0][2]) > size
    assert grew(door, before) == {**dict.fromkeys(RESULTS, 0), counter: 1}
    assert door.pids() == pids


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_hostile_rspamd_costs_no_mail(door, account, peer_of_ours, sink, name):
    peer_of_ours.act, counter = HOSTILE[name]
    pass_by(door, account, sink, counter)


def test_a_verdict_before_the_end_is_none(door, account, peer_of_ours, sink):
    peer_of_ours.act = too_early
    sink.load({})
    before = counts(door, *RESULTS)
    with smtplib.SMTP_SSL("127.0.0.1", door.ports["submissions"], context=door.tls(), timeout=60) as client:
        client.login(account, ALICE[1])
        client.mail(account)
        client.rcpt("r@example.org")
        assert client.docmd("DATA")[0] == 354
        client.send("Subject: x\r\n\r\nhalf\r\n")
        assert grew(door, before)["rspamd_failed"] == 1
        client.send("and half\r\n.\r\n")
        assert client.getreply()[0] == 250
    assert len(sink.delivered) == 1


@pytest.mark.parametrize("act, size", [(hang, 100_000), (ignore, 7_000_000)])
def test_a_slow_rspamd_is_not_waited_for(hasty, account, peer_of_ours, sink, act, size):
    hasty.add_account(account, ALICE[1])
    peer_of_ours.act = act
    pass_by(hasty, account, sink, "rspamd_timeouts", size)


def test_an_rspamd_that_is_away(door, account, peer_of_ours, sink, make_gatepost):
    """Connecting fails at once; the log says so once, not for each message."""
    away = rig.free_ports(1)[0]
    other = make_gatepost({"rspamd": f'"127.0.0.1:{away}"', "notices": "no"},
                          [rig.backend("smtp", "smtp", [f"127.0.0.1:{sink.port}"]), rig.route("*", smtp="smtp")],
                          listeners=("submissions",), accounts=False, fronts=1)
    other.add_account(account, ALICE[1])
    sink.load({})
    for _ in range(5):
        assert send(other, account)[0] == 250
    assert len(sink.delivered) == 5
    rig.until(lambda: other.stats()["rspamd_failed"] == 5, "five failures")
    assert other.log().count("rspamd_failed") == 1


def test_a_second_rspamd_and_one_that_blocks(account, peer_of_ours, sink, make_gatepost):
    """The first cannot be connected to. What is condemned blocks here, to the letter, in running sessions, too."""
    away = rig.free_ports(1)[0]
    other = make_gatepost({"rspamd": f'{{"127.0.0.1:{away}", "127.0.0.1:{peer_of_ours.port}"}}', "points_filter": 60,
                           "sending_slow": 50, "sending_ask": 60, "sending_block": 60, "notices": "no"},
                          [rig.backend("smtp", "smtp", [f"127.0.0.1:{sink.port}"]), rig.route("*", smtp="smtp")],
                          listeners=("submissions",), accounts=False)
    other.add_account(account, ALICE[1])
    peer_of_ours.action = "reject"
    sink.load({})
    blocked = (b"5.7.1 Account %s has been blocked from sending due to abusive activity. "
               b"Please update password and (re-)enable 2FA to be unblocked" % account.encode())
    code, reply = send(other, account)
    assert code == 554 and reply.splitlines()[0] == blocked, reply
    assert sink.delivered == []
    with smtplib.SMTP_SSL("127.0.0.1", other.ports["submissions"], context=other.tls(), timeout=60) as client:
        client.login(account, ALICE[1])
        assert client.mail(account) == (554, blocked)


CONF = """
options {{
  filters = "";
  pidfile = "{folder}/rspamd.pid";
  tempdir = "{folder}";
  hs_cache_dir = "{folder}";
  url_tld = "{folder}/tld.dat";
  control_socket = "{folder}/control.sock mode=0600";
  dns {{ nameserver = "127.0.0.1:1"; timeout = 0.1s; retransmits = 1; }}
}}
logging {{ type = "console"; level = "info"; }}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
worker "normal" {{ bind_socket = "{folder}/worker.sock mode=0666"; count = 1; }}
"""


@pytest.fixture(scope="module")
def rspamd(workdir):
    program = shutil.which("rspamd")
    assert program is not None, "rspamd is not installed"
    folder = pathlib.Path(workdir) / "rspamd"
    folder.mkdir()
    (folder / "tld.dat").write_text("com\norg\ntest\n", encoding="ascii")
    (folder / "rspamd.conf").write_text(CONF.format(folder=folder), encoding="utf-8")
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([program, "-i", "-f", "-c", folder / "rspamd.conf"], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log)

    def answers():
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(5)
            sock.connect(str(folder / "worker.sock"))
            sock.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
            return sock.recv(64).startswith(b"HTTP/1.1 200")
        return False

    try:
        rig.until(answers, "rspamd answers", 60)
        yield folder / "worker.sock"
    finally:
        rig.end_pid(process.pid)
        process.wait()


def test_the_real_one(rspamd, account, sink, make_gatepost):
    other = make_gatepost({"rspamd": f'"unix:{rspamd}"', "points_filter": 60, "rspamd_timeout": "20s", "notices": "no"},
                          [rig.backend("smtp", "smtp", [f"127.0.0.1:{sink.port}"]), rig.route("*", smtp="smtp")],
                          listeners=("submissions",), accounts=False)
    other.add_account(account, ALICE[1])
    sink.load({})
    head = f"From: {account}\r\nTo: r@example.org\r\nSubject: hello\r\nMessage-ID: <1@{DOMAIN}>\r\n\r\n"
    assert send(other, account, head + "how are you\r\n")[0] == 250
    rig.until(lambda: other.stats()["rspamd_ok"] == 1, "a verdict")
    code, reply = send(other, account, head + GTUBE + "\r\n")
    assert code == 450 and b"4.7.1" in reply, reply
    assert len(sink.delivered) == 1
    assert 'action="no action"' in other.log() and "action=reject" in other.log()
