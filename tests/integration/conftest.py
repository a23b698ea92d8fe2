# SPDX-License-Identifier: ISC
import base64
import grp
import itertools
import os
import pathlib
import shutil
import tempfile

import pytest
import rig

ALICE = ("alice@example.test", "correct horse battery")
DORA = "dora@example.test"  # has a mailbox, and an account only where a test makes one
BOB = ("bob@example.test", "staple of the trade")

_peers = itertools.count(1)
_doors = itertools.count(1)


@pytest.fixture
def peer():
    """A loopback address that no other test has come from: a source of its own."""
    number = next(_peers)
    return f"127.{10 + number // 60000}.{number // 250 % 250}.{number % 250 + 1}"


@pytest.fixture(scope="session")
def workdir():
    path = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-test-"))
    path.chmod(0o755)  # jailed processes must reach their own folders
    yield path
    if "GATEPOST_KEEP" not in os.environ:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def token_keys(workdir):
    """The key that Gatepost signs with and Dovecot checks with (doc/dovecot-token.md)."""
    folder = workdir / "token-keys"
    (folder / "default/HS256").mkdir(parents=True)
    key = folder / "default/HS256/default"
    key.write_text(base64.b64encode(os.urandom(32)).decode() + "\n", encoding="ascii")
    key.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(key, 0, grp.getgrnam("dovecot").gr_gid)
    return folder


@pytest.fixture(scope="session")
def dovecot(workdir, token_keys):
    server = rig.Dovecot(workdir / "dovecot", token_keys)
    # All of them before the start: Dovecot looks at the file once a second at most.
    for address in (ALICE[0], BOB[0], DORA, "admin@example.test"):
        server.add_user(address)
    yield server.start()
    server.stop()


def token_option(token_keys):
    return {"token_key_file": f'"{token_keys}/default/HS256/default"'}


@pytest.fixture(scope="session")
def gatepost(workdir, dovecot, token_keys):
    """The door as most tests want it: all seven ports in front of Dovecot, two accounts."""
    server = rig.Gatepost(workdir / "gatepost", token_option(token_keys), rig.dovecot_sections(dovecot))
    try:
        server.start()
        server.add_account(*ALICE)
        server.add_account(*BOB)
        server.add_account("admin@example.test", "keeper of the keys", "--role", "staff")
        server.cli("domain", "add", "mail.example.test", "--alias-of", "example.test")
        yield server
    finally:
        server.stop()


@pytest.fixture
def make_gatepost(workdir, dovecot, token_keys, request):
    """For tests that want a door of their own: make_gatepost(options, sections, ...)."""
    made = []

    def make(options=None, sections=None, start=True, accounts=True, **more):
        name = "".join(c if c.isalnum() else "_" for c in request.node.name)
        folder = workdir / f"{name[:30]}-{next(_doors)}"
        server = rig.Gatepost(folder, {**token_option(token_keys), **(options or {})},
                              rig.dovecot_sections(dovecot) if sections is None else sections, **more)
        made.append(server)
        if start:
            server.start()
            if accounts:
                server.add_account(*ALICE)
                server.add_account(*BOB)
        return server

    yield make
    for server in made:
        server.stop()


# What takes longest is begun first where files run side by side.
LONG = ("test_portal_pages.py", "test_portal.py", "test_bench.py", "test_matrix.py", "test_watch.py", "test_hostile.py",
        "test_takeover.py", "test_faults.py", "test_setup.py", "test_sending_release.py", "test_api.py")


def pytest_collection_modifyitems(items):
    def rank(item):
        return LONG.index(item.path.name) if item.path.name in LONG else len(LONG)
    items.sort(key=rank)


def doors_of(item):
    """Of the fixtures that a test was given, and of what they hold."""
    for value in item.funcargs.values():
        for door in (value, getattr(value, "door", None)):
            if isinstance(door, rig.Gatepost):
                yield door


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of its doors' logs."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for door in dict.fromkeys(doors_of(item)):
            report.sections.append((f"log of {door.folder.name}", door.log()[-4000:]))
