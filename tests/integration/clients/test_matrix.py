# SPDX-License-Identifier: ISC
"""Mail programs from Debian and npm at the door of ./quickstart, unattended: doc/clients.md is what they did."""

import subprocess

import door
import matrix
import programs
import pytest
import table

DRIVERS = programs.load()


@pytest.fixture(scope="module")
def results(workdir):
    return matrix.run_all(workdir / "clients", DRIVERS)


@pytest.mark.parametrize("name", [driver.name for driver in DRIVERS])
def test_program(results, name):
    """Every port, login form and secret it has lets it in; a wrong password, a block and a ban do not."""
    assert results[name].faults() == []


def test_no_combination_is_left_out(results):
    for result in results.values():
        tried = {(t.service, t.form) for t in result.tries}
        assert tried == {(service, form) for service in result.services for form in matrix.FORMS}, result.name
        assert {t.secret for t in result.tries} == set(matrix.SECRETS), result.name


def test_the_table_says_so(results):
    """After a change: tests/integration/clients/run --write."""
    differences = table.differences(table.DOCUMENT.read_text(encoding="utf-8"), results)
    assert not differences, "\n".join(differences)


def test_what_quickstart_prints(workdir):
    """Its commands do what stands above them."""
    demo = door.Door(workdir / "printed").start()
    try:
        log = (demo.folder / "quickstart.log").read_text(encoding="utf-8")
        script = log.split("\nTry it:\n")[1].split("\nLogs: ")[0]
        done = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=120, check=False)
    finally:
        demo.stop()
    said = done.stdout + done.stderr
    for words in ("Subject: hello", "Through the door.", "denied+banned", "too many failed sign-ins", "127.0.0.9 is free",
                  "may no longer send", "may send again"):
        assert words in done.stdout, said
    assert done.stderr.count("curl: ") == done.stderr.count("Login denied") == 5, said
