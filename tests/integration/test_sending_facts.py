# SPDX-License-Identifier: ISC
"""Each fact of the judgement of sending, provoked at the door by what people and thieves do, and read where staff read
it: that what front, next hop, spam filter and file of countries know arrives in core, and as the right thing."""

import itertools
import smtplib

import mmdb
import pytest
import rig
from conftest import ALICE
from sink import Sink
from test_rspamd import Peer

PLACES = {"127.40.0.0/16": "DE", "127.41.0.0/16": "FR", "127.42.0.0/16": "US", "127.43.0.0/16": "BR"}
HOUR = 3600
_numbers = itertools.count(1)


class Hop(Sink):
    """Also says "no such user" (u) and "this is spam" (s)."""

    def say(self, sock, verb, letter, number):
        if letter not in "us":
            return super().say(sock, verb, letter, number)
        sock.sendall(b"550 5.1.1 No such user here\r\n" if letter == "u" else b"554 5.7.1 We want no such mail\r\n")
        return False


@pytest.fixture(scope="module")
def hop():
    server = Hop()
    yield server
    server.close()


@pytest.fixture(scope="module")
def judge():
    server = Peer()
    yield server
    server.close()


def make_door(workdir, token_keys, hop, judge, name, **options):
    path = workdir / f"{name}.mmdb"
    path.write_bytes(mmdb.build(PLACES))
    server = rig.Gatepost(
        workdir / name,
        {"token_key_file": f'"{token_keys}/default/HS256/default"', "notices": "no",
         "geoip_file": f'"{path}"', "rspamd": f'"127.0.0.1:{judge.port}"', "rspamd_timeout": "20s",
         "sending_learn_days": "0d", "sending_free_strangers": 3, "sending_free_hour": 3, "sending_free_day": 3,
         **options},
        [rig.backend("smtp", "smtp", [f"127.0.0.1:{hop.port}"]), rig.route("*", smtp="smtp"),
         'route "limited.test" { smtp = smtp plan = tiny }', "plan tiny { recipients_hour = 1 }"],
        listeners=("submissions",))
    server.start()
    return server


@pytest.fixture(scope="module")
def door(workdir, token_keys, hop, judge):
    """Nothing is refused here for what is judged, so that all can be done that gives points."""
    server = make_door(workdir, token_keys, hop, judge, "facts", sending_slow=9000, sending_ask=9500,
                       sending_block=10000)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def strict(workdir, token_keys, hop, judge):
    """What shows only while a recipient is asked for: here it is enough to ask the owner."""
    server = make_door(workdir, token_keys, hop, judge, "strict", points_network=60, points_client=0,
                       points_elsewhere=0, sending_block=1000)
    yield server
    server.stop()


class Sender:
    """An account that sends. Recipients are strangers unless they are named."""

    def __init__(self, door, hop, domain="example.test"):
        self.door, self.hop = door, hop
        self.address = f"facts{next(_numbers)}@{domain}"
        door.add_account(self.address, ALICE[1])
        hop.load({})
        # Where it begins it is at home; an hour later all else is new.
        assert self.send() == [250, 250, 250]
        door.advance(HOUR)

    def strangers(self, count):
        return [f"stranger{next(_numbers)}@example.org" for _ in range(count)]

    def send(self, recipients=1, peer="127.40.0.1", client="laptop.test", sender=None, text="hello"):
        """The replies to MAIL, RCPT and the end of the message, as far as it comes."""
        recipients = self.strangers(recipients) if isinstance(recipients, int) else recipients
        codes = []
        with smtplib.SMTP_SSL("127.0.0.1", self.door.ports["submissions"], context=self.door.tls(), timeout=60,
                              source_address=(peer, 0)) as line:
            line.ehlo(client)
            line.login(self.address, ALICE[1])
            codes.append(line.mail(sender or self.address)[0])
            codes += [line.rcpt(recipient)[0] for recipient in recipients] if codes[0] == 250 else []
            if 250 in codes[1:]:
                codes.append(line.data(f"Subject: x\r\n\r\n{text}\r\n")[0])
        return codes

    def reasons(self):
        answer = self.door.json("account", "sending", self.address)
        row = answer[0] if isinstance(answer, list) else answer
        return {reason["reason"]: reason["points"] for reason in row["reasons"]}


@pytest.fixture
def sender(door, hop):
    one = Sender(door, hop)
    assert one.reasons() == {} and hop.delivered[0][0] == one.address
    return one


def test_many_strangers_at_once(sender):
    assert sender.send(12)[-1] == 250
    reasons = sender.reasons()
    assert {"strangers", "hour", "day", "share", "body"} <= set(reasons), reasons


def test_different_messages_are_not_one(sender):
    for number in range(12):
        sender.send(1, text=f"number {number}")
    reasons = sender.reasons()
    assert "strangers" in reasons and "body" not in reasons, reasons


def test_strangers_from_a_new_network(sender):
    sender.send(5)
    assert "elsewhere" not in sender.reasons()
    sender.send(2, peer="127.44.0.1")
    assert "elsewhere" not in sender.reasons()
    sender.send(3, peer="127.44.0.1")
    assert sender.reasons()["elsewhere"] == 3 * 6


def test_known_recipients_from_a_new_network(sender):
    known = sender.strangers(1)
    sender.send(known)
    for _ in range(12):
        sender.send(known, peer="127.44.0.1")
    assert "contacts" in sender.reasons()


def test_many_networks(sender):
    for place in range(50, 54):
        sender.send(peer=f"127.{place}.0.1")
    assert sender.reasons()["networks"] == 8, sender.reasons()


def test_many_countries(sender):
    for place in range(40, 42):
        sender.send(peer=f"127.{place}.0.1")
    assert "countries" not in sender.reasons()
    for place in range(42, 44):
        sender.send(peer=f"127.{place}.0.1")
    assert sender.reasons()["countries"] == 2 * 10


def test_recipients_that_do_not_exist(sender, hop):
    hop.load({"rcpt": "uuuuu"})
    assert sender.send(5) == [250] + [550] * 5
    assert sender.reasons()["unknown"] == 3 * 4


def test_other_refusals_are_no_such_thing(sender, hop):
    hop.load({"rcpt": "ppppptttt"})
    sender.send(9)
    reasons = sender.reasons()
    assert "unknown" not in reasons and "spam" not in reasons


def test_refused_as_spam(sender, hop):
    hop.load({"end": "sss"})
    for _ in range(3):
        assert sender.send()[-1] == 554
    assert sender.reasons()["spam"] == 2 * 15


def test_condemned_by_the_filter(sender, judge):
    for action in ("reject", "add header", "no action"):
        judge.action = action
        assert sender.send()[-1] == 250
    assert sender.reasons()["filter"] == 20 + 10


def test_forged_senders(sender):
    for name in ("a", "b", "c", "c", "C"):
        assert sender.send(sender=f"{name}@elsewhere.test") == [553]
    assert sender.reasons()["forged"] == 15


def test_beyond_a_limit(door, hop):
    sender = Sender(door, hop, "limited.test")
    assert sender.send(20) == [250] + [450] * 20  # an hour's window opens no minute too early
    assert "limit" not in sender.reasons()
    assert sender.send(2) == [250] + [450] * 2
    assert sender.reasons()["limit"] == 2


def test_an_unusual_hour(door, sender):
    known = sender.strangers(1)
    for _ in range(3):
        sender.send(known * 20)
    assert "night" not in sender.reasons()
    door.advance(12 * HOUR)
    assert "night" in sender.reasons()


@pytest.fixture(scope="module")
def choosy(workdir, token_keys, hop, judge):
    server = make_door(workdir, token_keys, hop, judge, "choosy", points_client=60, points_network=0,
                       points_elsewhere=0, sending_block=1000)
    yield server
    server.stop()


def test_a_new_network_alone(strict, hop):
    sender = Sender(strict, hop)
    assert sender.send(client="telephone.test") == [250, 250, 250]
    assert sender.send(peer="127.44.0.1") == [250, 450]


def test_a_new_program_alone(choosy, hop):
    sender = Sender(choosy, hop)
    assert sender.send(peer="127.44.0.1") == [250, 250, 250]
    assert sender.send(client="telephone.test") == [250, 450]


def test_going_on_while_the_owner_is_asked(strict, hop):
    sender = Sender(strict, hop)
    assert sender.send(peer="127.44.0.1") == [250, 450]
    strict.advance(2 * 60)
    assert sender.send(60) == [250] + [450] * 60
    assert sender.reasons()["insist"] >= 10
