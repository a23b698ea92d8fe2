# SPDX-License-Identifier: ISC
"""What doc/openapi.yaml says of answers is what comes: every GET, and creations, held against their schemas."""

import re
import urllib.parse

import pytest
import rig
import talk
import yaml
from browse import Browser
from conftest import ALICE

DOC = yaml.safe_load((rig.ROOT / "doc/openapi.yaml").read_text(encoding="utf-8"))
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}
# Which of its arguments an operation gets that needs one of several.
CHOICES = {"/api/v1/senders": ("address", ALICE[0])}
GETS = [path for path, methods in DOC["paths"].items() if "get" in methods]


def faults(schema, value, where="body"):
    """Where a value is not what the schema says, as text."""
    while "$ref" in schema:
        at = DOC
        for part in schema["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        schema = at
    for part in schema.get("allOf", ()):
        yield from faults(part, value, where)
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if kinds and not any(type(value) is TYPES[kind] for kind in kinds):
        yield f"{where} is {value!r}, not {kinds}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {value!r}, not of {schema['enum']}"
    if schema.get("format") == "date-time" and value is not None:
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
            yield f"{where} is no time: {value!r}"
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from faults(schema.get("items", {}), item, f"{where}[{number}]")
    if isinstance(value, dict):
        yield from (f"{where}.{key} is missing" for key in schema.get("required", ()) if key not in value)
        for key, one in schema.get("properties", {}).items():
            if key in value:
                yield from faults(one, value[key], f"{where}.{key}")


def known(schema):
    """Every key that an object of this schema may have; None for any."""
    while "$ref" in schema:
        schema = DOC["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if schema.get("additionalProperties"):
        return None
    keys = set(schema.get("properties", ()))
    for part in schema.get("allOf", ()):
        keys |= known(part)
    return keys


def schema_of(method, path, status):
    return DOC["paths"][path][method]["responses"][str(status)]["content"]["application/json"]["schema"]


def check(method, path, answer):
    schema = schema_of(method, path, answer.status)
    assert not list(faults(schema, answer.json)), path
    is_list = "items" in schema.get("properties", ())
    allowed = known(schema["properties"]["items"]["items"] if is_list else schema)
    for row in answer.json["items"] if is_list else [answer.json]:
        assert allowed is None or set(row) <= allowed, f"{path}: {set(row) - allowed} is not told of"
    return answer.json


@pytest.fixture(scope="module")
def people(gatepost):
    """Something to see of everything: a user and an admin, signed in."""
    peer = "127.88.0.1"
    gatepost.add_account("root@example.test", "the root of it all", "--role", "admin")
    user, admin = Browser(gatepost, peer), Browser(gatepost, peer)
    check("post", "/api/v1/session", user.post("/api/v1/session", {"login": ALICE[0], "password": ALICE[1]}))
    check("post", "/api/v1/session", admin.post("/api/v1/session", {"login": "root", "password": "the root of it all"}))
    made = check("post", "/api/v1/self/devices", user.post("/api/v1/self/devices", {"name": "phone"}))
    check("post", "/api/v1/self/test-message", user.post("/api/v1/self/test-message", {}))
    assert talk.is_ok(talk.signin(gatepost, "imaps", ALICE[0], made["password"], peer))
    assert not talk.is_ok(talk.signin(gatepost, "imaps", ALICE[0], "wrong", "127.88.0.2"))
    check("post", "/api/v1/tokens", admin.post("/api/v1/tokens", {"name": "panel", "role": "staff"}))
    check("post", "/api/v1/bans", admin.post("/api/v1/bans", {"source": "192.0.2.77", "reason": "a test"}))
    check("post", "/api/v1/accounts", admin.post("/api/v1/accounts", {"address": "new@example.test"}))
    row = {"address": ALICE[0], "sender": "shop@elsewhere.test"}
    check("post", "/api/v1/senders", admin.post("/api/v1/senders", row))
    gatepost.cli("account", "block", ALICE[0], "--reason", "a test")
    check("post", "/api/v1/session", user.post("/api/v1/session", {"login": ALICE[0], "password": ALICE[1]}))
    with talk.connect(gatepost, "imaps", peer) as line:
        assert talk.is_ok(talk.attempt(line, "imaps", *ALICE))
        yield {"self": user, "admin": admin}
    gatepost.cli("account", "unblock", ALICE[0])
    gatepost.cli("sender", "remove", "shop@elsewhere.test", "--account", ALICE[0])
    gatepost.cli("ban", "remove", "192.0.2.77")
    for address in ("new@example.test", "root@example.test"):
        gatepost.cli("account", "remove", address, "--yes")
    gatepost.cli("device", "revoke", ALICE[0], "--all")


@pytest.mark.parametrize("path", GETS)
def test_answers(people, path):
    browser = people["self"] if path.startswith("/api/v1/self") else people["admin"]
    if "{reference}" in path:
        reference = next(row["reference"] for row in browser.get("/api/v1/events").json["items"] if row["reference"])
    else:
        reference = ""
    url = path.replace("{address}", ALICE[0]).replace("{reference}", reference).replace("{domain}", "example.test")
    needed = [p["name"] for p in DOC["paths"][path]["get"].get("parameters", ()) if p["in"] == "query" and p.get("required")]
    values = dict([CHOICES[path]] if path in CHOICES else ()) | dict.fromkeys(needed, "alice")
    answer = browser.get(url + ("?" + urllib.parse.urlencode(values) if values else ""))
    assert answer.status == 200, answer
    assert check("get", path, answer)
