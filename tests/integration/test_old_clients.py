# SPDX-License-Identifier: ISC
"""The table of old programs (portal/clients.json) keeps its promises: what each of them says, replayed at the door."""

import itertools
import json
import ssl

import dialogue
import pytest
import rig
from conftest import ALICE, BOB

OLD = {one["id"]: one for one in
       json.loads((rig.ROOT / "portal/clients.json").read_text(encoding="utf-8"))["old"]}
LISTED = "127.8.0.0/16"
FORMS = {"local": ["alice"], "full": [ALICE[0]], "incoming": ["alice", ALICE[0]], "account": ["alice", ALICE[0]],
         None: ["alice"]}
OURS = ("PLAIN", "LOGIN")  # mechanisms that are offered here
# What the table says → what comes of it with old_clients, and without.
PROMISES = {"yes": (dialogue.SENT, dialogue.SENT), "auth_line": (dialogue.SENT, "550"), "no": ("550", "550")}
TLS_PORTS = ("submissions", "imaps", "pop3s")

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def house(workdir, dovecot, token_keys):
    """Without TLS one may sign in from listed networks alone; one listener more has old_clients."""
    port, tls_port = rig.free_ports(2)
    sections = "".join(
        f'listener "{name}" {{\n  service = {service}\n  addresses = {{"127.0.0.1"}}\n  port = {number}\n'
        f'  old_clients = yes\n  plaintext_networks = {{"{LISTED}"}}\n}}\n'
        for name, service, number in (("old", "submission", port), ("old-tls", "submissions", tls_port)))
    door = rig.Gatepost(workdir / "old-clients", {"token_key_file": f'"{token_keys}/default/HS256/default"',
                                                  "autoban_failures": 1000},
                        [*rig.dovecot_sections(dovecot), sections],
                        listener_options=f'plaintext_networks = {{"{LISTED}"}}')
    door.old_port, door.old_tls_port = port, tls_port
    try:
        door.start()
        door.add_account(*ALICE)
        door.add_account(*BOB)
        yield door
    finally:
        door.stop()


@pytest.fixture
def listed():
    return f"127.8.0.{next(_numbers) % 250 + 1}"


def play(program, port, peer, login):
    """How far the program comes, and the subject of its message."""
    subject = f"from {program} {next(_numbers)}"
    with rig.Line(port, peer) as line:
        return dialogue.replay(dialogue.load(program), line, login, ALICE[1], address=ALICE[0], recipient=BOB[0],
                               subject=subject), subject


def arrived(dovecot, subject):
    return [raw for raw in dovecot.messages(BOB[0]) if f"Subject: {subject}\r\n".encode() in raw
            or f"Subject: {subject}\n".encode() in raw]


def test_every_program_has_its_dialogue():
    assert {path.stem for path in dialogue.FOLDER.glob("*.txt")} == set(OLD)
    for name, program in OLD.items():
        talk = dialogue.load(name)
        assert talk.sources == program["sources"], name
        assert talk.picks == ([program["mechanisms"]] if program["mechanisms"] else []), name


@pytest.mark.parametrize("name", OLD)
def test_it_does_as_the_table_says(house, dovecot, listed, name):
    program = OLD[name]
    ports = (house.old_port, house.ports["submission"])
    for port, promised in zip(ports, PROMISES[program["signin"]]):
        for login in FORMS[program["login"]]:
            outcome, subject = play(name, port, listed, login)
            assert outcome.result == promised, (port, login, outcome)
            if promised == dialogue.SENT:
                assert outcome.mechanism == next(one for one in program["mechanisms"] if one in OURS)
                rig.until(lambda s=subject: arrived(dovecot, s), subject)
            else:
                # Not for a fault of its own dialogue, but because it did not sign in.
                assert outcome.asked.startswith("MAIL FROM")
                assert outcome.mechanism is None


@pytest.mark.parametrize("name", OLD)
def test_without_tls_it_gets_nowhere_from_elsewhere(house, peer, name):
    """The password is not even asked for: nothing is offered that would make a program send it."""
    for port in (house.old_port, house.ports["submission"]):
        outcome, _ = play(name, port, peer, ALICE[0])
        assert (outcome.result, outcome.mechanism) == ("550", None)
        assert outcome.asked.startswith("MAIL FROM")


def test_one_that_asks_unoffered_is_refused(house, peer):
    for mechanism in ("LOGIN", "PLAIN", "CRAM-MD5"):
        with rig.Line(house.old_port, peer) as line:
            line.reply()
            line.ask("EHLO santapc")
            assert line.ask(f"AUTH {mechanism}")[0].startswith("538 ")


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
def test_no_switch_brings_old_tls_back(house, listed, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    for port in (*(house.ports[name] for name in TLS_PORTS), house.old_tls_port):
        with pytest.raises(OSError):
            rig.Line(port, listed, context)
    for port in (house.ports["submission"], house.old_port):
        with rig.Line(port, listed) as line:
            line.reply()
            line.ask("EHLO santapc")
            assert line.ask("STARTTLS")[0].startswith("220")
            with pytest.raises(OSError):
                line.starttls(context)


@pytest.mark.parametrize("login", ["alice", ALICE[0]])
def test_they_fetch_by_pop3(house, listed, peer, login):
    """USER and PASS, as all of them do; without TLS from listed networks alone."""
    for source, is_let_in in ((listed, True), (peer, False)):
        with rig.Line(house.ports["pop3"], source) as line:
            assert line.line().startswith("+OK")
            line.send(f"USER {login}")
            answer = line.line()
            if is_let_in:
                line.send(f"PASS {ALICE[1]}")
                answer = line.line()
            assert answer.startswith("+OK") == is_let_in
