# SPDX-License-Identifier: ISC
"""A sign-in, in every way the three protocols know, in front of a real Dovecot."""

import imaplib
import poplib
import smtplib
import ssl

import pytest
import rig
import talk
from conftest import ALICE

LOGINS = ["alice@example.test", "alice", "ALICE", "Alice@Example.TEST", "alice@mail.example.test",
          "alice%example.test", "alice@example.test.", " alice@example.test "]


@pytest.mark.parametrize("service", rig.SERVICES)
def test_every_port_signs_in(gatepost, peer, service):
    assert talk.is_ok(talk.signin(gatepost, service, *ALICE, peer=peer))


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("service", ["submissions", "imaps", "pop3s"])
def test_login_forms(gatepost, peer, service, login):
    if service == "pop3s" and login.startswith(" "):
        pytest.skip("a POP3 name begins behind the spaces")
    assert talk.is_ok(talk.signin(gatepost, service, login, ALICE[1], peer))


@pytest.mark.parametrize("service", ["submissions", "imaps", "pop3s"])
@pytest.mark.parametrize("login", ["alice@other.test", "mallory", "alice@example.test@example.test", "@", "a" * 300])
def test_unknown_names_get_the_same_words(gatepost, peer, service, login):
    known = talk.words(talk.signin(gatepost, service, ALICE[0], "wrong", peer))
    assert talk.words(talk.signin(gatepost, service, login, ALICE[1], peer)) == known


def test_imap_ways(gatepost, peer):
    """LOGIN with atoms, quoted strings and both literals; AUTHENTICATE with and without initial response."""
    login, secret = ALICE
    size = len(secret)
    dialogues = [
        [f'a LOGIN {login} "{secret}"'],
        [f"a LOGIN {{{len(login)}}}", f"{login} {{{size}}}", secret],
        [f"a LOGIN {{{len(login)}+}}\r\n{login} {{{size}+}}\r\n{secret}"],
        [f"a AUTHENTICATE PLAIN {talk.plain(login, secret)}"],
        ["a AUTHENTICATE PLAIN", talk.plain(login, secret)],
        ["a AUTHENTICATE LOGIN", talk.b64(login), talk.b64(secret)],
        [f"a authenticate login {talk.b64(login)}", talk.b64(secret)],
    ]
    for steps in dialogues:
        with talk.connect(gatepost, "imaps", peer) as line:
            for step in steps[:-1]:
                line.send(step)
                assert line.line().startswith("+"), steps
            line.send(steps[-1])
            assert line.tagged("a")[-1].startswith("a OK"), steps
            line.send("b SELECT INBOX")
            assert line.tagged("b")[-1].startswith("b OK")


def test_imap_capabilities_are_the_backends(gatepost, peer):
    context = gatepost.tls()
    with imaplib.IMAP4_SSL("127.0.0.1", gatepost.ports["imaps"], ssl_context=context) as client:
        assert "LOGINDISABLED" not in client.capabilities
        client.login(*ALICE)
        after = client.capability()[1][0].decode().split()
        assert "IDLE" in after and "UNAUTHENTICATE" not in after
        assert client.select("INBOX")[0] == "OK"


def test_no_password_without_tls(gatepost, peer):
    with talk.connect(gatepost, "imap", peer, tls=False) as line:
        line.send("a CAPABILITY")
        capabilities = line.tagged("a")[0].split()
        assert "LOGINDISABLED" in capabilities and "STARTTLS" in capabilities
        assert not [word for word in capabilities if word.startswith("AUTH=")]
    with talk.connect(gatepost, "submission", peer, tls=False) as line:
        offered = line.ask("EHLO x")
        assert not [row for row in offered if "AUTH" in row] and any("STARTTLS" in row for row in offered)
    with talk.connect(gatepost, "pop3", peer, tls=False) as line:
        line.send("CAPA")
        rows = []
        while (row := line.line()) != ".":
            rows.append(row)
        assert "STLS" in rows and not [row for row in rows if row.startswith(("SASL", "USER"))]


def test_pop3_ways(gatepost, peer):
    login, secret = ALICE
    for steps in ([f"AUTH PLAIN {talk.plain(login, secret)}"], ["AUTH PLAIN", talk.plain(login, secret)],
                  ["AUTH LOGIN", talk.b64(login), talk.b64(secret)], [f"user {login}", f"pass {secret}"]):
        with talk.connect(gatepost, "pop3s", peer) as line:
            for step in steps[:-1]:
                line.send(step)
                assert line.line().startswith("+")
            line.send(steps[-1])
            assert line.line().startswith("+OK"), steps
            line.send("STAT")
            assert line.line().startswith("+OK")


def test_smtp_ways(gatepost, peer):
    """AUTH PLAIN and LOGIN, with and without initial response, and as old programs do it."""
    login, secret = ALICE
    for steps in ([f"AUTH PLAIN {talk.plain(login, secret)}"], ["AUTH PLAIN", talk.plain(login, secret)],
                  ["AUTH LOGIN", talk.b64(login), talk.b64(secret)],
                  [f"AUTH LOGIN {talk.b64(login)}", talk.b64(secret)], [f"auth plain {talk.plain(login, secret)}"]):
        with talk.connect(gatepost, "submissions", peer) as line:
            line.ask("EHLO old.client")
            for step in steps[:-1]:
                assert line.ask(step)[0].startswith("334 ")
            assert line.ask(steps[-1])[0].startswith("235 2.7.0"), steps
            assert line.ask("AUTH PLAIN")[0].startswith("503 5.5.1")


def test_login_prompts_are_exact(gatepost, peer):
    with talk.connect(gatepost, "submissions", peer) as line:
        line.ask("EHLO x")
        assert line.ask("AUTH LOGIN") == ["334 VXNlcm5hbWU6"]
        assert line.ask(talk.b64("alice")) == ["334 UGFzc3dvcmQ6"]
        assert line.ask("*")[0].startswith("501 ")


def test_python_clients(gatepost, dovecot):
    """What people's scripts do: smtplib sends, imaplib and poplib read it."""
    context = gatepost.tls()
    with smtplib.SMTP("127.0.0.1", gatepost.ports["submission"]) as smtp:
        smtp.starttls(context=context)
        smtp.login(*ALICE)
        smtp.sendmail(ALICE[0], ["bob@example.test"], "Subject: from python\r\n\r\nhello\r\n")
    with imaplib.IMAP4("127.0.0.1", gatepost.ports["imap"]) as imap:
        imap.starttls(context)
        imap.login("bob", "staple of the trade")
        imap.select("INBOX")
        found = imap.search(None, "SUBJECT", '"from python"')[1][0].split()
        assert len(found) == 1
    pop = poplib.POP3_SSL("127.0.0.1", gatepost.ports["pop3s"], context=context)
    pop.user("bob")
    pop.pass_("staple of the trade")
    assert pop.stat()[0] >= 1
    pop.quit()


def test_backend_hears_the_clients_address(gatepost, dovecot, peer):
    for service in ("imaps", "pop3s"):
        assert talk.is_ok(talk.signin(gatepost, service, *ALICE, peer=peer))
    rig.until(lambda: dovecot.log().count(f"rip={peer}") >= 2, "both sign-ins in Dovecot's log")


def test_token_opens_its_own_mailbox_only(gatepost, dovecot, peer):
    """Signed in as bob, nothing of alice's can be seen: the mailbox is the one of the name that signed in."""
    with talk.connect(gatepost, "imaps", peer) as line:
        line.send('a LOGIN "bob" "staple of the trade"')
        assert line.tagged("a")[-1].startswith("a OK")
    rig.until(lambda: f"user=<bob@example.test>, method=" in dovecot.log(), "the sign-in in Dovecot's log")


def test_device_password(gatepost, peer):
    """On the mail ports; in any spelling; not for a protocol outside its scopes; gone when revoked."""
    secret = gatepost.add_device("alice@example.test", "test phone", "--scope", "imap")
    assert len(secret.replace(" ", "").replace("-", "")) == 24
    spellings = [secret, secret.replace("-", "").replace(" ", ""), secret.lower()]
    for spelling in spellings:
        assert talk.is_ok(talk.signin(gatepost, "imaps", "alice", spelling, peer))
    assert talk.signin(gatepost, "submissions", "alice", secret, peer).startswith("535 5.7.8")
    device = [row for row in gatepost.json("device", "list", "alice@example.test") if row["name"] == "test phone"][0]
    assert device["used_at"] and device["scopes"] == ["imap"]
    with talk.connect(gatepost, "imaps", peer) as line:
        assert talk.is_ok(talk.attempt(line, "imaps", "alice", secret))
        gatepost.cli("device", "revoke", "alice@example.test", str(device["id"]))
        assert line.line().startswith("* BYE")  # within the second that promise 4 allows
    assert talk.signin(gatepost, "imaps", "alice", secret, peer).startswith("a NO [AUTHENTICATIONFAILED]")


def test_a_main_password_must_not_look_like_a_device_password(gatepost):
    result = gatepost.cli_raw("account", "passwd", "bob@example.test",
                              stdin="ABCD EFGH IJKL MNOP QRST UVWX\n")
    assert result.returncode != 0 and "device password" in result.stderr


def test_password_change_ends_sessions_at_once(gatepost, peer):
    gatepost.add_account("carol@example.test", "first password")
    with talk.connect(gatepost, "submissions", peer) as line:
        assert talk.is_ok(talk.attempt(line, "submissions", "carol", "first password"))
        gatepost.cli("account", "passwd", "carol@example.test", stdin="second password\n")
        assert line.line().startswith("421 4.7.0")
        assert line.is_closed()
    assert not talk.is_ok(talk.signin(gatepost, "submissions", "carol", "first password", peer))
    assert talk.is_ok(talk.signin(gatepost, "submissions", "carol", "second password", peer))


def test_sni_chooses_the_certificate(make_gatepost, dovecot, workdir):
    chain, key = rig.make_certificate(workdir, "second", ["second.example.test"])
    door = make_gatepost(accounts=False, sections=rig.dovecot_sections(dovecot) + [
        f'certificate "second" {{\n names = {{"second.example.test"}}\n '
        f'chain_file = "{chain}"\n key_file = "{key}"\n}}\n'])
    for name, expected in (("second.example.test", chain), ("mail.example.test", door.chain), ("x.test", door.chain)):
        context = door.tls()
        context.load_verify_locations(str(chain))
        line = rig.Line(door.ports["imaps"], tls=context, server_name=name)
        pem = expected.read_text(encoding="ascii")
        assert ssl.DER_cert_to_PEM_cert(line.sock.getpeercert(True)).split() == pem.split()
        line.close()
