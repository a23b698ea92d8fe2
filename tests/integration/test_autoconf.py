# SPDX-License-Identifier: ISC
"""Mail programs that set themselves up: what they are told, in the form they read, about what is really served; who
learns nothing from it; links that are good once; profiles that are signed. The forms are held against tests/formats
by xmllint, profiles against openssl and plistlib."""

import base64
import json
import plistlib
import re
import statistics
import subprocess
import time
import xml.etree.ElementTree as tree

import pytest
import rig
import talk
from browse import NAME, Browser, Wire
from conftest import ALICE
from test_portal import Portal, scan

V1 = "/api/v1"
FORMATS = rig.ROOT / "tests/formats"
DOMAIN = "example.test"
AUTOCONFIG = "/mail/config-v1.1.xml"
WELL_KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
  <Request>
    <EMailAddress>{}</EMailAddress>
    <AcceptableResponseSchema>""" + OUTLOOK + """</AcceptableResponseSchema>
  </Request>
</Autodiscover>
"""
TTL = 300  # seconds that a link is good


@pytest.fixture(scope="module")
def door(workdir, dovecot, token_keys):
    """With all services but POP3 without TLS."""
    options = {"token_key_file": f'"{token_keys}/default/HS256/default"', "mta_sts": "enforce",
               "mx_names": f'{{"{NAME}", "mx2.example.test"}}'}
    made = rig.Gatepost(workdir / "autoconf", options, rig.dovecot_sections(dovecot),
                        listeners=("smtp", "submission", "submissions", "imap", "imaps", "pop3s", "https"))
    try:
        made.start()
        made.cli("domain", "add", DOMAIN)
        made.cli("domain", "add", "other.test")
        made.cli("domain", "add", "alias.test", "--alias-of", DOMAIN)
        made.add_account(*ALICE)
        yield made
    finally:
        made.stop()


@pytest.fixture
def browser(door, peer):
    door.lift_all()
    return Browser(door, peer)


def signed_in(door, peer):
    browser = Browser(door, peer)
    assert browser.post(V1 + "/session", {"login": ALICE[0], "password": ALICE[1]}).status == 200
    return browser


def ask_at(browser, host, path, method="GET", body=None, **fields):
    if body is not None:
        body = body.encode() if isinstance(body, str) else body
    return browser.ask(method, path, body, Host=host, Origin=None,
                       Content_Type="text/xml; charset=utf-8" if body else None, **fields)


def outlook(browser, address, host=f"autodiscover.{DOMAIN}", path="/autodiscover/autodiscover.xml"):
    return ask_at(browser, host, path, "POST", REQUEST.format(address))


def validate(tmp_path, body, *schema):
    file = tmp_path / "answer.xml"
    file.write_bytes(body)
    done = subprocess.run(["xmllint", "--noout", "--nonet", *schema, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + body.decode()


# ---- what is served ----

def servers_of(body):
    return [(one.get("type"), one.findtext("hostname"), int(one.findtext("port")), one.findtext("socketType"))
            for one in tree.fromstring(body).find("emailProvider") if one.tag.endswith("Server")]


def test_thunderbird(door, browser, tmp_path):
    answer = ask_at(browser, f"autoconfig.{DOMAIN}", AUTOCONFIG + "?emailaddress=alice%40example.test")
    assert (answer.status, answer["Content-Type"]) == (200, "text/xml; charset=utf-8")
    validate(tmp_path, answer.body, "--relaxng", FORMATS / "autoconfig.rng")
    ports = door.ports
    assert servers_of(answer.body) == [
        ("imap", NAME, ports["imaps"], "SSL"), ("imap", NAME, ports["imap"], "STARTTLS"),
        ("pop3", NAME, ports["pop3s"], "SSL"),
        ("smtp", NAME, ports["submissions"], "SSL"), ("smtp", NAME, ports["submission"], "STARTTLS")]
    assert tree.fromstring(answer.body).find("emailProvider").get("id") == DOMAIN
    # Whatever name it came by, with an address or without.
    for host, path in ((f"autoconfig.{DOMAIN}", AUTOCONFIG), (f"AutoConfig.Example.TEST:{ports['https']}", AUTOCONFIG),
                       (DOMAIN, WELL_KNOWN), (f"autoconfig.{DOMAIN}", WELL_KNOWN),
                       (NAME, WELL_KNOWN + "?emailaddress=bob@example.test"),
                       (f"autoconfig.{DOMAIN}", AUTOCONFIG + "?x=y&EmailAddress=bob@EXAMPLE.test"),
                       ("autoconfig.other.test", AUTOCONFIG + "?emailaddress=bob@example.test")):
        again = ask_at(browser, host, path)
        assert (again.status, again.body) == (200, answer.body), (host, path)
    head = ask_at(browser, DOMAIN, WELL_KNOWN, "HEAD")
    assert head.status == 200 and head["Content-Length"] == str(len(answer.body))
    alias = ask_at(browser, "autoconfig.alias.test", AUTOCONFIG)
    assert tree.fromstring(alias.body).findtext("emailProvider/domain") == "alias.test"


def protocols_of(body):
    space = {"o": OUTLOOK}
    return [{one.tag.split("}")[1]: one.text for one in protocol}
            for protocol in tree.fromstring(body).findall("o:Response/o:Account/o:Protocol", space)]


def test_outlook(door, browser, tmp_path):
    answer = outlook(browser, ALICE[0])
    assert (answer.status, answer["Content-Type"]) == (200, "text/xml; charset=utf-8")
    validate(tmp_path, answer.body, "--schema", FORMATS / "autodiscover.xsd")
    common = {"Server": NAME, "DomainRequired": "off", "LoginName": ALICE[0], "SPA": "off", "SSL": "on",
              "Encryption": "SSL", "AuthRequired": "on"}
    assert protocols_of(answer.body) == [
        {"Type": "IMAP", "Port": str(door.ports["imaps"]), **common},
        {"Type": "POP3", "Port": str(door.ports["pop3s"]), **common},
        {"Type": "SMTP", "Port": str(door.ports["submissions"]), **common, "UsePOPAuth": "on", "SMTPLast": "off"}]
    for host in (DOMAIN, NAME, f"{NAME}:{door.ports['https']}", "AUTODISCOVER.example.test"):
        for path in ("/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml", "/AutoDiscover/AutoDiscover.XML"):
            again = outlook(browser, ALICE[0], host, path)
            assert (again.status, again.body) == (200, answer.body), (host, path)


def test_outlook_is_told_what_it_did_wrong(browser, tmp_path):
    for body, code in ((b"<Autodiscover/>", "600"), (b"nonsense", "600"),
                       (REQUEST.format("").encode(), "600"),
                       (REQUEST.format(ALICE[0]).replace("outlook/responseschema/2006a", "mobilesync/2006").encode(), "601"),
                       (b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>' +
                        REQUEST.format("&e;@example.test").split("?>")[1].encode(), "600")):
        answer = ask_at(browser, f"autodiscover.{DOMAIN}", "/autodiscover/autodiscover.xml", "POST", body)
        assert answer.status == 200
        validate(tmp_path, answer.body, "--schema", FORMATS / "autodiscover.xsd")
        assert f"<ErrorCode>{code}</ErrorCode>".encode() in answer.body, body
    answer = ask_at(browser, f"autodiscover.{DOMAIN}", "/autodiscover/autodiscover.xml")
    assert answer.status == 200 and b"<ErrorCode>600</ErrorCode>" in answer.body
    # A name is text, whatever is in it.
    odd = outlook(browser, "&lt;/LoginName&gt;&amp;&quot;@example.test")
    assert protocols_of(odd.body)[0]["LoginName"] == '</LoginName>&"@example.test'


def test_outlook_finds_the_way(browser):
    url = {"Protocol": "AutodiscoverV1", "Url": f"https://{NAME}/autodiscover/autodiscover.xml"}
    for path in ("?Email=alice%40example.test&Protocol=AutodiscoverV1", "?protocol=autodiscoverv1&email=x@example.test",
                 "/v1.0/alice%40example.test?Protocol=AutodiscoverV1", "/V1.0/alice@example.test?Protocol=AutodiscoverV1&x"):
        answer = ask_at(browser, f"autodiscover.{DOMAIN}", "/autodiscover/autodiscover.json" + path)
        assert (answer.status, answer["Content-Type"], answer.json) == (200, "application/json", url), path
    for path, code in (("?Email=a@example.test", "MandatoryParameterMissing"),
                       ("?Email=a@example.test&Protocol=ActiveSync", "InvalidProtocol")):
        answer = ask_at(browser, DOMAIN, "/AutoDiscover/AutoDiscover.json" + path)
        assert (answer.status, answer.json["ErrorCode"]) == (400, code)


def test_mta_sts(browser):
    answer = ask_at(browser, f"mta-sts.{DOMAIN}", "/.well-known/mta-sts.txt")
    assert (answer.status, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert answer.body.decode() == ("version: STSv1\r\nmode: enforce\r\n"
                                    f"mx: {NAME}\r\nmx: mx2.example.test\r\nmax_age: 1209600\r\n")
    for host in (DOMAIN, NAME, "mta-sts.foreign.test"):
        assert ask_at(browser, host, "/.well-known/mta-sts.txt").status == 404, host


def test_dns(door, browser):
    host, ports = NAME + ".", door.ports
    records = {(row["name"], row["type"]): row["value"] for row in door.json("dns", DOMAIN)}
    assert records[("_imaps._tcp.example.test.", "SRV")] == f"0 1 {ports['imaps']} {host}"
    assert records[("_imap._tcp.example.test.", "SRV")] == f"10 1 {ports['imap']} {host}"
    assert records[("_submissions._tcp.example.test.", "SRV")] == f"0 1 {ports['submissions']} {host}"
    assert records[("_submission._tcp.example.test.", "SRV")] == f"10 1 {ports['submission']} {host}"
    assert records[("_pop3s._tcp.example.test.", "SRV")] == f"0 1 {ports['pop3s']} {host}"
    assert records[("_pop3._tcp.example.test.", "SRV")] == "0 0 0 ."
    assert records[("_autodiscover._tcp.example.test.", "SRV")] == f"0 1 443 {host}"
    assert records[("autoconfig.example.test.", "CNAME")] == records[("mta-sts.example.test.", "CNAME")] == host
    assert records[("_smtp._tls.example.test.", "TXT")] == '"v=TLSRPTv1; rua=mailto:postmaster@example.test"'
    assert re.fullmatch(r'"v=STSv1; id=[0-9a-f]{16}"', records[("_mta-sts.example.test.", "TXT")])
    text = door.cli("dns", DOMAIN)
    lines = [line for line in text.splitlines() if line and not line.startswith(";")]
    assert len(lines) == len(door.json("dns", DOMAIN)) == 14
    assert all(re.fullmatch(r"\S+\.example\.test\. +IN [A-Z]+ +\S.*|example\.test\. +IN MX +\d+ \S+\.", line)
               for line in lines), text
    # What is not to be served is not told of; a policy that changed has another id.
    door.options["mta_sts"] = "testing"
    door.write_config()
    door.cli("reload")
    try:
        other = {(row["name"], row["type"]): row["value"] for row in door.json("dns", DOMAIN)}
        key = ("_mta-sts.example.test.", "TXT")
        assert other[key] != records[key]
        assert b"mode: testing" in ask_at(browser, f"mta-sts.{DOMAIN}", "/.well-known/mta-sts.txt").body
    finally:
        door.options["mta_sts"] = "enforce"
        door.write_config()
        door.cli("reload")


# ---- who learns what ----

FOREIGN = [
    ("autoconfig.foreign.test", AUTOCONFIG), ("autoconfig.foreign.test", AUTOCONFIG + "?emailaddress=a@example.test"),
    (f"autoconfig.{DOMAIN}", AUTOCONFIG + "?emailaddress=a@foreign.test"), ("foreign.test", WELL_KNOWN),
    (NAME, WELL_KNOWN), (NAME, WELL_KNOWN + "?emailaddress=a@foreign.test"),
    (f"autoconfig.sub.{DOMAIN}", AUTOCONFIG), (f"autoconfig.autoconfig.{DOMAIN}", AUTOCONFIG), ("127.0.0.1", WELL_KNOWN),
    ("autodiscover.foreign.test", "/autodiscover/autodiscover.json?Email=a@foreign.test&Protocol=AutodiscoverV1"),
    ("autodiscover.foreign.test", "/autodiscover/autodiscover.xml"),
]


@pytest.mark.parametrize("host, path", FOREIGN)
def test_foreign_domains(browser, host, path):
    assert ask_at(browser, host, path).status == 404


def test_foreign_address(browser):
    assert outlook(browser, "alice@foreign.test").status == outlook(browser, "alice", NAME).status == 404
    assert outlook(browser, ALICE[0], "autodiscover.foreign.test").status == 404
    # Such a name opens nothing else.
    for host in (f"autoconfig.{DOMAIN}", f"autodiscover.{DOMAIN}", f"mta-sts.{DOMAIN}", DOMAIN):
        for path in ("/", V1 + "/session", "/app.js", "/setup/" + "A" * 43 + ".mobileconfig"):
            assert ask_at(browser, host, path).status == 421, (host, path)


def test_methods(browser):
    for host, path, method in ((DOMAIN, WELL_KNOWN, "POST"), (DOMAIN, "/autodiscover/autodiscover.json", "POST"),
                               (DOMAIN, "/autodiscover/autodiscover.xml", "DELETE"),
                               (f"mta-sts.{DOMAIN}", "/.well-known/mta-sts.txt", "PUT")):
        answer = ask_at(browser, host, path, method)
        assert answer.status == 405 and answer["Allow"].startswith("GET, HEAD"), path


def test_nobody_learns_which_addresses_exist(browser):
    """The same bytes and, within what chance does, the same time."""
    def both(name):
        first = ask_at(browser, f"autoconfig.{DOMAIN}", f"{AUTOCONFIG}?emailaddress={name}@example.test")
        second = outlook(browser, f"{name}@example.test")
        return first.body, second.body.replace(name.encode(), b"NAME"), first.fields, second.status

    known, unknown = both("alice"), both("nobody")
    for answer in (known, unknown):
        answer[2].pop("date")
    assert known == unknown
    spans = {"alice": [], "nobody": []}
    for _ in range(40):
        for name, times in spans.items():
            begin = time.perf_counter()
            both(name)
            times.append(time.perf_counter() - begin)
    # A look into the store, let alone a hash, would be on one side only; told, not judged, for machines differ.
    print({name: statistics.median(times) for name, times in spans.items()})


# ---- links ----

def begin(browser, name="My phone"):
    answer = browser.post(V1 + "/self/setup", {"name": name})
    assert answer.status == 200, answer
    return answer.json


def verify(door, tmp_path, body):
    """The profile in it, once its signature holds."""
    (tmp_path / "signed").write_bytes(body)
    subprocess.run(["openssl", "cms", "-verify", "-inform", "DER", "-in", tmp_path / "signed", "-CAfile", door.chain,
                    "-purpose", "any", "-out", tmp_path / "plain"], check=True, capture_output=True)
    return plistlib.loads((tmp_path / "plain").read_bytes(), fmt=plistlib.FMT_XML)


UUID4 = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}")
COMMON = {"PayloadType": str, "PayloadVersion": int, "PayloadIdentifier": str, "PayloadUUID": str,
          "PayloadDisplayName": str}
# Apple's keys of com.apple.mail.managed that an account needs, and their types.
MAIL = {**COMMON, "EmailAccountType": str, "EmailAddress": str, "EmailAccountDescription": str, "IncomingPassword": str,
        "OutgoingPasswordSameAsIncomingPassword": bool,
        **{f"{side}MailServer{key}": kind for side in ("Incoming", "Outgoing") for key, kind in (
            ("Authentication", str), ("HostName", str), ("PortNumber", int), ("UseSSL", bool), ("Username", str))}}


def test_profile(door, browser, peer, tmp_path):
    owner = signed_in(door, peer)
    link = begin(owner, "Alices iPhone")
    assert link["url"] == f"https://{NAME}/#setup={link['token']}"
    path = f"/setup/{link['token']}.mobileconfig"
    # To look is not to use.
    assert browser.ask("HEAD", path).status == 405
    assert browser.post(V1 + "/setup/show", {"token": link["token"]}).json["name"] == "Alices iPhone"
    answer = browser.get(path)
    assert (answer.status, answer["Content-Type"]) == (200, "application/x-apple-aspen-config")
    assert answer["Cache-Control"] == "no-store" and answer["Content-Disposition"].startswith("attachment; ")
    profile = verify(door, tmp_path, answer.body)
    mail, = profile.pop("PayloadContent")
    assert {key: type(profile[key]) for key in COMMON} == COMMON and profile["PayloadType"] == "Configuration"
    assert {key: type(value) for key, value in mail.items()} == MAIL
    assert mail["PayloadType"] == "com.apple.mail.managed" and mail["EmailAccountType"] == "EmailTypeIMAP"
    assert (profile["PayloadVersion"], mail["PayloadVersion"]) == (1, 1)
    assert UUID4.fullmatch(profile["PayloadUUID"]) and UUID4.fullmatch(mail["PayloadUUID"])
    assert profile["PayloadUUID"] != mail["PayloadUUID"]
    assert mail["IncomingMailServerPortNumber"] == door.ports["imaps"]
    assert mail["OutgoingMailServerPortNumber"] == door.ports["submissions"]
    assert mail["EmailAddress"] == mail["IncomingMailServerUsername"] == mail["OutgoingMailServerUsername"] == ALICE[0]
    # Its password opens what it is for, and nothing else.
    assert talk.is_ok(talk.signin(door, "imaps", ALICE[0], mail["IncomingPassword"], peer))
    device = owner.get(V1 + "/self/devices").json["items"][-1]
    assert (device["name"], device["scopes"]) == ("Alices iPhone", ["imap", "smtp"])
    # Once.
    again = browser.get(path)
    assert (again.status, again["Location"], again.body) == (303, "/#/link", b"")
    assert browser.post(V1 + "/setup", {"token": link["token"]}).status == 404
    assert len(owner.get(V1 + "/self/devices").json["items"]) == 1
    # It is nowhere in the clear.
    assert mail["IncomingPassword"] not in door.log() and link["token"] not in door.log()


def test_changed_profile_does_not_verify(door, peer, tmp_path):
    owner = signed_in(door, peer)
    body = Browser(door, peer).get(f"/setup/{begin(owner)['token']}.mobileconfig").body
    with pytest.raises(subprocess.CalledProcessError):
        verify(door, tmp_path, body.replace(NAME.encode(), b"evil.example.test", 1))
    owner.delete(V1 + "/self/devices")


def test_values_for_the_others(door, browser, peer):
    owner = signed_in(door, peer)
    token = begin(owner)["token"]
    assert browser.post(V1 + "/setup/show", {"token": token}).json.keys() == {"address", "name", "expires_at"}
    made = browser.post(V1 + "/setup", {"token": token}).json
    assert made["scopes"] == ["imap", "smtp"] and made["login"] == made["address"] == ALICE[0]
    told = owner.get(V1 + "/self/settings").json
    key = lambda one: one["service"]  # noqa: E731
    assert sorted(made["services"], key=key) == sorted(told["services"], key=key)
    assert talk.is_ok(talk.signin(door, "imaps", ALICE[0], made["password"], peer))
    assert browser.get(f"/setup/{token}.mobileconfig").status == 303
    owner.delete(V1 + "/self/devices")


def test_a_link_ends(door, browser, peer):
    owner = signed_in(door, peer)
    first, second = begin(owner)["token"], begin(owner)["token"]
    assert browser.post(V1 + "/setup", {"token": first}).status == 404, "a newer one was made"
    door.advance(TTL - 60)
    assert browser.post(V1 + "/setup/show", {"token": second}).status == 200
    door.advance(60)
    assert browser.post(V1 + "/setup/show", {"token": second}).status == 404
    assert browser.get(f"/setup/{second}.mobileconfig").status == 303
    third = begin(owner)["token"]
    door.cli("account", "passwd", ALICE[0], stdin=ALICE[1] + " anew\n")
    assert browser.post(V1 + "/setup", {"token": third}).status == 404, "the password is another one"
    door.cli("account", "passwd", ALICE[0], stdin=ALICE[1] + "\n")
    assert door.json("device", "list", ALICE[0]) == []
    assert not door.json("ban", "list"), "a link that was good once is no guess"


def test_guessed_links_count(door, browser, peer):
    begin(signed_in(door, peer))
    for number in range(5):
        token = base64.urlsafe_b64encode(bytes([number]) * 32).decode().rstrip("=")
        assert browser.get(f"/setup/{token}.mobileconfig").status == 303
    assert [row["source"] for row in door.json("ban", "list")] == [peer]


def test_only_one_of_many_wins(door, browser, peer):
    owner = signed_in(door, peer)
    path = f"/setup/{begin(owner)['token']}.mobileconfig"
    wires = [Wire(door, peer) for _ in range(8)]
    for wire in wires:
        wire.send(f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n")
    answers = sorted(wire.answer().status for wire in wires)
    assert answers == [200] + [303] * 7
    assert len(owner.get(V1 + "/self/devices").json["items"]) == 1
    owner.delete(V1 + "/self/devices")


def test_the_code_is_the_link(door, peer, tmp_path):
    link = begin(signed_in(door, peer))
    assert re.fullmatch(r"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 \d+ \d+'.*</svg>", link["svg"])
    assert json.dumps(link).count(link["token"]) == 2


def test_panels_ask_for_records(door):
    token = door.json("token", "add", "panel", "--role", "domain-admin", "--domain", DOMAIN)["token"]
    panel = Browser(door, Authorization=f"Bearer {token}")
    assert len(panel.get(V1 + f"/domains/{DOMAIN}/dns").json["items"]) == 14
    assert panel.get(V1 + "/domains/other.test/dns").status == 404
    assert panel.get(V1 + "/domains/%20/dns").status == 400


# ---- people ----

IPHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
          "Version/18.5 Mobile/15E148 Safari/604.1")
MAC = ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
       "Safari/605.1.15")


@pytest.fixture
def people(door):
    door.lift_all()
    made = Portal(door)
    try:
        yield made
        assert [fault for browser in made.browsers for fault in browser.problems()] == []
    finally:
        made.close()
        door.cli("device", "revoke", ALICE[0], "--all", "--yes")


def scanned(people, tmp_path):
    """What a camera reads from alice's screen."""
    desk = people.signed_in(ALICE)
    desk.follow("#/setup")
    desk.fill("Which program or device is it for?", "Alices phone")
    desk.press("Show a QR code for my phone")
    desk.see("Scan this with your phone")
    url = scan(desk.shot("code", ".qr", folder=tmp_path))
    assert url.startswith(f"https://{NAME}/#setup=")
    return url.partition("/#")[2]


def test_by_the_camera_of_an_iphone(door, people, peer, tmp_path):
    way = scanned(people, tmp_path)
    phone = people.browser(userAgent=IPHONE)
    phone.go("#" + way)
    phone.see(ALICE[0], "Alices phone")
    assert way not in phone.url()
    kind, path = phone.run("""
        const waiting = page.waitForEvent("download");
        await page.getByRole("button", {name: "Install on this iPhone"}).click();
        const download = await waiting;
        return [download.suggestedFilename(), await download.path()];""")
    phone.see("The profile is on its way to this device.")
    assert kind == f"{NAME}.mobileconfig"
    with open(path, "rb") as file:
        mail, = verify(door, tmp_path, file.read())["PayloadContent"]
    assert talk.is_ok(talk.signin(door, "imaps", ALICE[0], mail["IncomingPassword"], peer))
    assert talk.is_ok(talk.signin(door, "submissions", ALICE[0], mail["IncomingPassword"], peer))
    # Another one who saw the code comes too late.
    late = people.browser(userAgent=IPHONE)
    late.go("#" + way)
    late.see("This link is not valid any more")
    late.go(way.replace("setup=", "setup/") + ".mobileconfig")
    late.see("This link is not valid any more")


def test_by_the_camera_of_another_phone(door, people, peer, tmp_path):
    way = scanned(people, tmp_path)
    phone = people.browser()
    phone.go("#" + way)
    phone.see("Show me the values")
    assert "Install" not in phone.text()
    phone.press("Show me the values")
    phone.see(NAME, str(door.ports["imaps"]), str(door.ports["submissions"]), "Alices phone")
    assert talk.is_ok(talk.signin(door, "imaps", ALICE[0], phone.text(".secret code"), peer))
    assert phone.violations() == []


def test_on_this_mac(door, people, peer, tmp_path):
    desk = people.signed_in(ALICE)
    desk.follow("#/setup/apple-mac")
    desk.see("Nothing need be typed if you open this page on the Mac itself.")
    assert desk.count("main form") == 1  # that of the device password
    desk = people.signed_in(ALICE, userAgent=MAC)
    desk.follow("#/setup/apple-mac")
    desk.see("Show a QR code for my phone")
    path = desk.run("""
        const waiting = page.waitForEvent("download");
        await page.getByRole("button", {name: "Install on this Mac"}).click();
        return await (await waiting).path();""")
    with open(path, "rb") as file:
        mail, = verify(door, tmp_path, file.read())["PayloadContent"]
    assert talk.is_ok(talk.signin(door, "imaps", ALICE[0], mail["IncomingPassword"], peer))
    desk.see("The profile is on its way to this device.")
