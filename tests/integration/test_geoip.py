# SPDX-License-Identifier: ISC
"""The country of an address, from a file of ours; and files that are missing or broken, which keep nobody out."""

import os
import subprocess

import mmdb
import pytest
import rig
import talk
from conftest import ALICE, BOB

HERE = mmdb.build({"127.0.0.0/9": "DE", "192.0.2.0/24": "FR"}, bits=28)
ELSEWHERE = mmdb.build({"127.0.0.0/8": "BR"}, bits=24)


@pytest.fixture(scope="module")
def geo_file(workdir):
    path = workdir / "countries.mmdb"
    path.write_bytes(HERE)
    return path


def country_of(door, peer, who):
    """Of a session from there, as core has it."""
    with talk.connect(door, "imaps", peer) as line:
        assert talk.is_ok(talk.attempt(line, "imaps", *who))
        sessions = [row for row in door.json("session", "list") if row["source"] == peer]
        assert len(sessions) == 1
        return sessions[0]["country"]


def test_the_country_of_a_session_and_a_file_that_changes(make_gatepost, geo_file, peer):
    geo_file.write_bytes(HERE)
    door = make_gatepost({"geoip_file": f'"{geo_file}"'})
    assert country_of(door, peer, ALICE) == "DE"
    geo_file.write_bytes(ELSEWHERE[:len(ELSEWHERE) // 2])  # in use: a copy of the old one
    assert country_of(door, peer, ALICE) == "DE"
    refused = door.cli_raw("reload")
    assert refused.returncode != 0 and "geoip_file" in refused.stderr and "cut off" in refused.stderr, refused
    assert country_of(door, peer, ALICE) == "DE"
    geo_file.write_bytes(ELSEWHERE)
    door.cli("reload")
    assert country_of(door, peer, ALICE) == "BR"
    core = door.pids()["core.0"] if "core.0" in door.pids() else door.pids()["core"]
    os.kill(core, 9)
    rig.until(lambda: door.cli_raw("status").returncode == 0, "core is back")
    rig.until(lambda: talk.is_ok(talk.signin(door, "imaps", *BOB, peer)), "it serves")
    assert country_of(door, peer, ALICE) == "BR"


@pytest.mark.parametrize("bytes_there, why", [
    (None, "No such file"), (b"", "is empty"), (b"\x7fELF" * 1000, "no MaxMind DB"),
    (mmdb.build({"127.0.0.0/8": None}), "names no countries")])
def test_a_bad_file_is_an_error_at_check_and_keeps_nobody_out(make_gatepost, workdir, peer, bytes_there, why):
    path = workdir / "bad.mmdb"
    path.unlink(missing_ok=True)
    if bytes_there is not None:
        path.write_bytes(bytes_there)
    door = make_gatepost({"geoip_file": f'"{path}"'}, start=False)
    door.write_config()
    check = subprocess.run([rig.BUILD / "gatepostd", "-c", door.config, "--check"], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=60, check=False)
    assert check.returncode == os.EX_CONFIG and "geoip_file" in check.stderr and why in check.stderr, check.stderr
    door.start()
    door.add_account(*ALICE)
    assert country_of(door, peer, ALICE) == ""
    assert "countries_not_known" in door.log()
