# SPDX-License-Identifier: ISC
"""A store is made at the first start and never again by itself: an empty one in the place of one whose disk is not
mounted would make everybody's password wrong."""

import os
import subprocess

import pytest
import rig
import talk
from conftest import ALICE


def run(door, *arguments):
    return subprocess.run([rig.BUILD / "gatepostd", "-c", door.config, *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)


def database(door):
    return door.folder / "state/gatepost.db"


def pepper(door):
    return door.folder / "pepper.key"


def test_the_first_start_makes_all(make_gatepost):
    door = make_gatepost(start=False)
    assert not database(door).exists() and not pepper(door).exists()
    assert run(door, "--check").returncode == 0
    assert not database(door).exists() and not pepper(door).exists()
    door.start()
    assert database(door).stat().st_mode & 0o077 == 0 and pepper(door).stat().st_mode & 0o077 == 0


def test_a_first_start_that_fails_is_one_still(make_gatepost):
    door = make_gatepost(start=False)
    good = door.config.read_text(encoding="utf-8")
    door.config.write_text(good.replace("hosts = {", "hosts = {\"unix:/nowhere\", ", 1) + "\nfrontend = 1\n",
                           encoding="utf-8")
    assert run(door).returncode == os.EX_CONFIG
    assert not pepper(door).exists()
    door.config.write_text(good, encoding="utf-8")
    door.start()


@pytest.mark.parametrize("what", ["store", "pepper"])
def test_one_without_the_other_is_no_first_start(make_gatepost, what, peer):
    """The disk with the store is not there, or somebody lost the pepper; both come back."""
    door = make_gatepost()
    device = door.add_device(ALICE[0], "phone")
    door.stop()
    state, away = door.folder / "state", door.folder / "away"
    if what == "store":
        state.rename(away)
        state.mkdir()  # where it would be mounted
    else:
        pepper(door).rename(away)
    for arguments in ((), ("--check",)):
        result = run(door, *arguments)
        assert result.returncode == os.EX_CONFIG
        assert f"gatepostd: no {what} " in result.stderr and "--init" in result.stderr, result.stderr
    assert not (database(door) if what == "store" else pepper(door)).exists()
    if what == "store":
        state.rmdir()
        away.rename(state)
    else:
        away.rename(pepper(door))
    door.start()
    assert talk.is_ok(talk.signin(door, "imaps", ALICE[0], device, peer))
    assert talk.is_ok(talk.signin(door, "submissions", *ALICE, peer))
    assert door.json("ban", "list") == []


def test_a_lost_pepper_is_not_made_by_a_reload(make_gatepost, peer):
    door = make_gatepost()
    device = door.add_device(ALICE[0], "phone")
    pepper(door).unlink()
    assert door.cli_raw("reload").returncode != 0
    assert not pepper(door).exists()
    assert talk.is_ok(talk.signin(door, "imaps", ALICE[0], device, peer))


def test_to_begin_anew_has_to_be_said(make_gatepost, peer):
    door = make_gatepost()
    door.stop()
    for path in (door.folder / "state").iterdir():
        path.unlink()
    kept = pepper(door).read_bytes()
    result = run(door, "--init")
    assert result.returncode == 0 and "all is there" in result.stdout, result.stderr
    assert pepper(door).read_bytes() == kept
    # Said twice, it changes nothing.
    door.start()
    door.add_account(*ALICE)
    door.stop()
    assert run(door, "--init").returncode == 0
    door.start()
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE, peer))
