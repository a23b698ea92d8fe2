# SPDX-License-Identifier: ISC
"""What the portal's API promises of sign-ins, sessions and bans, over real HTTPS and the mail ports together."""

import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import struct
import time

import pytest
from conftest import ALICE, BOB
from talk import signin

API = "/api/v1"


class Browser:
    """One visitor: an address it comes from, and a cookie."""

    def __init__(self, gatepost, peer, cookie=None):
        self.gatepost, self.peer, self.cookie = gatepost, peer, cookie

    def ask(self, method, path, body=None):
        connection = http.client.HTTPSConnection(
            "localhost", self.gatepost.ports["https"], context=self.gatepost.tls(), timeout=30,
            source_address=(self.peer, 0))
        headers = {"Host": "mail.example.test", "Origin": "https://mail.example.test"}
        if method != "GET":
            headers["Content-Type"] = "application/json"
        if self.cookie:
            headers["Cookie"] = f"__Host-gatepost={self.cookie}"
        connection.connect()
        try:
            connection.request(method, API + path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
            for line in answer.headers.get_all("Set-Cookie") or []:
                self.cookie = line.split(";")[0].split("=", 1)[1] or None
        finally:
            connection.close()
        return answer.status, json.loads(text) if text else None

    def sign_in(self, login, password):
        return self.ask("POST", "/session", {"login": login, "password": password})

    def state(self):
        status, row = self.ask("GET", "/session")
        assert status == 200
        return row["state"]


@pytest.fixture
def browse(gatepost, peer):
    gatepost.lift_all()
    yield lambda source=peer: Browser(gatepost, source)
    gatepost.lift_all()


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        return [future.result() for future in [pool.submit(*call) for call in calls]]


def totp(secret, at):
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.new(key, struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"


def test_a_person_signs_in_and_out(browse):
    one = browse()
    assert one.state() == "guest"
    status, row = one.sign_in("ALICE", ALICE[1])
    assert (status, row) == (200, {"state": "signed_in"})
    cookie = one.cookie
    assert len(cookie) == 43
    status, row = one.ask("GET", "/session")
    assert (row["address"], row["role"], row["source"]) == (ALICE[0], "user", one.peer)
    assert one.ask("GET", "/bans")[0] == 403
    assert one.ask("DELETE", "/session")[0] == 204
    one.cookie = cookie
    assert one.state() == "guest"
    assert one.ask("GET", "/self")[0] == 401


def test_refusals_are_the_same_to_the_byte(gatepost, browse, peer):
    device = gatepost.add_device(ALICE[0], "phone")
    answers = {json.dumps(browse().sign_in(login, password)) for login, password in [
        (ALICE[0], "wrong password"), ("nobody-here@example.test", "wrong password"), ("x@foreign.test", "y"),
        (ALICE[0], device)]}
    assert len(answers) == 1
    assert json.loads(answers.pop())[0] == 403
    reasons = [row["reason"] for row in gatepost.json("signin", "list", "--source", peer)]
    assert sorted(reasons) == ["device_scope", "unknown_account", "unknown_account", "wrong_password"]
    assert {row["service"] for row in gatepost.json("signin", "list", "--source", peer)} == {"https"}


def test_five_for_all_doors_together_and_three_more_here(gatepost, browse, peer):
    before = gatepost.stats()["guesses_checked"]

    def mail(number):
        try:
            return signin(gatepost, "imaps", ALICE[0], f"mail guess {number}", peer=peer)
        except OSError:  # banned: closed without a word
            return None

    def portal(number):
        return browse().sign_in(ALICE[0], f"portal guess {number}")[0]

    at_once([(mail, n) if n % 2 else (portal, n) for n in range(100)])
    # Five before the ban, and no more than what a banned source has at the portal.
    guesses = gatepost.stats()["guesses_checked"] - before
    assert 5 <= guesses <= 8
    at_once([(portal, n) for n in range(100, 150)])
    assert gatepost.stats()["guesses_checked"] - before == 8
    status, problem = browse().sign_in(*ALICE)
    assert status == 429
    assert "try again at" in problem["detail"]
    rows = gatepost.json("signin", "list", "--source", peer, "--limit", "1000")
    assert sum(1 for row in rows if row["counted"]) == 5
    gatepost.advance(30 * 60)
    assert browse().sign_in(*ALICE)[0] == 200


def test_a_banned_person_signs_in_and_lifts_the_ban(gatepost, browse, peer):
    for number in range(5):
        signin(gatepost, "imaps", BOB[0], f"old password {number}", peer=peer)
    guest = browse()
    status, row = guest.ask("GET", "/source")
    assert (status, row["is_banned"], row["source"]) == (200, True, peer)
    assert guest.ask("GET", "/self/bans")[0] == 401
    assert guest.sign_in(*BOB)[0] == 200
    status, answer = guest.ask("GET", "/self/bans")
    assert [(ban["source"], ban["is_here"]) for ban in answer["items"]] == [(peer, True)]
    assert answer["items"][0]["devices"][0]["reason"] == "wrong_password"
    assert guest.ask("DELETE", f"/self/bans/{peer}")[0] == 200
    assert signin(gatepost, "imaps", *BOB, peer=peer).startswith("a OK")
    # Trusted on that account alone.
    assert gatepost.json("ban", "list", "--source", peer) == []
    signin(gatepost, "imaps", ALICE[0], "a guess at another", peer=peer)
    assert gatepost.json("ban", "list", "--source", peer) != []


def test_three_lifts_in_a_day_also_after_a_restart_of_core(make_gatepost, peer):
    gatepost = make_gatepost()
    person = Browser(gatepost, peer)
    for number in range(3):
        assert person.sign_in(*ALICE)[0] == 200
        gatepost.cli("ban", "add", peer)
        assert person.ask("DELETE", f"/self/bans/{peer}")[0] == 200, number
    gatepost.cli("ban", "add", peer)
    assert person.ask("DELETE", f"/self/bans/{peer}")[0] == 429
    gatepost.stop()
    gatepost.start()
    assert person.state() == "guest"
    assert person.sign_in(*ALICE)[0] == 200
    assert person.ask("GET", "/source")[1]["lifts_left"] == 0
    assert person.ask("DELETE", f"/self/bans/{peer}")[0] == 429
    gatepost.advance(24 * 60 * 60 + 1)
    assert person.sign_in(*ALICE)[0] == 200
    gatepost.cli("ban", "add", peer)
    assert person.ask("DELETE", f"/self/bans/{peer}")[0] == 200


def test_sessions_end_by_time_and_by_what_happens(make_gatepost, peer):
    gatepost = make_gatepost()
    one, two = Browser(gatepost, peer), Browser(gatepost, peer)
    assert one.sign_in(*ALICE)[0] == 200
    gatepost.advance(20 * 60)
    assert one.state() == "signed_in"
    gatepost.advance(30 * 60)
    assert one.state() == "guest"
    assert one.sign_in(*ALICE)[0] == two.sign_in(*ALICE)[0] == 200
    rows = one.ask("GET", "/sessions")[1]["items"]
    assert sorted(row["is_this"] for row in rows) == [False, True]
    gatepost.cli("account", "passwd", ALICE[0], stdin="another password\n")
    assert one.state() == two.state() == "guest"
    assert one.sign_in(ALICE[0], "another password")[0] == 200
    assert two.sign_in(ALICE[0], "another password")[0] == 200
    assert one.ask("POST", "/session/end-all", {})[0] == 204
    assert two.state() == "guest"


def test_the_second_step_takes_a_code_once(make_gatepost, peer):
    gatepost = make_gatepost()
    person, other = Browser(gatepost, peer), Browser(gatepost, peer)
    assert person.sign_in(*ALICE)[0] == other.sign_in(*ALICE)[0] == 200
    status, row = person.ask("POST", "/self/twofactor", {"password": ALICE[1]})
    assert status == 200
    secret, before = row["secret"], person.cookie
    status, row = person.ask("POST", "/self/twofactor/confirm", {"code": totp(secret, time.time())})
    assert (status, len(row["recovery_codes"])) == (200, 10)
    codes = row["recovery_codes"]
    # All others end, the own one goes on under a new name.
    assert person.cookie != before
    assert person.state() == "signed_in"
    assert other.state() == "guest"

    gatepost.advance(60)
    assert other.sign_in(*ALICE) == (200, {"state": "code"})
    assert other.state() == "pending"
    assert other.ask("GET", "/self")[0] == 401
    code, cookie = totp(secret, time.time() + 60), other.cookie

    def post(value):
        return Browser(gatepost, peer, cookie).ask("POST", "/session/code", {"code": value})[0]

    answers = at_once([(post, code) for _ in range(50)])
    assert answers.count(200) == 1
    assert set(answers) <= {200, 401, 403, 503}
    assert gatepost.json("ban", "list") == []

    assert other.sign_in(*ALICE) == (200, {"state": "code"})
    assert other.ask("POST", "/session/code", {"code": code})[0] == 403
    assert other.ask("POST", "/session/code", {"code": codes[0]}) == (200, {"state": "recovery"})
    assert other.ask("GET", "/sessions")[0] == 403
    assert sorted(other.ask("GET", "/self")[1]["must"]) == ["password", "twofactor"]
