# SPDX-License-Identifier: ISC
"""Backends that are named: whatever name servers do, gatepostd goes on with its work, and so does all that has an
address. Users that are named, likewise."""

import contextlib
import itertools
import os
import pwd
import signal
import subprocess

import names
import pytest
import rig
import talk
from conftest import ALICE

HOST = "mail.lan.test"
_addresses = (f"127.99.{n // 250}.{n % 250 + 1}" for n in itertools.count())


@pytest.fixture
def name_server():
    address = next(_addresses)
    server = names.NameServer(address, {HOST: "127.0.0.1"})
    server.address = address
    yield server
    server.stop()


def sections(dovecot, host=HOST):
    """IMAP by name, POP3 by number."""
    return [rig.backend("imap", "imap", [f"{host}:{dovecot.imap_port}"], "auth = token"),
            rig.backend("pop3", "pop3", [f"127.0.0.1:{dovecot.pop3_port}"], "auth = token"),
            rig.route("*", imap="imap", pop3="pop3")]


@pytest.fixture
def door(make_gatepost, dovecot, name_server):
    made = make_gatepost(sections=sections(dovecot), start=False, listeners=("imaps", "pop3s"))
    names.asks(made, name_server.address)
    return made


def imap(door):
    return talk.signin(door, "imaps", *ALICE)


def pop3(door):
    return talk.signin(door, "pop3s", *ALICE)


def pid_of(door, prefix):
    return next((row["name"], row["pid"]) for row in door.status()["processes"] if row["name"].startswith(prefix))


def is_replaced(door, name, pid):
    status = door.status()
    return status and any(row["name"] == name and row["pid"] not in (0, pid) for row in status["processes"])


def children(pid):
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            status = open(f"/proc/{entry}/status", encoding="ascii").read()
            fields = dict(row.split(":\t", 1) for row in status.splitlines() if ":\t" in row)
            if fields["PPid"] == str(pid):
                found[int(entry)] = fields
    return found


def test_a_name_server_that_is_silent_keeps_nobody_from_the_rest(door, name_server):
    name_server.is_silent = True
    door.start()
    door.add_account(*ALICE)
    assert talk.is_ok(pop3(door))
    assert imap(door).startswith("a NO [UNAVAILABLE]")
    name, pid = pid_of(door, "front")
    os.kill(pid, signal.SIGKILL)
    rig.until(lambda: is_replaced(door, name, pid), "a new front")
    assert talk.is_ok(pop3(door))
    # No restart is needed when it is back.
    name_server.is_silent = False
    rig.until(lambda: talk.is_ok(imap(door)), "the address", 30)
    assert [row for row in door.json("signin", "list") if row["counted"]] == []


def test_a_reload_keeps_the_addresses_of_a_name_that_is_not_found(door, name_server):
    door.start()
    door.add_account(*ALICE)
    assert talk.is_ok(imap(door))
    name_server.is_silent = True
    text = door.config.read_text(encoding="utf-8")
    door.config.write_text(text.replace("mail.example.test/", "new.example.test/"), encoding="utf-8")
    with subprocess.Popen([rig.BUILD / "gatepost", "--config", door.config, "reload"]) as reload:
        # Meanwhile gatepostd does all its work: for the CLI, the fronts, its children.
        rig.until(lambda: name_server.asked > 2, "the question")
        name, pid = pid_of(door, "vault.0")
        os.kill(pid, signal.SIGKILL)
        rig.until(lambda: is_replaced(door, name, pid), "a new vault")
        assert talk.is_ok(imap(door))
        assert reload.poll() is None
        assert reload.wait(60) == 0
    assert "event=host_lost" in door.log() and "kept=1" in door.log()
    assert talk.is_ok(imap(door))
    # One that has moved is followed.
    name_server.is_silent = False
    name_server.names[HOST] = "127.99.99.99"
    door.cli("reload")
    assert "event=host_moved" in door.log()
    assert imap(door).startswith("a NO [UNAVAILABLE]")


def test_a_name_that_is_none_is_refused(door):
    door.start()
    door.add_account(*ALICE)
    good = door.config.read_text(encoding="utf-8")
    door.config.write_text(good.replace(HOST, "mial.lan.test"), encoding="utf-8")
    result = door.cli_raw("reload")
    assert result.returncode == 78 and "mial.lan.test" in result.stderr, result
    assert talk.is_ok(imap(door))
    check = subprocess.run([*door.prefix, rig.BUILD / "gatepostd", "-c", door.config, "--check"],
                           capture_output=True, text=True, check=False)
    assert check.returncode == 78 and "mial.lan.test" in check.stderr, check
    door.stop()
    with pytest.raises(rig.RigError, match="ended with 78"):
        door.start()
    assert "mial.lan.test" in door.log()


def test_who_asks_has_nothing(door, name_server):
    name_server.is_silent = True
    door.start()
    nobody = str(pwd.getpwnam("nobody").pw_uid)

    def asking():
        for pid, fields in children(door.process.pid).items():
            if fields["Uid"].split() == [nobody] * 4:
                kinds = {name: os.readlink(f"/proc/{pid}/fd/{name}").split(":")[0]
                         for name in os.listdir(f"/proc/{pid}/fd")}
                return fields, kinds
        return None

    fields, kinds = rig.until(asking, "a process that asks", 30)
    assert fields["NoNewPrivs"] == "1" and fields["CapEff"].strip("0") == ""
    assert {name: kind for name, kind in kinds.items() if int(name) < 3} == {
        "0": "/dev/null", "1": "pipe", "2": "/dev/null"}
    # Its question to the name server, and no more.
    assert {kind for name, kind in kinds.items() if int(name) > 2} <= {"socket"}


# ---- users ----


@pytest.fixture
def named(make_gatepost):
    """A door whose fronts become "gatepost-test", who stands in the list of users that is returned as well."""
    made = make_gatepost(start=False, listeners=("imaps",), fronts=1)
    text = made.config.read_text(encoding="utf-8")
    made.config.write_text(text.replace('front_user = "61501"', 'front_user = "gatepost-test"'), encoding="utf-8")
    users = made.folder / "passwd"
    users.write_text(open("/etc/passwd", encoding="utf-8").read() + "gatepost-test:x:61501:61501::/:/bin/false\n",
                     encoding="utf-8")
    names.bind_over(made, users, "/etc/passwd")
    return made, users


def test_a_worker_comes_back_without_the_list_of_users(named):
    """Where it is asked for over a network, it may be away when it is needed."""
    door, users = named
    door.start()
    name, pid = pid_of(door, "front")
    users.write_text("", encoding="utf-8")
    os.kill(pid, signal.SIGKILL)
    rig.until(lambda: is_replaced(door, name, pid), "a new front")
    fields = children(door.process.pid)[pid_of(door, "front")[1]]
    assert fields["Uid"].split() == ["61501"] * 4
    door.cli("reload")


def test_a_user_that_does_not_exist_is_refused(named):
    door, users = named
    users.write_text(open("/etc/passwd", encoding="utf-8").read(), encoding="utf-8")
    with pytest.raises(rig.RigError, match="ended with 78"):
        door.start()
    assert "front_user: no such user: gatepost-test" in door.log()
