# SPDX-License-Identifier: ISC
"""Every way to a backend: master password, the person's own password, TLS on the way, a PROXY header, a UNIX socket,
SMTP AUTH of Gatepost itself, fail-over."""

import base64
import os
import signal
import ssl

import pytest
import rig
import talk
from conftest import ALICE, BOB
from listening import Listening

MASTER = ("gatekeeper", "master of all mailboxes")


@pytest.fixture(scope="module")
def certificate(workdir):
    return rig.make_certificate(workdir, "backend", ["backend.example.test"])


@pytest.fixture(scope="module")
def classic(workdir, certificate):
    server = rig.ClassicDovecot(workdir / "classic", certificate, MASTER)
    server.add_user(ALICE[0], "{PLAIN}" + ALICE[1])
    server.add_user(BOB[0], "{PLAIN}another password than at the door")
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def master_file(workdir):
    path = workdir / "master.password"
    path.write_text(MASTER[1] + "\n", encoding="ascii")
    path.chmod(0o600)
    return path


def door_to(make_gatepost, classic, protocol, port, *lines):
    sections = [rig.backend(protocol, protocol, [f"127.0.0.1:{classic.ports[port]}"], *lines),
                rig.route("*", **{protocol: protocol})]
    return make_gatepost(sections=sections, listeners=(protocol + "s",))


def master(master_file):
    return ("auth = master", f'auth_user = "{MASTER[0]}"', f'auth_password_file = "{master_file}"')


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_master_password(make_gatepost, classic, master_file, protocol, peer):
    """The mailbox of who signed in here opens, though Dovecot knows another password for it."""
    door = door_to(make_gatepost, classic, protocol, protocol, *master(master_file))
    for account in (ALICE, BOB):
        assert talk.is_ok(talk.signin(door, protocol + "s", *account, peer=peer))
    rig.until(lambda: f"user=<{BOB[0]}>" in classic.log(), "bob's mailbox in Dovecot's log")


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_passthrough(make_gatepost, classic, protocol, peer):
    """The person's own password goes on; one that only the door takes is the backend's no, and no guess."""
    door = door_to(make_gatepost, classic, protocol, protocol, "auth = passthrough")
    assert talk.is_ok(talk.signin(door, protocol + "s", *ALICE, peer=peer))
    for _ in range(6):
        answer = talk.signin(door, protocol + "s", *BOB, peer=peer)
        assert answer.startswith(("a NO [UNAVAILABLE] ", "-ERR [SYS/TEMP] "))
    assert door.json("ban", "list") == []


def descriptors(pids):
    """Of the fronts, all together."""
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for name, pid in pids.items() if name.startswith("front."))


def test_a_connection_that_comes_when_its_session_is_gone(make_gatepost, classic, master_file, peer):
    """gatepostd stands still between core's yes and the connection, and the session is killed meanwhile."""
    door = door_to(make_gatepost, classic, "imap", "imap", *master(master_file))
    device = door.add_device(ALICE[0], "late")
    assert talk.is_ok(talk.signin(door, "imaps", ALICE[0], device, peer))
    pids = door.pids()
    before = rig.until(lambda: door.json("session", "list") == [] and descriptors(pids), "no session")
    os.kill(door.process.pid, signal.SIGSTOP)
    try:
        with talk.connect(door, "imaps", peer) as line:
            line.send(f"a LOGIN {ALICE[0]} {device}")
            sessions = rig.until(lambda: [row for row in door.json("session", "list") if row["account"]], "the session")
            door.cli("session", "kill", "--session", sessions[0]["session"])
            assert not any(row.startswith("a OK") for row in iter(line.line, None))
    finally:
        os.kill(door.process.pid, signal.SIGCONT)
    assert talk.is_ok(talk.signin(door, "imaps", ALICE[0], device, peer))
    rig.until(lambda: descriptors(pids) == before, "the descriptors of before")
    assert door.pids() == pids


def test_a_host_that_hangs_up_is_passed_by(make_gatepost, classic, master_file, peer):
    """It takes connections, so only who speaks with it finds out, and asks for the other."""
    class Rude(Listening):
        taken = 0

        def talk(self, sock):
            Rude.taken += 1
            sock.close()

    rude = Rude()
    sections = [rig.backend("imap", "imap", [f"127.0.0.1:{rude.port}", f"127.0.0.1:{classic.ports['imap']}"],
                            *master(master_file)), rig.route("*", imap="imap")]
    door = make_gatepost({"fronts": 1}, sections, listeners=("imaps",))
    pids = door.pids()
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE, peer=peer))
    before = rig.until(lambda: door.json("session", "list") == [] and descriptors(pids), "no session")
    for _ in range(3):
        assert talk.is_ok(talk.signin(door, "imaps", *ALICE, peer=peer))
    rig.until(lambda: descriptors(pids) == before, "the descriptors of before")
    assert Rude.taken > 0 and door.pids() == pids
    rude.close()


@pytest.mark.parametrize("port,tls", [("imap", "starttls"), ("imaps", "implicit"), ("pop3", "starttls"),
                                      ("pop3s", "implicit")])
def test_tls_on_the_way(make_gatepost, classic, master_file, certificate, port, tls, peer):
    protocol = port.rstrip("s")
    checked = (f"tls = {tls}", 'tls_name = "backend.example.test"', f'ca_file = "{certificate[0]}"')
    door = door_to(make_gatepost, classic, protocol, port, *master(master_file), *checked)
    assert talk.is_ok(talk.signin(door, protocol + "s", *ALICE, peer=peer))
    rig.until(lambda: ", TLS" in [row for row in classic.log().splitlines() if "Login:" in row][-1], "TLS in the log")


@pytest.mark.parametrize("tls,port", [("starttls", "imap"), ("implicit", "imaps")])
def test_a_backend_with_another_name_is_not_trusted(make_gatepost, classic, master_file, certificate, tls, port, peer):
    door = door_to(make_gatepost, classic, "imap", port, *master(master_file), f"tls = {tls}",
                   'tls_name = "other.example.test"', f'ca_file = "{certificate[0]}"')
    assert talk.signin(door, "imaps", *ALICE, peer=peer).startswith("a NO [UNAVAILABLE] ")


def test_proxy_header_to_the_backend(make_gatepost, classic, master_file, peer):
    door = door_to(make_gatepost, classic, "imap", "proxy", *master(master_file), "client_address = proxy")
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE, peer=peer))
    rig.until(lambda: f"rip={peer}," in classic.log(), "the client's address in Dovecot's log")


def test_lmtp_over_a_unix_socket(make_gatepost, classic, dovecot, peer):
    sections = rig.dovecot_sections(dovecot)[:2] + [
        rig.backend("lmtp", "lmtp", [f"unix:{classic.folder}/lmtp"]),
        rig.route("*", imap="imap", pop3="pop3", smtp="lmtp")]
    door = make_gatepost(sections=sections)
    with rig.Line(door.ports["smtp"], peer) as line:
        line.reply()
        line.ask("EHLO other.server")
        line.ask("MAIL FROM:<x@else.test>")
        assert line.ask("RCPT TO:<alice@example.test>")[0].startswith("250 ")
        line.ask("DATA")
        assert line.ask("Subject: unix-1\r\n\r\nhello\r\n.")[0].startswith("250 ")
    rig.until(lambda: [m for m in classic.messages(ALICE[0]) if b"unix-1" in m], "the message")


def test_routes_by_account(make_gatepost, classic, dovecot, master_file, peer):
    """One account's mailbox lives on another server than its domain's."""
    sections = rig.dovecot_sections(dovecot) + [
        rig.backend("old", "imap", [f"127.0.0.1:{classic.ports['imap']}"], *master(master_file)),
        rig.route("old.server", imap="old")]
    door = make_gatepost(sections=sections, accounts=False)
    door.add_account(*ALICE, "--route", "old.server")
    before = classic.log().count(f"user=<{ALICE[0]}>")
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE, peer=peer))
    rig.until(lambda: classic.log().count(f"user=<{ALICE[0]}>") > before, "the sign-in at the old server")


class RelayHop(Listening):
    """A next hop that wants implicit TLS and SMTP AUTH, as a provider's relay does."""

    def __init__(self, certificate, user, password):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.wanted = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        self.messages = []
        self.connections = 0
        super().__init__()

    def talk(self, sock):
        try:
            with self.context.wrap_socket(sock, server_side=True) as tls, tls.makefile("rwb") as file:
                self.dialogue(file)
        except (OSError, ssl.SSLError):
            pass

    def dialogue(self, file):
        def say(text):
            file.write(text.encode() + b"\r\n")
            file.flush()

        signed_in = False
        self.connections += 1
        say("220 relay.example.test ESMTP")
        for row in file:
            verb, _, rest = row.decode().strip().partition(" ")
            verb = verb.upper()
            if verb == "EHLO":
                say("250-relay.example.test\r\n250-AUTH PLAIN\r\n250 PIPELINING")
            elif verb == "AUTH":
                signed_in = rest == "PLAIN " + self.wanted
                say("235 2.7.0 ok" if signed_in else "535 5.7.8 no")
            elif verb == "DATA":
                say("354 go on")
                self.messages.append(b"".join(iter(file.readline, b".\r\n")))
                say("250 2.0.0 taken")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 2.1.0 ok" if signed_in else "530 5.7.0 sign in first")


@pytest.fixture
def relay(certificate):
    hop = RelayHop(certificate, "gatepost", "relay password")
    yield hop
    hop.close()


def relay_door(make_gatepost, relay, certificate, tmp_path, password):
    secret = tmp_path / "relay.password"
    secret.write_text(password + "\n", encoding="ascii")
    sections = [rig.backend("out", "smtp", [f"127.0.0.1:{relay.port}"], "tls = implicit",
                            'tls_name = "backend.example.test"', f'ca_file = "{certificate[0]}"',
                            'auth_user = "gatepost"', f'auth_password_file = "{secret}"'),
                rig.route("*", smtp="out")]
    return make_gatepost(sections=sections, listeners=("submissions",))


def submit(door, marker, peer):
    with talk.connect(door, "submissions", peer) as line:
        assert talk.is_ok(talk.attempt(line, "submissions", *ALICE))
        answer = line.ask(f"MAIL FROM:<{ALICE[0]}>")[0]
        if not answer.startswith("250"):
            return answer
        assert line.ask("RCPT TO:<far@away.test>")[0].startswith("250 ")
        assert line.ask("DATA")[0].startswith("354 ")
        return line.ask(f"Subject: {marker}\r\n\r\nhello\r\n.")[0]


def test_smtp_auth_at_the_next_hop(make_gatepost, relay, certificate, tmp_path, peer):
    door = relay_door(make_gatepost, relay, certificate, tmp_path, "relay password")
    assert submit(door, "relay-1", peer) == "250 2.0.0 taken"
    message = relay.messages[0].decode()
    assert "Subject: relay-1" in message and f"from test.client ([{peer}])" in message and "with ESMTPSA" in message


def test_connections_are_reused_where_that_is_safe(make_gatepost, relay, certificate, tmp_path, peer):
    """The hop was told nothing of the client, so another session may go on with the connection."""
    door = relay_door(make_gatepost, relay, certificate, tmp_path, "relay password")
    for number in range(12):
        assert submit(door, f"reuse-{number}", peer).startswith("250 ")
    assert len(relay.messages) == 12 and relay.connections < 12


def test_a_wrong_relay_password_is_our_fault(make_gatepost, relay, certificate, tmp_path, peer):
    door = relay_door(make_gatepost, relay, certificate, tmp_path, "not the relay password")
    assert submit(door, "relay-2", peer).startswith("451 4.")
    assert relay.messages == [] and door.json("ban", "list") == []
