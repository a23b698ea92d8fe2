# SPDX-License-Identifier: ISC
"""Mail that people get about their accounts: through the real next hop into the real mailbox, in their language, once,
and later if the next hop is away."""

import contextlib
import email
import email.policy
import itertools
import json
import time

import pytest
import rig
import talk
from browse import Browser
from test_portal_core import totp

V1 = "/api/v1"
OWNER, PASSWORD = "nora@example.test", "walrus and tea"
TEXTS = {language: json.loads((rig.ROOT / f"portal/text/{language}.json").read_text(encoding="utf-8"))
         for language in ("en", "de")}


_hops = itertools.count(1)


@pytest.fixture
def hop(workdir, token_keys):
    """A next hop that a test may stop, with the owner's mailbox."""
    server = rig.Dovecot(workdir / f"notices-hop-{next(_hops)}", token_keys)
    server.add_user(OWNER)
    yield server.start()
    server.stop()


def letters(hop):
    return [email.message_from_bytes(raw, policy=email.policy.default) for raw in hop.messages(OWNER)]


def subject_of(kind, language="en", **values):
    return TEXTS[language][f"notice.{kind}.subject"].format(**values)


def wait_for(hop, subject):
    """The one letter of this subject."""
    rig.until(lambda: any(letter["Subject"] == subject for letter in letters(hop)), f"the letter {subject!r}")
    found = [letter for letter in letters(hop) if letter["Subject"] == subject]
    assert len(found) == 1, subject
    return found[0]


def has_come(hop, before=0):
    """Is there a letter more soon after a try?"""
    with contextlib.suppress(rig.RigError):
        rig.until(lambda: len(letters(hop)) > before, "a letter", 1)
    return len(letters(hop)) > before


def signed_in(door, peer):
    browser = Browser(door, peer)
    assert browser.post(V1 + "/session", {"login": OWNER, "password": PASSWORD}).status == 200
    return browser


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_happens_is_told(make_gatepost, hop, peer, language):
    door = make_gatepost({"autoban_failures": 3}, rig.dovecot_sections(hop), accounts=False)
    door.add_account(OWNER, PASSWORD)
    browser = signed_in(door, peer)
    assert browser.post(V1 + "/self/language", {"language": language}).status == 204

    device = browser.post(V1 + "/self/devices", {"name": "Telefon"}).json
    letter = wait_for(hop, subject_of("device_added", language, name="Telefon"))
    text = letter.get_content()
    assert device["password"] not in text and device["password"].replace(" ", "") not in text
    assert letter["To"].addresses[0].addr_spec == OWNER
    assert letter["From"].addresses[0].addr_spec == "postmaster@mail.example.test"
    assert letter["Auto-Submitted"] == "auto-generated"
    # As it is written in the file of texts, line by line.
    body = TEXTS[language]["notice.device_added.body"]
    for line in body.splitlines():
        if line and "{" not in line:
            assert line.split(". ")[0][:40] in " ".join(text.split()), line

    secret = browser.post(V1 + "/self/twofactor", {"password": PASSWORD}).json["secret"]
    assert browser.post(V1 + "/self/twofactor/confirm", {"code": totp(secret, time.time())}).status == 200
    text = wait_for(hop, subject_of("twofactor_on", language)).get_content()
    assert secret.replace(" ", "") not in text.replace(" ", "")

    door.cli("account", "passwd", OWNER, stdin="another walrus and tea\n")
    assert "another walrus" not in wait_for(hop, subject_of("password_changed", language)).get_content()

    # From a network that the account never came from, once it is known from another one.
    assert talk.is_ok(talk.signin(door, "imaps", OWNER, device["password"], peer))
    strange = "127.201.3.4"
    assert talk.is_ok(talk.signin(door, "imaps", OWNER, device["password"], strange))
    text = wait_for(hop, subject_of("new_network", language)).get_content()
    assert strange in text and peer not in text
    # What its devices did wrong until the address was banned.
    for _ in range(3):
        assert not talk.is_ok(talk.signin(door, "imaps", OWNER, "wrong password", strange))
    rig.until(lambda: door.json("ban", "list"), "the ban")
    assert strange in wait_for(hop, subject_of("address_banned", language)).get_content()
    kinds = ["device_added", "twofactor_on", "password_changed", "new_network", "address_banned"]
    assert sorted(letter["Subject"] for letter in letters(hop)) == sorted(
        subject_of(kind, language, name="Telefon") for kind in kinds)


def test_the_next_hop_is_away(make_gatepost, hop, peer):
    door = make_gatepost({}, rig.dovecot_sections(hop), accounts=False)
    door.add_account(OWNER, PASSWORD)
    browser = signed_in(door, peer)
    ports = dict(hop.ports)
    hop.stop()
    assert browser.post(V1 + "/self/devices", {"name": "Telefon"}).status == 201
    rig.until(lambda: "notice_put_off" in door.log(), "a try")
    assert letters(hop) == []
    # The door itself is started anew, too: what waits is in its store.
    door.kill()
    door.start()
    hop.start()
    assert hop.ports == ports
    # Each try waits longer than the one before it.
    for _ in range(20):
        door.advance(3600)
        if has_come(hop):
            break
    wait_for(hop, subject_of("device_added", name="Telefon"))
    # And it is not sent once more.
    for _ in range(3):
        door.advance(24 * 3600)
    assert not has_come(hop, 1)
