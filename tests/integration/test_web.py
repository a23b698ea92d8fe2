# SPDX-License-Identifier: ISC
"""The portal's door: what reaches it and what does not, whatever a client sends, and what stays when it breaks. What the
API answers to whom is in test_api.py, the ways of people through the pages in test_portal.py."""

import gzip
import itertools
import os
import signal
import socket

import pytest
import rig
import talk
from browse import NAME, Browser, Wire
from conftest import ALICE
from test_canary import Canaries, find_in_files, find_in_processes

HOST = f"Host: {NAME}\r\n"
GET = f"GET /api/v1/session HTTP/1.1\r\n{HOST}\r\n"
TYPES = {".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".json": "application/json", ".svg": "image/svg+xml"}
EVERYWHERE = {
    "Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def policy(answer):
    return dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))


def source_of(answer):
    assert answer.status == 200, answer
    return answer.json["source"]


# Pages.

def test_every_page(gatepost):
    browser = Browser(gatepost)
    portal = rig.ROOT / "portal"
    files = [path for path in portal.rglob("*") if path.suffix in TYPES]
    assert len(files) > 10
    packed = 0
    for path in files:
        url = "/" + path.relative_to(portal).as_posix().removesuffix("index.html")
        plain = browser.get(url)
        assert (plain.status, plain.body) == (200, path.read_bytes()), url
        assert plain["Content-Type"] == TYPES[path.suffix]
        assert plain["Cache-Control"] == "no-cache" and plain["Vary"] == "Accept-Encoding"
        assert {name: plain[name] for name in EVERYWHERE} == EVERYWHERE
        # What the browser has it need not fetch again.
        again = browser.get(url, If_None_Match=plain["ETag"])
        assert (again.status, again.body, again["ETag"]) == (304, b"", plain["ETag"])
        small = browser.get(url, Accept_Encoding="gzip, deflate, br")
        packed += len(small.body)
        if small["Content-Encoding"]:
            assert gzip.decompress(small.body) == plain.body and small["ETag"] != plain["ETag"]
        assert browser.ask("HEAD", url)["Content-Length"] == str(len(plain.body))
    assert packed <= 60 * 1024 * 2, "both languages and all pages"


def test_policy_of_pages(gatepost):
    page = policy(Browser(gatepost).get("/"))
    assert page.pop("default-src") == page.pop("frame-ancestors") == page.pop("base-uri") == "'none'"
    assert page.pop("form-action") == "'none'"
    assert {word for sources in page.values() for word in sources.split()} <= {"'self'", "data:"}
    assert page["script-src"] == "'self'" and page["style-src"] == "'self'"


def test_fields_of_the_api(gatepost):
    for path, status in (("/api/v1/session", 200), ("/api/v1/self/events", 401), ("/api/v1/nothing", 404)):
        answer = Browser(gatepost).get(path)
        assert answer.status == status
        assert answer["Cache-Control"] == "no-store"
        assert {name: answer[name] for name in EVERYWHERE} == EVERYWHERE
        assert policy(answer) == {"default-src": "'none'", "frame-ancestors": "'none'"}
        assert answer["Content-Type"] == ("application/json" if status == 200 else "application/problem+json")
        assert "set-cookie" not in answer.fields and "server" not in answer.fields
    missing = Browser(gatepost).get("/nothing")
    assert missing.status == 404 and missing.json["code"] == "not_found"
    for method, path, allow in (("PUT", "/api/v1/bans", "GET, HEAD, POST"), ("OPTIONS", "/api/v1/status", "GET, HEAD"),
                                ("POST", "/", "GET, HEAD")):
        answer = Browser(gatepost).ask(method, path)
        assert (answer.status, answer["Allow"]) == (405, allow)


# Requests to the byte.

SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: evil.test\r\n\r\n"


def post(fields, body=""):
    return f"POST /api/v1/bans HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n{fields}\r\n{body}"


REFUSED = {
    "two lengths": (400, post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}")),
    "two lengths that differ": (400, post(f"Content-Length: 2\r\nContent-Length: {2 + len(SMUGGLED)}\r\n", "{}")),
    "a list of lengths": (400, post("Content-Length: 2, 2\r\n", "{}")),
    "a blank before the colon": (400, post("Content-Length : 2\r\n", "{}")),
    "a signed length": (400, post("Content-Length: +2\r\n", "{}")),
    "a hexadecimal length": (400, post("Content-Length: 0x2\r\n", "{}")),
    "chunked": (400, post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")),
    "length and chunked": (400, post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
    "chunked, hidden": (400, post("Transfer-Encoding:\tchunked\r\nContent-Length: 2\r\n", "{}")),
    "chunked, misspelt": (400, post("Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n", "{}")),
    "identity": (400, post("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "{}")),
    "a body to GET": (400, f"GET / HTTP/1.1\r\n{HOST}Content-Length: {len(SMUGGLED)}\r\n\r\n"),
    "two hosts": (400, f"GET / HTTP/1.1\r\n{HOST}Host: evil.test\r\n\r\n"),
    "no host": (400, "GET / HTTP/1.1\r\n\r\n"),
    "a strange host": (400, f"GET / HTTP/1.1\r\nHost: {NAME}/evil\r\n\r\n"),
    "an absolute form": (400, f"GET https://{NAME}/ HTTP/1.1\r\n{HOST}\r\n"),
    "another site": (400, f"GET http://evil.test/ HTTP/1.1\r\n{HOST}\r\n"),
    "an authority": (501, f"CONNECT evil.test:25 HTTP/1.1\r\n{HOST}\r\n"),
    "folding": (400, f"GET / HTTP/1.1\r\n{HOST}X: a\r\n b\r\n\r\n"),
    "a folded first field": (400, f"GET / HTTP/1.1\r\n X: a\r\n{HOST}\r\n"),
    "bare LF": (400, GET.replace("\r\n", "\n")),
    "one bare LF": (400, f"GET / HTTP/1.1\r\n{HOST}X: a\n\r\n"),
    "bare CR": (400, f"GET / HTTP/1.1\r\n{HOST}X: a\rY: b\r\n\r\n"),
    "NUL in a field": (400, f"GET / HTTP/1.1\r\n{HOST}X: a\0b\r\n\r\n"),
    "NUL in the target": (400, f"GET /\0 HTTP/1.1\r\n{HOST}\r\n"),
    "an escaped NUL": (400, f"GET /%00 HTTP/1.1\r\n{HOST}\r\n"),
    "HTTP/1.0": (505, f"GET / HTTP/1.0\r\n{HOST}\r\n"),
    "HTTP/2": (505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/0.9": (400, "GET /\r\n"),
    "no HTTP": (400, "EHLO mail.example.test\r\n"),
    "no known method": (501, f"BREW / HTTP/1.1\r\n{HOST}\r\n"),
    "a long target": (414, f"GET /{'a' * 2048} HTTP/1.1\r\n{HOST}\r\n"),
    "a long head": (431, f"GET / HTTP/1.1\r\n{HOST}X: {'a' * 8192}\r\n\r\n"),
    "many fields": (431, f"GET / HTTP/1.1\r\n{HOST}" + "X: a\r\n" * 64 + "\r\n"),
    "a long body": (413, post("Content-Length: 16385\r\n", "{}")),
    "a miracle": (417, post("Expect: a miracle\r\nContent-Length: 2\r\n", "{}")),
    "a field not to be passed on": (400, f"GET / HTTP/1.1\r\n{HOST}Connection: close, Cookie\r\n\r\n"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_requests(gatepost, peer, what):
    """One refusal and the end, whatever comes behind; how the bytes are cut does not matter."""
    status, text = REFUSED[what]
    data = (text + SMUGGLED).encode()
    for cuts in ([], [1, 7, len(text) // 2], [len(text) - 1]):
        with Wire(gatepost, peer) as wire:
            for begin, end in itertools.pairwise([0, *cuts, len(data)]):
                try:
                    wire.send(data[begin:end])
                except OSError:  # refused already
                    break
            answer = wire.answer()
            assert answer.status == status, answer
            assert answer["Connection"] == "close" and answer["Content-Type"] == "application/problem+json"
            assert answer.json["status"] == status
            assert wire.is_closed()


def test_one_connection_many_requests(gatepost, peer):
    with Wire(gatepost, peer) as wire:
        # All at once, and with bodies: each is answered in its turn.
        wire.send(GET + post("Content-Length: 2\r\n", "{}") + f"HEAD / HTTP/1.1\r\n{HOST}\r\n" + "\r\n" + GET)
        assert wire.answer().json["state"] == "guest"
        assert wire.answer().json["code"] == "signin"
        assert wire.answer("HEAD").status == 200
        assert wire.answer()["Connection"] == "keep-alive"
        wire.send(f"GET / HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n{GET}")
        assert wire.answer()["Connection"] == "close"
        assert wire.is_closed()


def test_expectations(gatepost, peer):
    with Wire(gatepost, peer) as wire:
        wire.send(post("Expect: 100-continue\r\nContent-Length: 2\r\n"))
        assert wire.answer().status == 100
        assert wire.send("{}").answer().json["code"] == "signin"


@pytest.mark.parametrize("host", ["evil.test", "example.test", f"{NAME}.evil.test", f"x{NAME}", "127.0.0.1", "localhost", f"{NAME}."])
def test_hostile_hosts(gatepost, host):
    for path in ("/", "/api/v1/session"):
        answer = Browser(gatepost).get(path, Host=host)
        assert (answer.status, answer.json["code"]) == (421, "host")


@pytest.mark.parametrize("fields", [
    {"Origin": "https://evil.test"}, {"Origin": "null"}, {"Origin": f"http://{NAME}"}, {"Origin": f"https://{NAME}.evil.test"},
    {"Origin": f"https://{NAME}:1"}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
    {"Origin": None, "Cookie": "__Host-gatepost=abc"}])
def test_hostile_origins(gatepost, fields):
    for method, path in (("POST", "/api/v1/bans"), ("DELETE", "/api/v1/session"), ("POST", "/api/v1/session/end-all")):
        answer = Browser(gatepost).ask(method, path, {}, **fields)
        assert (answer.status, answer.json["code"]) == (403, "origin")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", None])
def test_only_json_changes(gatepost, kind):
    answer = Browser(gatepost).post("/api/v1/bans", {"source": "192.0.2.1"}, Content_Type=kind)
    assert (answer.status, answer.json["code"]) == (415, "content_type")


# Where the browser is.

def test_forwarded_by_nobody_we_know(gatepost, peer):
    for fields in ({"X_Forwarded_For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}, {"X_Real_IP": "192.0.2.1"},
                   {"True_Client_IP": "192.0.2.1"}, {"CF_Connecting_IP": "192.0.2.1"}, {"X_Client_IP": "192.0.2.1"}):
        assert source_of(Browser(gatepost, peer).get("/api/v1/session", **fields)) == peer


def test_forwarded_by_a_proxy(make_gatepost):
    door = make_gatepost(https_options='trusted_proxies = {"127.81.0.0/24"}', accounts=False)
    proxy = Browser(door, "127.81.0.1")
    assert source_of(proxy.get("/api/v1/session")) == "127.81.0.1"
    assert source_of(proxy.get("/api/v1/session", X_Forwarded_For="192.0.2.1")) == "192.0.2.1"
    assert source_of(proxy.get("/api/v1/session", X_Forwarded_For="203.0.113.9, 192.0.2.1, 127.81.0.7")) == "192.0.2.1"
    assert source_of(proxy.get("/api/v1/session", X_Forwarded_For="2001:db8:1:2::3")) == "2001:db8:1:2::/64"
    assert source_of(proxy.get("/api/v1/session", X_Forwarded_For="somewhere")) == "127.81.0.1"
    assert source_of(proxy.get("/api/v1/session", X_Real_IP="192.0.2.1")) == "127.81.0.1"
    assert source_of(Browser(door, "127.82.0.1").get("/api/v1/session", X_Forwarded_For="192.0.2.1")) == "127.82.0.1"


def test_banned_but_not_from_here(gatepost, peer):
    """A banned source is refused on mail ports; the portal tells it why."""
    gatepost.cli("ban", "add", peer)
    assert "blocked" in talk.connect(gatepost, "imap", peer)
    assert source_of(Browser(gatepost, peer).get("/api/v1/session")) == peer


# Slow ones.

def test_slow_requests_end(make_gatepost):
    door = make_gatepost({"login_timeout": "1s"}, accounts=False)
    with Wire(door) as wire:
        answer = wire.send("GET / HTTP/1.1\r\nHo").answer()
        assert answer.status == 408 and wire.is_closed()
    with Wire(door) as wire:
        assert wire.send(post("Content-Length: 9\r\n", "{}")).answer().status == 408 and wire.is_closed()
    with Wire(door) as wire:  # a connection that says nothing at all
        assert wire.is_closed()
    with Wire(door) as wire:  # and one that says nothing more
        assert wire.send(GET).answer().status == 200 and wire.is_closed()
    # TLS counts.
    with socket.create_connection(("127.0.0.1", door.ports["https"]), 20) as sock:
        assert sock.recv(100) == b""


def test_a_thousand_slow_ones(make_gatepost):
    """They come and come, in every stage of a request; everybody else is served at once."""
    door = make_gatepost({"max_connections": 300})
    crowd = []
    stages = ("", "G", "GET / HTTP/1.1\r\n", f"GET / HTTP/1.1\r\n{HOST}X:", post("Content-Length: 16000\r\n", "{"))
    try:
        for number in range(1000):
            source = f"127.83.{number // 250}.{number % 250 + 1}"
            wire = Wire(door, source)
            crowd.append(wire.send(stages[number % len(stages)]))
            if number % 100 == 99:
                for _ in range(3):
                    assert Browser(door, "127.84.0.1").get("/").status == 200
                    assert source_of(Browser(door, "127.84.0.1").get("/api/v1/session")) == "127.84.0.1"
        assert talk.is_ok(talk.signin(door, "imaps", *ALICE, "127.84.0.1"))
        sessions = [row["sessions"] for row in door.json("status")["processes"] if row["name"].startswith("front")]
        assert all(count <= 300 for count in sessions)
    finally:
        for wire in crowd:
            wire.close()


def test_slow_readers(make_gatepost):
    """Who asks and does not read is let go; nobody else waits for him."""
    door = make_gatepost({"login_timeout": "2s"}, accounts=False)
    with Wire(door, "127.87.0.1") as slow:
        slow.send(f"GET /text/de.json HTTP/1.1\r\n{HOST}\r\n" * 200)
        for _ in range(5):
            assert Browser(door).get("/text/de.json").status == 200
        rig.until(lambda: 'client=127.87.0.1 why="timed out"' in door.log(), "the end of it")


# What breaks.

def web_pid(door):
    return door.pids()["web.0"]


def is_back(door, before):
    def asked():
        answer = Browser(door).get("/api/v1/session")
        return answer is not None and answer.status == 200 and web_pid(door) != before
    return rig.until(asked, "the portal")


def test_web_killed(make_gatepost):
    """Requests meanwhile are told to come again; mail never notices."""
    door = make_gatepost()
    with talk.connect(door, "imaps", "127.85.0.1") as line:
        assert talk.is_ok(talk.attempt(line, "imaps", *ALICE))
        others = {name: pid for name, pid in door.pids().items() if name != "web.0"}
        for _ in range(3):
            before = web_pid(door)
            os.kill(before, signal.SIGKILL)
            answer = Browser(door).get("/api/v1/session")
            assert answer.status in (200, 503), answer
            if answer.status == 503:
                assert answer["Retry-After"] == "1" and answer["Connection"] == "close"
            is_back(door, before)
        line.send("b NOOP")
        assert line.tagged("b")[-1].startswith("b OK")
    assert {name: pid for name, pid in door.pids().items() if name != "web.0"} == others


def test_web_hangs(make_gatepost):
    """It is ended, and who waited for it is told so."""
    door = make_gatepost(accounts=False)
    before = web_pid(door)
    os.kill(before, signal.SIGSTOP)
    answer = Browser(door).get("/")
    assert answer.status == 503
    is_back(door, before)


def test_core_killed(make_gatepost):
    """The pages go on; what needs core is told to come again."""
    door = make_gatepost(accounts=False)
    before = web_pid(door)
    core = door.pids()["core"]
    os.kill(core, signal.SIGSTOP)
    waiting = Wire(door).send(GET)
    assert Browser(door).get("/").status == 200
    os.kill(core, signal.SIGKILL)
    assert waiting.answer().status == 503
    rig.until(lambda: Browser(door).get("/api/v1/session").status == 200, "core")
    assert web_pid(door) == before


def test_reload_with_and_without(make_gatepost):
    door = make_gatepost(listeners=rig.SERVICES, accounts=False)
    assert "web.0" not in door.pids()
    door.ports["https"], = rig.free_ports(1)
    door.write_config()
    door.cli("reload")
    rig.until(lambda: rig.is_open(door.ports["https"]) and "web.0" in door.pids(), "the portal")
    assert is_back(door, None)
    port = door.ports.pop("https")
    door.write_config()
    door.cli("reload")
    rig.until(lambda: not rig.is_open(port) and "web.0" not in door.pids(), "the portal's end")


# Secrets.

def test_no_secret_is_left(make_gatepost, token_keys):
    door = make_gatepost({"autoban_failures": 100})
    canaries, peer = Canaries(), "127.86.0.1"
    browser = Browser(door, peer)
    new = canaries.new
    browser.post("/api/v1/session", {"login": ALICE[0], "password": new("sign-in")})
    browser.post("/api/v1/session", {"login": new("login"), "password": new("unknown name")})
    browser.post("/api/v1/session", f'{{"password": "{new("malformed JSON")}'.encode())
    browser.post("/api/v1/session", {"password": [new("of a wrong type")]})
    browser.post("/api/v1/session", {new("as a key"): "x"})
    browser.post(f"/api/v1/session?password={new('in a query')}", {})
    browser.get(f"/api/v1/events?password={new('in a query of GET')}")
    browser.get(f"/api/v1/accounts/{new('in a path')}/nothing")
    browser.get("/api/v1/session", Cookie=f"__Host-gatepost={new('cookie')}")
    browser.get("/api/v1/session", Cookie=f"__Host-gatepost=\"{new('malformed cookie')}\"")
    browser.get("/api/v1/session", Authorization=f"Bearer {new('token')}")
    browser.get("/api/v1/session", Authorization=f"Basic {new('Basic')}")
    browser.post("/api/v1/session", {}, Idempotency_Key=new("idempotency key"))
    with Wire(door, peer) as wire:
        wire.send(f"POST /{new('refused by the front')} HTTP/1.1\r\n{HOST}X: {new('field')}\n\r\n").answer()
    with Wire(door, peer) as wire:
        wire.send(post("Content-Length: 100\r\n", f'{{"password": "{new("half a request")}'))
    needles = [needle for needle in canaries.forms() if "login" not in needle[1]]
    assert not list(find_in_processes(needles, door.pids()))
    door.stop()
    assert "debug" in door.log()
    assert not list(find_in_files(needles, door.folder, {door.folder / "state/pepper.key", door.key}))
