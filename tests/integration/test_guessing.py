# SPDX-License-Identifier: ISC
"""Guessing from one source on all ports at once, and from many: an account's own limit, IPv6 networks, one password on
many names. The door stands behind a load balancer that is the test, so that clients come from anywhere."""

import contextlib
import itertools
import socket
import sqlite3
import unicodedata

import pytest
import rig
import talk
from conftest import ALICE, BOB

BEHIND = ('proxy_protocol = yes\n  proxy_from = {"127.0.0.0/8"}\n'
          '  plaintext_networks = {"198.18.0.0/15", "2001:db8::/32"}')
PORTS = ["imap", "pop3", "submission"]
MODES = ["every", "distinct"]
_sources = itertools.count(1)


def source():
    """An address that no other client of these tests has."""
    number = next(_sources)
    return f"198.{18 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"


@pytest.fixture
def make_door(make_gatepost):
    def make(**options):
        return make_gatepost({"account_guesses": 20, **options}, listener_options=BEHIND,
                             listeners=PORTS)
    return make


class Client:
    """One connection through the load balancer, greeting read."""

    def __init__(self, door, service, client):
        self.service = service
        self.sock = socket.create_connection(("127.0.0.1", door.ports[service]), timeout=20)
        family, local = ("TCP6", "2001:db8::1") if ":" in client else ("TCP4", "192.0.2.1")
        self.sock.sendall(f"PROXY {family} {client} {local} 40000 {door.ports[service]}\r\n".encode())
        self.seen = self.sock.recv(4096)

    def guess(self, login, secret):
        """Sends a sign-in in one segment."""
        text = {"imap": f"a LOGIN {talk.quoted(login)} {talk.quoted(secret)}\r\n",
                "pop3": f"USER {login}\r\nPASS {secret}\r\n",
                "submission": f"EHLO test.client\r\nAUTH PLAIN {talk.plain(login, secret)}\r\n"}
        with contextlib.suppress(OSError):  # turned away before
            self.sock.sendall(text[self.service].encode())

    def answer(self):
        """The words that say yes or no; the connection is closed."""
        ends = (b"a OK", b"a NO", b"* BYE", b"-ERR", b"+OK Signed in", b"+OK Logged in", b"535 ", b"235 ", b"421 ", b"454 ")
        with contextlib.closing(self.sock), contextlib.suppress(ConnectionError):
            while True:
                rows = self.seen.split(b"\r\n")[:-1]
                if self.service == "pop3" and len([row for row in rows if row.startswith(b"+OK")]) == 3:
                    return rows[-1].decode()
                found = [row for row in rows if row.startswith(ends)]
                if found:
                    return found[0].decode()
                data = self.sock.recv(4096)
                if not data:
                    break
                self.seen += data
        return ""


def guess_at_once(door, guesses):
    """(service, client, login, secret) each: all connections are open before the first secret is sent."""
    clients = [Client(door, service, client) for service, client, _, _ in guesses]
    for client, (_, _, login, secret) in zip(clients, guesses):
        client.guess(login, secret)
    return [client.answer() for client in clients]


def signin(door, client, login, secret, service="imap"):
    return guess_at_once(door, [(service, client, login, secret)])[0]


def grown(door, before):
    now = door.stats()
    return {name: now[name] - before[name] for name in ("guesses_checked", "guesses_unchecked", "signins_ok")}


@pytest.mark.parametrize("mode", MODES)
def test_of_200_connections_at_once_five_are_checked_twenty_times(make_door, mode):
    door = make_door(autoban_count=mode, account_guesses=1000)
    for _ in range(20):
        before, client = door.stats(), source()
        answers = guess_at_once(door, [(PORTS[n % 3], client, ALICE[0], f"{client} {n}") for n in range(200)])
        assert not [answer for answer in answers if talk.is_ok(answer)]
        assert grown(door, before) == {"guesses_checked": 5, "guesses_unchecked": 0, "signins_ok": 0}
    assert len(door.json("ban", "list")) == 20


def test_fifty_right_ones_on_all_ports_at_once_get_in(make_door):
    door = make_door()
    client = source()
    answers = guess_at_once(door, [(PORTS[n % 3], client, *ALICE) for n in range(50)])
    assert [answer for answer in answers if not talk.is_ok(answer)] == []


@pytest.mark.parametrize("mode", MODES)
def test_of_200_sources_at_one_account_twenty_are_checked(make_door, mode):
    door = make_door(autoban_count=mode)
    before = door.stats()
    answers = guess_at_once(door, [(PORTS[n % 3], source(), ALICE[0], f"guess {n}") for n in range(200)])
    assert len(set(talk.words(answers[n]) for n in range(0, 200, 3))) == 1  # nobody can see who was not checked
    assert grown(door, before) == {"guesses_checked": 20, "guesses_unchecked": 180, "signins_ok": 0}


def test_nobody_locks_the_owner_out(make_door):
    door = make_door()
    home, phone, hotel = source(), source(), source()
    device = door.add_device(ALICE[0], "phone")
    assert talk.is_ok(signin(door, home, *ALICE))
    rig.until(lambda: door.json("signin", "list", "--source", home), "the event")
    wrong = guess_at_once(door, [("imap", source(), ALICE[0], f"guess {n}") for n in range(40)])[0]

    assert talk.words(signin(door, hotel, *ALICE)) == talk.words(wrong)  # the right one: the very same words
    rows = rig.until(lambda: door.json("signin", "list", "--source", hotel), "the event")
    assert rows[0]["reason"] == "unchecked" and rows[0]["counted"]
    assert talk.is_ok(signin(door, home, *ALICE))
    assert talk.is_ok(signin(door, phone, ALICE[0], device))
    assert talk.is_ok(rig.until(lambda: next((a for a in [signin(door, phone, *ALICE)] if talk.is_ok(a)), None),
                                "the telephone's address to be known"))
    assert talk.is_ok(signin(door, hotel, *BOB))  # it is about one account

    door.kill()
    door.start()
    assert talk.words(signin(door, hotel, *ALICE)) == talk.words(wrong)
    assert talk.is_ok(signin(door, home, *ALICE))
    door.cli("account", "passwd", ALICE[0], stdin="a new password for alice\n")
    assert talk.is_ok(signin(door, hotel, ALICE[0], "a new password for alice"))


def test_the_account_opens_again_after_a_day(make_door):
    door = make_door()
    guess_at_once(door, [("imap", source(), ALICE[0], f"guess {n}") for n in range(30)])
    assert not talk.is_ok(signin(door, source(), *ALICE))
    door.advance(24 * 60 * 60 + 1)
    assert talk.is_ok(signin(door, source(), *ALICE))


def test_all_ways_to_write_a_name_share_the_account(make_door):
    door = make_door(account_guesses=6)
    door.cli("domain", "add", "mail.example.test", "--alias-of", "example.test")
    name = "j\u00f6rg"
    door.add_account(f"{name}@example.test", "long enough for joerg")
    apart = unicodedata.normalize("NFD", name)
    for names in (["alice@example.test", "ALICE@Example.Test", "alice", "alice%example.test", "alice@mail.example.test",
                   "alice@example.test.", "Alice@EXAMPLE.TEST.", "alice+news@example.test"],
                  [f"{name}@example.test", f"{apart}@example.test", f"{name.upper()}@example.test", apart,
                   f"{apart}%mail.example.test", f"{name}@example.test.", name, f"{apart.upper()}@mail.example.test"]):
        before = door.stats()
        for number, login in enumerate(names):
            assert not talk.is_ok(signin(door, source(), login, f"guess {number}", "submission"))
        assert grown(door, before)["guesses_checked"] == 6, names


def test_half_open_guesses_of_many_count_for_the_account(make_door):
    door = make_door()
    before = door.stats()
    clients = [Client(door, "imap", source()) for _ in range(40)]
    for number, client in enumerate(clients):
        client.guess(ALICE[0], f"guess {number}")
        client.sock.close()
    rig.until(lambda: grown(door, before)["guesses_unchecked"] == 20, "the guesses")
    assert grown(door, before)["guesses_checked"] == 20


@pytest.mark.parametrize("mode", MODES)
def test_a_56_is_banned_as_a_whole(make_door, mode):
    door = make_door(autoban_count=mode, account_guesses=1000)
    before = door.stats()
    answers = guess_at_once(door, [(PORTS[n % 3], f"2001:db8:7:1{n:02x}::1", ALICE[0], f"guess {n}") for n in range(200)])
    assert not [answer for answer in answers if talk.is_ok(answer)]
    assert grown(door, before)["guesses_checked"] == 20
    assert [row["source"] for row in door.json("ban", "list")] == ["2001:db8:7:100::/56"]
    door.cli("signin", "list")  # the store answers this after it has taken that
    door.kill()
    door.start()
    assert Client(door, "imap", "2001:db8:7:1ff::9").seen.startswith(b"* BYE")
    assert talk.is_ok(signin(door, "2001:db8:7:200::1", *ALICE))
    # The /48 still knows of those twenty.
    guess_at_once(door, [("imap", f"2001:db8:7:{n:x}00::1", BOB[0], f"guess {n}") for n in range(2, 50)])
    assert "2001:db8:7::/48" in [row["source"] for row in door.json("ban", "list")]
    door.cli("ban", "remove", "2001:db8:7:1ff::9")
    assert door.json("ban", "list") == []
    assert talk.is_ok(signin(door, "2001:db8:7:1fe::9", *ALICE))


def test_one_password_on_many_names_weighs_five(make_door):
    door = make_door()
    for number in range(20):
        assert signin(door, source(), f"user{number}@example.test", "Summer2026", "submission").startswith("535")
    client = source()
    assert not talk.is_ok(signin(door, client, ALICE[0], "Summer2026"))
    assert [row["source"] for row in door.json("ban", "list")] == [client]
    other = source()
    assert not talk.is_ok(signin(door, other, ALICE[0], "Winter2026"))
    assert talk.is_ok(signin(door, other, *ALICE))


def test_the_second_factor_is_told_in_the_words_of_a_wrong_password(make_door):
    door = make_door()
    home = source()
    assert talk.is_ok(signin(door, home, *ALICE))
    rig.until(lambda: door.json("signin", "list", "--source", home), "the event")
    with contextlib.closing(sqlite3.connect(door.folder / "state/gatepost.db")) as store, store:
        store.execute("UPDATE account SET twofactor_at = 1 WHERE address = ?", (ALICE[0],))
    for service in PORTS:
        answers = [signin(door, source(), *who, service) for who in
                   (ALICE, (ALICE[0], "wrong"), ("no-one@example.test", "wrong"))]
        assert len(set(map(talk.words, answers))) == 1 and not talk.is_ok(answers[0])
    # The owner's own mail program with the old setting bans nobody at home; a stranger with it is banned.
    for _ in range(8):
        assert not talk.is_ok(signin(door, home, *ALICE))
    assert door.json("ban", "list") == []
    stranger = source()
    for _ in range(5):
        signin(door, stranger, *ALICE)
    assert [row["source"] for row in door.json("ban", "list")] == [stranger]
