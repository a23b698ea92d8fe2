# SPDX-License-Identifier: ISC
"""Mail through the door: next hops, replies passed on, nothing owned, nothing smuggled."""

import contextlib

import pytest
import rig
import talk
from conftest import ALICE, BOB
from listening import Listening


@pytest.fixture(scope="module")
def postfix(workdir, dovecot):
    server = rig.Postfix(workdir / "postfix", dovecot,
                         tls=rig.make_certificate(workdir, "hop", ["hop.example.test"]))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def through_postfix(make_gatepost, dovecot, postfix):
    sections = rig.dovecot_sections(dovecot)[:2] + [
        rig.backend("hop", "smtp", [f"127.0.0.1:{postfix.port}"], "tls = starttls", "client_address = id"),
        rig.route("*", imap="imap", pop3="pop3", smtp="hop")]
    return make_gatepost(sections=sections)


def send(line, recipients, body, sender=ALICE[0]):
    assert line.ask(f"MAIL FROM:<{sender}>")[0].startswith("250 ")
    for recipient in recipients:
        assert line.ask(f"RCPT TO:<{recipient}>")[0].startswith("250 ")
    assert line.ask("DATA")[0].startswith("354 ")
    return line.raw(body + b"\r\n.\r\n").reply()


def signed_in(door, service="submissions", peer="127.0.0.1", account=ALICE):
    line = talk.connect(door, service, peer)
    assert talk.is_ok(talk.attempt(line, service, *account))
    return line


def newest(dovecot, address, marker):
    found = rig.until(lambda: [m for m in dovecot.messages(address) if marker in m], f"{marker!r} in {address}")
    return found[-1]


def test_postfix_learns_who_sends_by_xclient(through_postfix, postfix, dovecot):
    with signed_in(through_postfix, peer="127.60.0.1") as line:
        assert send(line, [BOB[0]], b"Subject: xclient-1\r\n\r\nhello")[0].startswith("250 2.0.0")
    rig.until(lambda: "[127.60.0.1]" in postfix.log(), "the client's address in Postfix's log")
    assert "sasl_username=alice@example.test" in postfix.log()
    with signed_in(through_postfix, peer="127.60.0.1") as line:  # what Postfix permits to those who signed in
        line.ask("MAIL FROM:<alice@example.test>")
        assert line.ask("RCPT TO:<someone@foreign.test>")[0].startswith("250 2.1.5")
    message = newest(dovecot, BOB[0], b"xclient-1")
    assert b"[127.60.0.1]" in message


def test_next_hops_own_reply_is_passed_on(through_postfix):
    with signed_in(through_postfix) as line:
        line.ask("MAIL FROM:<alice@example.test>")
        refused = line.ask("RCPT TO:<refused@foreign.test>")
        assert refused[0].startswith("550 5.1.1 ") and "nobody here of that name" in refused[0]
        assert line.ask("RCPT TO:<bob@example.test>")[0].startswith("250 2.1.5")


def test_pipelining(through_postfix, dovecot):
    with signed_in(through_postfix) as line:
        line.raw(b"MAIL FROM:<alice@example.test>\r\nRCPT TO:<refused@foreign.test>\r\n"
                 b"RCPT TO:<bob@example.test>\r\nDATA\r\n")
        codes = [line.reply()[0][:3] for _ in range(4)]
        assert codes == ["250", "550", "250", "354"]
        line.raw(b"Subject: piped-1\r\n\r\n..dot\r\n.\r\nMAIL FROM:<alice@example.test>\r\n"
                 b"RCPT TO:<bob@example.test>\r\nDATA\r\n")
        assert [line.reply()[0][:3] for _ in range(4)] == ["250", "250", "250", "354"]
        line.raw(b"Subject: piped-2\r\n\r\n.\r\nQUIT\r\n")
        assert [line.reply()[0][:3] for _ in range(2)] == ["250", "221"]
    assert b"\n.dot" in newest(dovecot, BOB[0], b"piped-1")
    newest(dovecot, BOB[0], b"piped-2")


def test_ehlo_offers_what_both_can(through_postfix, gatepost):
    def offered(door):
        with talk.connect(door, "submissions") as line:
            return {row[4:].split()[0] for row in line.ask("EHLO x")[1:]}

    rig.until(lambda: {"PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "AUTH"} ==
              offered(through_postfix), "Postfix's extensions")
    assert not {"ETRN", "VRFY", "XCLIENT", "CHUNKING", "STARTTLS"} & offered(through_postfix)


def test_our_own_received_line(make_gatepost, dovecot, peer):
    """Where the next hop is not told by XCLIENT, the door says itself where the message came from."""
    sections = [rig.backend("lmtp", "lmtp", [f"127.0.0.1:{dovecot.lmtp_port}"], "client_address = none"),
                rig.route("*", smtp="lmtp")]
    door = make_gatepost(sections=sections, listeners=("submissions",))
    with signed_in(door, peer=peer) as line:
        assert send(line, [BOB[0]], b"Subject: received-1\r\n\r\nx")[0].startswith("250 ")
    text = newest(dovecot, BOB[0], b"received-1").decode()
    assert f"from test.client ([{peer}])" in text and "with ESMTPSA" in text and "by mail.example.test" in text


def test_lmtp_tells_of_the_recipient_it_does_not_know(gatepost, peer):
    with signed_in(gatepost, peer=peer) as line:
        line.ask("MAIL FROM:<alice@example.test>")
        assert line.ask("RCPT TO:<nobody@example.test>")[0].startswith("550 5.1.1 ")


def test_two_recipients_over_lmtp(gatepost, dovecot, peer):
    with signed_in(gatepost, peer=peer) as line:
        assert send(line, [ALICE[0], BOB[0]], b"Subject: both-1\r\n\r\nx")[0].startswith("250 ")
    newest(dovecot, ALICE[0], b"both-1")
    newest(dovecot, BOB[0], b"both-1")


def test_every_body_arrives_as_sent(gatepost, dovecot, peer):
    """Dots, empty lines, 8-bit, a megabyte: what went in comes out."""
    bodies = [b"..", b".x", b"a\r\n..\r\nb", b"\r\n\r\n", "grüße".encode(), b"x" * 998, b"line\r\n" * 170000]
    for number, body in enumerate(bodies):
        with signed_in(gatepost, peer=peer) as line:
            stuffed = b"\r\n".join(b"." + row if row.startswith(b".") else row for row in body.split(b"\r\n"))
            mark = f"body-{number}-".encode()
            assert send(line, [BOB[0]], b"Subject: " + mark + b"\r\n\r\n" + stuffed)[0].startswith("250 ")
        stored = newest(dovecot, BOB[0], mark)
        assert stored.split(mark, 1)[1] == (b"\r\n\r\n" + body + b"\r\n").replace(b"\r\n", b"\n"), number


SMUGGLE = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\r\n.\r\r\n", b"\r\n\x00.\r\n",
           b"\r\n.\x00\r\n", b"\n\n.\r\n", b"\r\n.\r\r\n", b"\n\r.\n\r"]


@pytest.mark.parametrize("end", SMUGGLE)
def test_no_other_end_of_data(gatepost, dovecot, peer, end):
    """Whatever is not CRLF.CRLF neither ends the message nor passes: refused, closed, nothing delivered."""
    mark = f"smuggle-{SMUGGLE.index(end)}-{peer}".encode()
    with signed_in(gatepost, peer=peer) as line:
        line.ask("MAIL FROM:<alice@example.test>")
        line.ask("RCPT TO:<bob@example.test>")
        line.ask("DATA")
        line.raw(b"Subject: " + mark + b"\r\n\r\nx" + end + b"MAIL FROM:<alice@example.test>\r\n"
                 b"RCPT TO:<bob@example.test>\r\nDATA\r\nSubject: second\r\n\r\nx\r\n.\r\n")
        assert talk.words(*line.reply()) == "550 5.6.0 Message has a bare CR or LF"
        assert line.is_closed()
    assert not [m for m in dovecot.messages(BOB[0]) if mark in m]


@pytest.mark.parametrize("command", ["XCLIENT ADDR=192.0.2.1", "XFORWARD ADDR=192.0.2.1", "ETRN x", "BDAT 4 LAST",
                                     "BURL imap://x", "TURN", "AUTH PLAIN"])
def test_refused_after_sign_in(gatepost, peer, command):
    with signed_in(gatepost, peer=peer) as line:
        assert line.ask(command)[0].startswith(("502 5.5.1", "503 5.5.1", "500 5.5.1", "500 5.5.2"))


def test_old_programs_ways(gatepost, peer):
    with signed_in(gatepost, peer=peer) as line:
        assert line.ask("mail from: <alice@example.test>")[0].startswith("250 ")
        assert line.ask("rcpt to: bob@example.test")[0].startswith("250 ")
        assert line.ask("rset")[0].startswith("250 ")


def test_outlook_express_line(make_gatepost):
    door = make_gatepost(listener_options="old_clients = yes", accounts=False)
    with talk.connect(door, "submission") as line:
        assert "250-AUTH=PLAIN LOGIN" in [row.replace("250 ", "250-") for row in line.ask("EHLO old")]


def test_listed_networks_may_relay(make_gatepost, dovecot):
    door = make_gatepost({"relay_networks": '{"127.61.0.0/16"}'})
    for service in ("smtp", "submission"):
        with rig.Line(door.ports[service], "127.61.0.1") as line:
            line.reply()
            line.ask("EHLO copier")
            assert send(line, [BOB[0]], b"Subject: copier\r\n\r\nx")[0].startswith("250 ")
    newest(dovecot, BOB[0], b"Subject: copier")


def test_too_large(make_gatepost):
    door = make_gatepost({"message_size": 100000})
    with signed_in(door) as line:
        assert line.ask("MAIL FROM:<alice@example.test> SIZE=100001")[0].startswith("552 5.3.4")
        assert send_until_refused(line).startswith("552 5.3.4")


def send_until_refused(line):
    line.ask("MAIL FROM:<alice@example.test>")
    line.ask("RCPT TO:<bob@example.test>")
    line.ask("DATA")
    line.raw(b"Subject: large\r\n\r\n" + b"0123456789\r\n" * 10000 + b".\r\n")
    return line.reply()[0]


def test_fail_over_to_the_second_host(make_gatepost, dovecot):
    dead, = rig.free_ports(1)
    sections = [rig.backend("imap", "imap", [f"127.0.0.1:{dead}", f"127.0.0.1:{dovecot.imap_port}"], "auth = token"),
                rig.backend("lmtp", "lmtp", [f"127.0.0.1:{dead}", f"127.0.0.1:{dovecot.lmtp_port}"]),
                rig.route("*", imap="imap", smtp="lmtp")]
    door = make_gatepost(sections=sections, listeners=("submissions", "imaps"))
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE))
    with signed_in(door) as line:
        assert send(line, [BOB[0]], b"Subject: failover-1\r\n\r\nx")[0].startswith("250 ")
    newest(dovecot, BOB[0], b"failover-1")


def test_routes_by_domain(make_gatepost, dovecot, postfix):
    sections = rig.dovecot_sections(dovecot) + [
        rig.backend("hop", "smtp", [f"127.0.0.1:{postfix.port}"]), rig.route("second.test", smtp="hop")]
    door = make_gatepost(sections=sections)
    door.add_account("zoe@second.test", "zoe's password")
    with signed_in(door, account=("zoe@second.test", "zoe's password"), peer="127.62.0.1") as line:
        assert send(line, [BOB[0]], b"Subject: routed-1\r\n\r\nx", "zoe@second.test")[0].startswith("250 2.0.0 Ok")
    assert "zoe@second.test" in postfix.log()
    newest(dovecot, BOB[0], b"routed-1")


class SilentHop(Listening):
    """It takes a message and goes, with never a word about it."""

    def talk(self, sock):
        with contextlib.suppress(OSError), sock, sock.makefile("rwb") as file:
            file.write(b"220 hop\r\n")
            file.flush()
            for row in file:
                if row.upper().startswith(b"DATA"):
                    file.write(b"354 go\r\n")
                    file.flush()
                    while file.readline() not in (b".\r\n", b""):
                        pass
                    return
                file.write(b"250 ok\r\n")
                file.flush()


def test_hop_lost_in_the_message_is_a_temporary_fault(make_gatepost):
    """No 250 without the next hop's 250."""
    hop = SilentHop()
    sections = [rig.backend("hop", "smtp", [f"127.0.0.1:{hop.port}"]), rig.route("*", smtp="hop")]
    door = make_gatepost(sections=sections, listeners=("submissions",))
    with signed_in(door) as line:
        assert send(line, [BOB[0]], b"Subject: lost\r\n\r\nx")[0].startswith("451 4.")
    assert door.stats()["messages_accepted"] == 0
    hop.close()


class HastyHop(Listening):
    """It answers RCPT only with DATA, and takes a message whether or not somebody is to get it."""

    def __init__(self):
        self.messages, self.given_up = [], 0  # recipients of each; connections closed within one
        super().__init__()

    def talk(self, sock):
        held, said = [], b"220 hop\r\n"
        with contextlib.suppress(OSError), sock, sock.makefile("rwb") as file:
            while said is not None:
                file.write(said)
                file.flush()
                verb = (row := file.readline())[:4]
                said = {b"EHLO": b"250-hop\r\n250 PIPELINING\r\n", b"LHLO": b"250-hop\r\n250 PIPELINING\r\n",
                        b"RCPT": b"", b"": None}.get(verb, b"250 2.0.0 ok\r\n")
                if verb == b"RCPT":
                    held.append(b"550 5.1.1 nobody\r\n" if b"nobody" in row else b"250 2.1.5 ok\r\n")
                elif verb == b"DATA":
                    file.write(b"".join(held) + b"354 go\r\n")
                    file.flush()
                    said = self.take(file, sum(reply.startswith(b"250") for reply in held))
                    held = []

    def take(self, file, recipients):
        while (row := file.readline()) != b".\r\n":
            if not row:
                self.given_up += 1
                return None
        self.messages.append(recipients)
        return b"250 2.0.0 taken\r\n" * max(recipients, 1)


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_envelope_and_data_leave_together(make_gatepost, protocol):
    """RFC 2920. Where no recipient is left, a next hop that takes the message all the same gets none."""
    hop = HastyHop()
    sections = [rig.backend("hop", protocol, [f"127.0.0.1:{hop.port}"]), rig.route("*", smtp="hop")]
    door = make_gatepost(sections=sections, listeners=("submissions",))

    def begin(line, *names):
        commands = [f"MAIL FROM:<{ALICE[0]}>", *(f"RCPT TO:<{name}@example.test>" for name in names), "DATA"]
        line.raw("".join(command + "\r\n" for command in commands).encode())
        return [line.reply()[0][:9] for _ in commands]

    with signed_in(door) as line:
        for names in (["bob"], ["nobody", "bob"], ["bob", "nobody", "bob"]):
            assert begin(line, *names) == ["250 2.0.0", *("550 5.1.1" if name == "nobody" else "250 2.1.5" for name in names), "354 go"]
            assert line.raw(b"Subject: x\r\n\r\nx\r\n.\r\n").reply()[0].startswith("250 ")
        assert begin(line, "nobody") == ["250 2.0.0", "550 5.1.1", "554 5.5.1"]
        # That transaction has no next hop any more; the next one has.
        assert line.ask("RCPT TO:<bob@example.test>")[0].startswith("451 4.3.0")
        line.ask("RSET")
        assert begin(line, "nobody", "nobody") == ["250 2.0.0", "550 5.1.1", "550 5.1.1", "554 5.5.1"]
        line.ask("RSET")
        assert begin(line, "bob")[-1] == "354 go"
        assert line.raw(b"Subject: x\r\n\r\nx\r\n.\r\n").reply()[0].startswith("250 ")
    rig.until(lambda: hop.given_up == 2, "two connections given up")
    assert hop.messages == [1, 1, 2, 1]
    assert door.stats()["messages_accepted"] == 4
    hop.close()


def test_counts_what_was_accepted(make_gatepost):
    door = make_gatepost()
    with signed_in(door) as line:
        send(line, [ALICE[0], BOB[0]], b"Subject: c1\r\n\r\nx")
        send(line, [BOB[0]], b"Subject: c2\r\n\r\nx")
    rig.until(lambda: door.stats()["messages_accepted"] == 2, "two messages counted")
    assert door.stats()["recipients_accepted"] == 3
