# SPDX-License-Identifier: ISC
"""Who may what at the API: every route, for every role and token, about the own account, one of the own domain, one of
another domain and one that stands higher. What must come is told here once more, by hand; nothing is read from the
tables that the server is made of but the list of routes, of which none may be missing here."""

import itertools
import re
import sqlite3
import statistics
import time

import pytest
import rig
from browse import Browser
from test_portal_core import at_once, totp

V1 = "/api/v1"
PASSWORD = "walrus and tea "  # with the name behind it
OWN, OTHER = "example.test", "other.test"
RANKS = ["guest", "pending", "recovery", "user", "domain-admin", "staff", "admin"]
# Subjects of the routes with {address}: their role, and in which domain they are.
SUBJECTS = {"plain@example.test": "user", "plain@other.test": "user", "chief@example.test": "domain-admin",
            "clerk@example.test": "staff", "root@example.test": "admin"}
TARGET = "plain@example.test"

# method, path, the least role, what comes if all is well, body. Flags: "change" (who asks must stand above the
# account), "secret" (of others: not for people below an admin), "new" (afterwards the session is another one, or none).
ROUTES = [
    ("GET", "/session", "guest", 200, None, ""),
    ("POST", "/session", "guest", 200, {"login": "{login}", "password": "{password}"}, "new"),
    ("POST", "/session/code", "pending", 200, {"code": "{recovery}"}, "new"),
    ("DELETE", "/session", "guest", 204, None, "new"),
    ("POST", "/session/end-all", "user", 204, {"mail": True}, "new"),
    ("POST", "/reset/show", "guest", 403, {"token": "wrong"}, "guess"),
    ("POST", "/reset", "guest", 403, {"token": "wrong", "password": "another walrus and tea"}, "guess"),
    ("POST", "/setup/show", "guest", 403, {"token": "wrong"}, "guess"),
    ("POST", "/setup", "guest", 403, {"token": "wrong"}, "guess"),
    ("POST", "/sending/link/show", "guest", 403, {"token": "wrong"}, "guess"),
    ("POST", "/sending/link", "guest", 403, {"token": "wrong", "is_me": True}, "guess"),
    ("GET", "/source", "guest", 200, None, ""),
    ("GET", "/sessions", "user", 200, None, ""),
    ("DELETE", "/sessions/{session}", "user", 204, None, "new"),
    ("GET", "/self", "recovery", 200, None, ""),
    ("POST", "/self/password", "recovery", 400, {"old": "{password}", "new": "{password}"}, ""),
    ("POST", "/self/language", "user", 204, {"language": "de"}, ""),
    ("POST", "/self/recovery-address", "user", 204, {"password": "{password}", "address": ""}, ""),
    ("POST", "/self/recovery-address/confirm", "user", 403, {"code": "123456"}, ""),
    ("GET", "/self/settings", "user", 200, None, ""),
    ("POST", "/self/setup", "user", 200, {"name": "phone {n}"}, ""),
    ("GET", "/self/bans", "user", 200, None, ""),
    ("DELETE", "/self/bans/198.51.100.9", "user", 404, None, ""),
    ("POST", "/self/twofactor", "recovery", 200, {"password": "{password}"}, ""),
    ("POST", "/self/twofactor/confirm", "recovery", 403, {"code": "12345"}, ""),
    ("POST", "/self/twofactor/off", "user", 404, {"password": "{password}", "code": "123456"}, ""),
    ("POST", "/self/twofactor/keep", "user", 404, None, ""),
    ("POST", "/self/recovery-codes", "user", 404, {"password": "{password}", "code": "123456"}, ""),
    ("GET", "/self/sending", "recovery", 200, None, ""),
    ("GET", "/self/sending/messages", "recovery", 404, None, ""),
    ("POST", "/self/sending/answer", "recovery", 404, {"is_me": True}, ""),
    ("POST", "/self/sending/code", "recovery", 404, None, ""),
    ("POST", "/self/sending/proof", "recovery", 404, {"kind": "recovery", "code": "aaaa-bbbb-cccc"}, ""),
    ("GET", "/self/devices", "recovery", 200, None, ""),
    ("POST", "/self/devices", "user", 201, {"name": "phone {n}"}, ""),
    ("DELETE", "/self/devices/{own_device}", "user", 204, None, ""),
    ("DELETE", "/self/devices", "user", 204, None, ""),
    ("GET", "/self/activity", "user", 200, None, ""),
    ("GET", "/self/chart", "user", 200, None, ""),
    ("GET", "/self/events", "user", 200, None, ""),
    ("GET", "/self/watch?after=1", "user", 200, None, ""),
    ("POST", "/self/test-message", "user", 200, None, ""),
    ("GET", "/self/test-message", "user", 200, None, ""),
    ("GET", "/self/unready", "user", 200, None, ""),
    ("GET", "/accounts", "domain-admin", 200, None, ""),
    ("POST", "/accounts", "domain-admin", 201, {"address": "new{n}@example.test"}, "domain"),
    ("GET", "/accounts/{address}", "domain-admin", 200, None, "subject"),
    ("POST", "/accounts/{address}", "domain-admin", 200, {"is_off": False}, "subject change"),
    ("POST", "/accounts/{address}/password", "domain-admin", 204, {"password": "{new_password}"},
     "subject change secret"),
    ("POST", "/accounts/{address}/role", "admin", 204, {"role": "user"}, "subject change"),
    ("GET", "/accounts/{address}/aliases", "domain-admin", 200, None, "subject"),
    ("POST", "/accounts/{address}/aliases", "domain-admin", 201, {"alias": "more{n}@{domain}"}, "subject change"),
    ("DELETE", "/accounts/{address}/aliases/{alias}", "domain-admin", 204, None, "subject change"),
    ("POST", "/accounts/{address}/block", "domain-admin", 204, {"reason": "spam"}, "subject change"),
    ("GET", "/accounts/{address}/sending", "domain-admin", 200, None, "subject"),
    ("GET", "/accounts/{address}/sending/case", "domain-admin", 200, None, "subject"),
    ("GET", "/accounts/{address}/sending/messages", "domain-admin", 200, None, "subject"),
    ("POST", "/accounts/{address}/sending/vouch", "domain-admin", 201, None, "subject change secret"),
    ("POST", "/accounts/{address}/sending/keep", "domain-admin", 204, None, "subject change"),
    ("POST", "/accounts/{address}/sending/release", "domain-admin", 204, {"learn": True}, "subject change"),
    ("POST", "/accounts/{address}/unblock", "domain-admin", 204, None, "subject change"),
    ("POST", "/accounts/{address}/reset-link", "domain-admin", 404, None, "subject change"),
    ("GET", "/accounts/{address}/activity", "domain-admin", 200, None, "subject"),
    ("GET", "/accounts/{address}/chart", "domain-admin", 200, None, "subject"),
    ("GET", "/accounts/{address}/events", "domain-admin", 200, None, "subject"),
    ("GET", "/accounts/{address}/devices", "domain-admin", 200, None, "subject"),
    ("POST", "/accounts/{address}/devices", "domain-admin", 201, {"name": "phone {n}"}, "subject change secret"),
    ("DELETE", "/accounts/{address}/devices/{device}", "domain-admin", 204, None, "subject change"),
    ("DELETE", "/accounts/{address}/devices", "domain-admin", 204, None, "subject change"),
    ("GET", "/accounts/{address}/twofactor", "domain-admin", 200, None, "subject"),
    ("POST", "/accounts/{address}/twofactor/remove", "domain-admin", 404, None, "subject change"),
    ("POST", "/accounts/{address}/twofactor/keep", "domain-admin", 404, None, "subject change"),
    ("POST", "/accounts/{address}/twofactor/reset", "admin", 204, None, "subject change"),
    ("DELETE", "/accounts/{address}", "domain-admin", 204, None, "subject change"),
    ("GET", "/sending/cases", "domain-admin", 200, None, ""),
    ("GET", "/senders?address={address}", "domain-admin", 200, None, "subject"),
    ("POST", "/senders", "domain-admin", 201, {"address": "{address}", "sender": "s{n}@{domain}"}, "subject change"),
    ("DELETE", "/senders", "domain-admin", 204, {"address": "{address}", "sender": "{sender}"}, "subject change"),
    ("GET", "/domains", "domain-admin", 200, None, ""),
    ("POST", "/domains", "admin", 204, {"domain": "new{n}.test"}, ""),
    ("DELETE", "/domains/{spare_domain}", "admin", 204, None, ""),
    ("GET", "/domains/{domain}/dns", "domain-admin", 200, None, "subject"),
    ("GET", "/bans", "staff", 200, None, ""),
    ("POST", "/bans", "staff", 201, {"source": "198.51.100.8"}, ""),
    ("DELETE", "/bans/198.51.100.7", "staff", 200, None, ""),
    ("GET", "/tokens", "admin", 200, None, ""),
    ("POST", "/tokens", "admin", 201, {"name": "panel {n}", "role": "staff"}, ""),
    ("DELETE", "/tokens/{token}", "admin", 204, None, ""),
    ("GET", "/mail-sessions", "staff", 200, None, ""),
    ("POST", "/mail-sessions/end", "staff", 404, {"account": "nobody@example.test"}, ""),
    ("GET", "/events", "staff", 200, None, ""),
    ("GET", "/search?query=nobody-at-all", "domain-admin", 200, None, ""),
    ("GET", "/references/7K3QX9TD", "domain-admin", 200, None, ""),
    ("GET", "/audit", "staff", 200, None, ""),
    ("GET", "/audit/verify", "staff", 200, None, ""),
    ("GET", "/status", "staff", 200, None, ""),
    ("GET", "/stats", "staff", 200, None, ""),
]


def shape(path):
    """The path with its arguments left out, whatever they are called."""
    path = re.sub(r"\{[^}]*\}|198\.51\.100\.\d|7K3QX9TD", "*", path.split("?")[0])
    return path.removeprefix(V1)


def test_every_route_is_here():
    served = re.findall(r'^ROUTE\((\w+), "([^"]+)"', (rig.ROOT / "src/web/routes.def").read_text(encoding="utf-8"), re.M)
    assert {(method, shape(path)) for method, path in served} == {(one[0], shape(one[1])) for one in ROUTES}


class Asker:
    """One who asks. kind: what it signs in with."""

    def __init__(self, name, role, domains=(), kind="person", scope=None):
        self.name, self.role, self.domains, self.kind, self.scope = name, role, domains, kind, scope
        self.login = f"{name}@example.test"

    @property
    def is_bound(self):
        return self.role == "domain-admin"

    def __repr__(self):
        return self.name


ASKERS = [
    Asker("guest", "guest"), Asker("pending", "pending"), Asker("recovery", "recovery"), Asker("user", "user"),
    Asker("dom", "domain-admin", [OWN]), Asker("odd", "domain-admin", [OTHER]), Asker("staff", "staff"),
    Asker("admin", "admin"),
    Asker("token-dom", "domain-admin", [OWN], "token"), Asker("token-odd", "domain-admin", [OTHER], "token"),
    Asker("token-staff", "staff", (), "token"), Asker("token-admin", "admin", (), "token"),
    Asker("token-list", "admin", (), "token", "account.list"),
    # Whoever is for certain domains only is for nothing that has none.
    Asker("token-bound", "domain-admin", [OWN], "token bound"),
    Asker("token-wrong", "guest", (), "wrong"),
]


class World:
    """A door with everybody, and somebody who may everything, to make what a test takes away."""

    def __init__(self, door, peer):
        self.door, self.peer, self.numbers = door, peer, itertools.count(10)
        door.cli("domain", "add", OWN)
        door.cli("domain", "add", OTHER)
        for address, role in SUBJECTS.items():
            self.add(address, role, [address.split("@")[1]])
            door.cli("account", "block", address)
            door.cli("account", "unblock", address)  # a case that is over: there is one to be shown
        self.codes = {}
        for asker in ASKERS:
            if asker.kind == "person" and asker.role != "guest":
                self.add(asker.login, asker.role if RANKS.index(asker.role) > 3 else "user", asker.domains)
            if asker.role in ("pending", "recovery"):
                self.turn_on(asker)
        self.root = Browser(door, peer, Authorization=f"Bearer {self.token('root', 'admin')}", Origin=None)
        self.browsers = {}

    def add(self, address, role, domains):
        words = [word for domain in domains if role == "domain-admin" for word in ("--domain", domain)]
        self.door.cli("account", "add", address, "--role", role, *words, stdin=PASSWORD + address + "\n")

    def token(self, name, role, domains=(), scope=None):
        words = [word for domain in domains for word in ("--domain", domain)]
        words += ["--scope", scope] if scope else []
        return self.door.json("token", "add", name, "--role", role, *words)["token"]

    def turn_on(self, asker):
        browser = Browser(self.door, self.peer)
        assert browser.post(V1 + "/session", {"login": asker.login, "password": PASSWORD + asker.login}).status == 200
        row = browser.post(V1 + "/self/twofactor", {"password": PASSWORD + asker.login}).json
        answer = browser.post(V1 + "/self/twofactor/confirm", {"code": totp(row["secret"], time.time())})
        self.codes[asker.name] = answer.json["recovery_codes"]

    def be(self, asker):
        """A browser that is signed in as far as the asker is."""
        if asker.kind == "wrong":
            return Browser(self.door, self.peer, Authorization="Bearer " + "A" * 43, Origin=None)
        if asker.kind.startswith("token"):
            role = "staff" if asker.kind == "token bound" else asker.role
            token = self.browsers.setdefault(asker.name, None) or self.token(asker.name, role, asker.domains, asker.scope)
            self.browsers[asker.name] = token
            return Browser(self.door, self.peer, Authorization=f"Bearer {token}", Origin=None)
        browser = Browser(self.door, self.peer)
        if asker.role == "guest":
            return browser
        assert browser.post(V1 + "/session", {"login": asker.login, "password": PASSWORD + asker.login}).status == 200
        if asker.role == "recovery":
            code = self.codes[asker.name].pop()
            assert browser.post(V1 + "/session/code", {"code": code}).json["state"] == "recovery"
        return browser

    def values(self, asker, subject, is_fresh):
        """What stands for the words in braces. is_fresh: something is made for it to be taken away."""
        number, at = next(self.numbers), f"{V1}/accounts/{subject}"
        values = {"n": number, "address": subject, "domain": subject.split("@")[1], "alias": f"a{number}@{OWN}",
                  "device": 999999, "own_device": 999999, "session": 999999, "token": 999999,
                  "spare_domain": OWN, "sender": f"s@{OWN}",
                  "login": asker.login, "password": PASSWORD + asker.login,
                  "new_password": f"{PASSWORD}{number}", "recovery": (self.codes.get(asker.name) or ["none"])[-1]}
        if is_fresh:
            values |= {"alias": f"a{number}@{values['domain']}", "spare_domain": f"spare{number}.test"}
            self.root.post(V1 + "/accounts", {"address": subject})
            self.root.post(f"{at}/aliases", {"alias": values["alias"]})
            values["sender"] = f"old{number}@{values['domain']}"
            self.root.post(V1 + "/senders", {"address": subject, "sender": values["sender"]})
            self.root.delete(f"{at}/devices")  # of those there are only so many
            values["device"] = self.root.post(f"{at}/devices", {"name": "old"}).json["id"]
            self.root.post(V1 + "/domains", {"domain": values["spare_domain"]})
            values["token"] = self.root.post(V1 + "/tokens", {"name": "old", "role": "staff"}).json["id"]
        return values

    def dump(self):
        """All that a change could have changed, but when things were used last."""
        store = sqlite3.connect(f"file:{self.door.folder}/state/gatepost.db?mode=ro", uri=True)
        tables = [name for name, in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                  if name not in ("event", "known_source", "outbox", "finding") and not name.startswith("sqlite")]
        found = {}
        for table in tables:
            keys = [row[1] for row in store.execute(f"PRAGMA table_info({table})") if not row[1].startswith("used_")]
            found[table] = sorted(map(repr, store.execute(f"SELECT {', '.join(keys)} FROM {table}")))
        store.close()
        return found, [row["source"] for row in self.door.json("ban", "list")]


@pytest.fixture(scope="module")
def world(workdir, dovecot, token_keys):
    door = rig.Gatepost(workdir / "api", {"token_key_file": f'"{token_keys}/default/HS256/default"',
                                          "autoban_failures": 1000},
                        rig.dovecot_sections(dovecot), listeners=("imaps", "https"))
    try:
        yield World(door.start(), "127.90.0.1")
    finally:
        door.stop()


def fill(value, values):
    if isinstance(value, dict):
        return {key: fill(one, values) for key, one in value.items()}
    return value.format(**values) if isinstance(value, str) else value


def refusal(route, asker, subject):
    """(status, code) if it may not, None if it may."""
    least, flags = route[2], route[5].split()
    if asker.kind == "wrong":
        return 401, "signin"
    if asker.scope and route[1] != "/accounts" or asker.scope and route[0] != "GET":
        return 403, "role"
    if asker.kind.startswith("token") and least in ("pending", "recovery", "user"):
        return 501, "unsupported"
    if RANKS.index(asker.role) < RANKS.index(least):
        return (401, "signin") if asker.role in ("guest", "pending") else (403, "role")
    if "secret" in flags and asker.kind == "person" and asker.role != "admin":
        return 403, "role"
    if "domain" in flags and asker.is_bound and OWN not in asker.domains:
        return 403, "role"
    if "subject" in flags and asker.is_bound and subject.split("@")[1] not in asker.domains:
        return 404, "not_found"
    if "change" in flags and asker.role != "admin" and RANKS.index(SUBJECTS[subject]) >= RANKS.index(asker.role):
        return 403, "role"
    return None


def cases(asker):
    for route in ROUTES:
        for subject in SUBJECTS if "subject" in route[5] else [TARGET]:
            yield route, subject, refusal(route, asker, subject)


def ask(browser, route, values):
    return browser.ask(route[0], V1 + fill(route[1], values), fill(route[4], values))


@pytest.mark.parametrize("asker", ASKERS, ids=repr)
def test_refused(world, asker):
    browser, before, count = world.be(asker), world.dump(), 0
    for route, subject, wanted in cases(asker):
        if wanted is not None:
            answer = ask(browser, route, world.values(asker, subject, False))
            assert (answer.status, answer.json["code"]) == wanted, (route, subject, answer)
            assert answer["Content-Type"] == "application/problem+json" and answer.json["status"] == answer.status
            if wanted[0] == 404:  # as one that nobody has
                assert answer.json["detail"] in (f"no account {subject}", "you have no such domain")
            count += 1
    assert count >= 6 or asker.role == "admin"
    assert world.dump() == before


@pytest.mark.parametrize("asker", ASKERS, ids=repr)
def test_permitted(world, asker):
    browser = world.be(asker)
    for route, subject, wanted in cases(asker):
        # What ends the asker's own account, or takes its role, ends the test.
        if wanted is not None or "subject" in route[5] and subject != TARGET and "change" in route[5]:
            continue
        values = world.values(asker, subject, "{" in route[1] or route[0] == "DELETE")
        if "{own_device}" in route[1]:
            values["own_device"] = browser.post(V1 + "/self/devices", {"name": "old"}).json["id"]
        if "{session}" in route[1]:
            values["session"] = next(row["id"] for row in browser.get(V1 + "/sessions").json["items"] if row["is_this"])
        status = expected_of(route, asker)
        answer = ask(browser, route, values)
        assert answer.status == status, (route, answer)
        if status == 404:
            assert not answer.json["detail"].startswith("no account"), answer
        if "new" in route[5]:
            browser = world.be(asker)


def expected_of(route, asker):
    if route[1] == "/session/code" and asker.role != "pending":
        return 409  # the second step is behind him
    if route[:2] == ("POST", "/session") and (asker.role == "guest" or asker.kind != "person"):
        return 403  # there is no such account
    return route[3]


# What belongs to somebody else.

@pytest.fixture
def whole(world):
    """With all subjects, whatever another test took away."""
    for address in SUBJECTS:
        world.root.post(V1 + "/accounts", {"address": address})
    return world


def test_ids_of_others(whole):
    user, other = whole.be(ASKERS[3]), whole.be(ASKERS[4])
    session = other.get(V1 + "/sessions").json["items"][0]["id"]
    device = other.post(V1 + "/self/devices", {"name": "mine"}).json["id"]
    plain = whole.root.post(f"{V1}/accounts/plain@other.test/devices", {"name": "his"}).json["id"]
    whole.root.post(f"{V1}/accounts/plain@other.test/aliases", {"alias": "his@other.test"})
    whole.root.post(V1 + "/bans", {"source": "198.51.100.77"})
    rig.until(lambda: "198.51.100.77" in repr(whole.dump()[0]["ban"]) and "198.51.100.77" in repr(whole.dump()[0]["audit"]),
              "the ban in the store")
    before = whole.dump()
    staff = whole.be(ASKERS[6])
    for browser, path in ((user, f"/sessions/{session}"), (user, f"/self/devices/{device}"), (user, f"/self/devices/{plain}"),
                          (user, "/self/bans/198.51.100.77"), (staff, f"/accounts/{TARGET}/devices/{plain}"),
                          (staff, f"/accounts/{TARGET}/aliases/his@other.test")):
        answer = browser.delete(V1 + path)
        assert (answer.status, answer.json["code"]) == (404, "not_found"), (path, answer)
    assert whole.dump() == before
    assert session in [row["id"] for row in other.get(V1 + "/sessions").json["items"]]
    assert device in [row["id"] for row in other.get(V1 + "/self/devices").json["items"]]


def test_a_domain_admin_sees_his_domains_only(whole):
    for asker in ASKERS:
        if asker.is_bound:
            browser = whole.be(asker)
            rows = browser.get(V1 + "/accounts?limit=1000").json["items"]
            assert rows and {row["address"].split("@")[1] for row in rows} == set(asker.domains)
            assert {row["domain"] for row in browser.get(V1 + "/domains").json["items"]} == set(asker.domains)
            found = browser.get(V1 + "/search?query=plain").json["items"]
            assert {row["address"].split("@")[1] for row in found if row["kind"] == "account"} == set(asker.domains)


# Pages.

def pages(browser, path, size):
    """All rows of a list, page by page, and how many pages there were."""
    rows, after, count = [], "", 0
    while after is not None:
        answer = browser.get(f"{V1}{path}limit={size}{after}")
        assert answer.status == 200, answer
        assert len(answer.json["items"]) <= size
        rows += answer.json["items"]
        after, count = answer.json["next"], count + 1
        if after is not None:
            after = f"&{'before' if path.startswith(('/audit', '/events')) else 'after'}={after}"
    return rows, count


@pytest.mark.parametrize("path, key", [("/accounts?", "address"), ("/domains?", "domain"), ("/bans?", "source"), ("/tokens?", "id"),
                                       ("/audit?", "id"), ("/events?", "id")])
def test_pages_have_each_row_once(world, path, key):
    for number in range(1, 8):
        world.root.post(V1 + "/bans", {"source": f"198.51.100.{number}"})
        world.root.post(V1 + "/domains", {"domain": f"page{number}.test"})
    rows, count = pages(world.root, path, 3)
    assert count >= len(rows) // 3 >= 2
    every, _ = pages(world.root, path, 1000)
    assert [row[key] for row in rows] == [row[key] for row in every]
    assert len({row[key] for row in rows}) == len(rows)
    for limit in ("0", "1001", "-1", "x"):
        assert world.root.get(f"{V1}{path}limit={limit}").json["code"] == "syntax"


# The same creation again.

def test_a_creation_is_done_once(world):
    def post(address, key):
        return world.root.post(V1 + "/accounts", {"address": address}, Idempotency_Key=key)

    answers = at_once([(post, "once@example.test", "job-1") for _ in range(50)])
    assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
    assert answers[0].json["address"] == "once@example.test"
    assert len(world.door.json("audit", "list", "--account", "once@example.test")) == 1
    # Another question under the same key, and the same one under none.
    for answer in (post("twice@example.test", "job-1"), world.root.post(V1 + "/domains", {"domain": "a.test"},
                                                                      Idempotency_Key="job-1"),
                   world.root.post(V1 + "/accounts", {"address": "once@example.test"})):
        assert (answer.status, answer.json["code"]) == (409, "exists")
    # What is shown once is shown again to whoever lost the answer, and to nobody else.
    path = V1 + "/accounts/once@example.test/devices"
    first, again = (world.root.post(path, {"name": "phone"}, Idempotency_Key="job-2") for _ in range(2))
    assert (first.status, first.body) == (again.status, again.body) == (201, first.body)
    other = world.be(next(asker for asker in ASKERS if asker.name == "token-admin"))
    assert other.post(path, {"name": "phone"}, Idempotency_Key="job-2").json["password"] != first.json["password"]
    assert world.root.post(path, {"name": "x"}, Idempotency_Key="k" * 65).status == 400
    # A refused one is not kept: it may be asked for again once what was in its way is gone.
    assert post("late@late.test", "job-3").status == 404
    world.root.post(V1 + "/domains", {"domain": "late.test"})
    assert post("late@late.test", "job-3").status == 201


def test_a_ban_is_set_once(world):
    """What core does by itself keeps the key, too."""
    def ban(asker, key):
        return asker.post(V1 + "/bans", {"source": "198.51.100.60", "minutes": 60}, Idempotency_Key=key)

    answers = at_once([(ban, world.root, "ban-1") for _ in range(20)])
    done = [answer for answer in answers if answer.status == 201]
    assert done and {answer.status for answer in answers} <= {201, 503} and len({answer.body for answer in done}) == 1
    assert world.root.delete(V1 + "/bans/198.51.100.60").json["was_banned"]
    assert ban(world.root, "ban-1").body == done[0].body
    assert world.root.get(V1 + "/bans?source=198.51.100.60").json["items"] == []
    assert world.root.post(V1 + "/bans", {"source": "198.51.100.61"}, Idempotency_Key="ban-1").json["code"] == "exists"
    # Another's key is another.
    other = world.be(next(asker for asker in ASKERS if asker.name == "token-admin"))
    assert ban(other, "ban-1").status == 201
    assert len(world.root.get(V1 + "/bans?source=198.51.100.60").json["items"]) == 1


# What only the CLI could, before.

def test_the_audit_is_verified(world):
    def verify(**noted):
        query = "&".join(f"{key}={value}" for key, value in noted.items())
        return world.root.get(f"{V1}/audit/verify?{query}")

    first = verify().json
    assert first["ok"] and first["fault"] == "none" and first["records"] > 0 and first["record"] is None
    world.root.post(V1 + "/domains", {"domain": "verified.test"})
    again = verify(record=first["last"], hash=first["hash"]).json
    assert again["ok"] and again["last"] == first["last"] + 1
    other = verify(record=first["last"], hash="00" * 32).json
    assert (other["ok"], other["fault"], other["record"]) == (False, "other", first["last"])
    assert verify(record=first["last"]).json["code"] == verify(hash="00").json["code"] == "syntax"


def test_twofactor_is_reset_at_once(world, peer):
    world.door.add_account("reset@example.test", "walrus and tea")
    owner = Browser(world.door, peer)
    owner.post(V1 + "/session", {"login": "reset@example.test", "password": "walrus and tea"})
    secret = owner.post(V1 + "/self/twofactor", {"password": "walrus and tea"}).json["secret"]
    assert owner.post(V1 + "/self/twofactor/confirm", {"code": totp(secret, time.time())}).status == 200
    path = V1 + "/accounts/reset@example.test/twofactor"
    assert world.root.get(path).json["on"]
    assert world.root.post(path + "/reset").status == 204
    assert not world.root.get(path).json["on"] and owner.get(V1 + "/self").status == 401


# Codes.

def enrolled(door, peer):
    browser = Browser(door, peer)
    assert browser.post(V1 + "/session", {"login": "plain@example.test", "password": "walrus and tea"}).status == 200
    secret = browser.post(V1 + "/self/twofactor", {"password": "walrus and tea"}).json["secret"]
    answer = browser.post(V1 + "/self/twofactor/confirm", {"code": totp(secret, time.time())})
    return secret, answer.json["recovery_codes"]


def half_signed_in(door, peer):
    browser = Browser(door, peer)
    answer = browser.post(V1 + "/session", {"login": "plain@example.test", "password": "walrus and tea"})
    assert answer.json == {"state": "code"}
    return browser


def test_codes_are_good_once_and_guesses_end(make_gatepost, peer):
    door = make_gatepost({"autoban_failures": 1000}, accounts=False)
    door.add_account("plain@example.test", "walrus and tea")
    secret, codes = enrolled(door, peer)
    browser = half_signed_in(door, peer)

    def post(code):
        one = Browser(door, peer)
        one.cookie = browser.cookie
        return one.post(V1 + "/session/code", {"code": code}).status

    answers = at_once([(post, codes[0]) for _ in range(50)])
    assert answers.count(200) == 1 and set(answers) <= {200, 401, 403, 409, 503}
    browser = half_signed_in(door, peer)
    assert post(codes[0]) == 403
    door.advance(60)
    # Nine more wrong ones; then the right one is not looked at either.
    statuses = [post("000000") for _ in range(12)]
    assert statuses[0] == 403 and statuses[-1] == 429
    assert statuses.index(429) <= 10 and set(statuses[statuses.index(429):]) == {429}
    assert post(totp(secret, time.time() + 60)) == 429
    # Nobody guesses a recovery code: it stays a way in for the owner.
    assert post(codes[1]) == 200


def test_a_name_cannot_be_told_by_the_answer(world):
    """The same answer; what the time says is printed (tests/bench/timing measures it, test_same_work.c counts)."""
    def signin(login):
        begun = time.perf_counter()
        answer = Browser(world.door, "127.90.0.9").post(V1 + "/session", {"login": login, "password": "wrong password"})
        spent = time.perf_counter() - begun
        fields = {name: value for name, value in answer.fields.items() if name != "date"}
        return spent, (answer.status, sorted(fields.items()), answer.body)

    known, unknown = ([signin(login) for _ in range(30)] for login in (TARGET, "nobody-here@example.test"))
    assert len({repr(answer) for _, answer in known + unknown}) == 1
    for name, times in (("known", known), ("unknown", unknown)):
        print(f"{name}: median {statistics.median(spent for spent, _ in times) * 1000:.2f} ms of {len(times)}")
