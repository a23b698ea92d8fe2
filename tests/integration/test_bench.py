# SPDX-License-Identifier: ISC
"""The bench works: every scenario runs through with a few operations. What it measures is not looked at."""

import subprocess

import rig


def smoke(*arguments):
    done = subprocess.run([rig.ROOT / "tests/bench/run", "--smoke", *arguments], capture_output=True, text=True,
                          timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert " failed, " not in done.stderr, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("|")][2:]


def test_every_scenario_runs():
    rows = smoke("--peers", "none")
    assert len(rows) == 16
    assert next(row for row in rows if "wrong passwords looked at" in row).split("|")[2].strip() == "5"


def test_every_peer_carries_mail():
    rows = smoke("--only", "submission")
    assert len(rows) == 3
    for peer in ("Dovecot fast", "Postfix filter", "Postfix queue"):
        assert peer in rows[0]
