# SPDX-License-Identifier: ISC
"""The gatepost command, as scripts and people use it: exit codes, JSON, import, configuration."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess

import pytest
import rig
import talk
from conftest import ALICE, BOB


def hashes(password):
    """This password as other systems have stored it."""
    def doveadm(scheme):
        return subprocess.run(["doveadm", "pw", "-s", scheme, "-p", password], capture_output=True, text=True,
                              check=True).stdout.strip()

    found = {scheme.lower().replace("-", ""): doveadm(scheme)
             for scheme in ("SHA512-CRYPT", "SHA256-CRYPT", "MD5-CRYPT", "SSHA", "SSHA256", "SSHA512", "PBKDF2", "ARGON2ID",
                            "ARGON2I", "BLF-CRYPT")}
    found["plaincrypt"] = subprocess.run(["openssl", "passwd", "-6", password], capture_output=True, text=True,
                                         check=True).stdout.strip()
    return found


def test_import_keeps_every_hash_and_rehashes(make_gatepost, tmp_path, peer):
    """crypt(3), bcrypt, SSHA, PBKDF2, Argon2: everybody signs in with the old password, and is rehashed by that."""
    door = make_gatepost(accounts=False, listeners=("imaps",), sections=None)
    secret = "kept over the move"
    known = hashes(secret)
    path = tmp_path / "users"
    path.write_text("".join(f"{name}@example.test:{value}:1000:1000::/home/x::\n" for name, value in known.items()),
                    encoding="ascii")
    result = door.json("account", "import", str(path))
    assert result["imported"] == len(known) and result["skipped"] == 0
    for name in known:
        for _ in range(2):
            answer = talk.signin(door, "imaps", name, secret, peer)
            # no mailbox behind these names: what counts is that the password was right
            assert talk.is_ok(answer) or "[UNAVAILABLE]" in answer, name
        assert "[AUTHENTICATIONFAILED]" in talk.signin(door, "imaps", name, "wrong", f"127.95.0.{len(name)}")
    store = (door.folder / "state/gatepost.db").read_bytes() + (
        (door.folder / "state/gatepost.db-wal").read_bytes()
        if (door.folder / "state/gatepost.db-wal").exists() else b"")
    assert store.count(b"$argon2id$v=19$m=1024,t=2,p=1$") >= len(known)


def test_import_csv_bad_lines(make_gatepost, tmp_path, peer):
    door = make_gatepost(accounts=False, listeners=("imaps",))
    path = tmp_path / "users.csv"
    path.write_text("address,password,role,aliases\n"
                    "ann@example.test,ann's password,user,ann.a@example.test;a@example.test\n"
                    "not an address,x,user,\n"
                    "ben@example.test,ben's password,user,\n"
                    "ann@example.test,again,user,\n", encoding="utf-8")
    result = door.cli_raw("account", "import", str(path))
    assert result.returncode == os.EX_DATAERR
    said = result.stdout + result.stderr
    assert "3" in said and "5" in said
    assert door.json("account", "list") == []
    result = door.json("account", "import", str(path), "--keep-going")
    assert (result["imported"], result["skipped"]) == (2, 2)
    assert [row["line"] for row in result["bad"]] == [3, 5]
    assert [row["address"] for row in door.json("account", "list")] == ["ann@example.test", "ben@example.test"]
    assert "[AUTHENTICATIONFAILED]" not in talk.signin(door, "imaps", "ann", "ann's password", peer)


def test_exit_codes(gatepost, tmp_path):
    codes = {
        ("account", "show", "nobody@example.test"): os.EX_NOUSER,
        ("account", "shwo"): os.EX_USAGE,
        ("ban", "add", "not-an-address"): os.EX_DATAERR,
        ("session", "kill", "--account", "nobody@example.test"): os.EX_NOUSER,
    }
    for words, code in codes.items():
        result = gatepost.cli_raw(*words)
        assert result.returncode == code, (words, result.returncode, result.stderr)
        assert result.stderr.startswith("gatepost: ") and result.stdout == ""
    assert gatepost.cli_raw("account", "add", "alice@example.test", stdin="long enough\n").returncode == os.EX_CANTCREAT
    nowhere = subprocess.run([rig.BUILD / "gatepost", "--socket", tmp_path / "none", "status"], capture_output=True,
                             text=True, check=False)
    assert nowhere.returncode == os.EX_UNAVAILABLE and "is gatepostd running?" in nowhere.stderr


def test_config_check_and_show(gatepost, tmp_path):
    shown = gatepost.cli("config", "show")
    again = tmp_path / "shown.conf"
    again.write_text(shown, encoding="utf-8")
    cli = rig.BUILD / "gatepost"
    assert subprocess.run([cli, "--config", again, "config", "show"], capture_output=True, text=True,
                          check=True).stdout == shown
    assert gatepost.cli_raw("config", "check").returncode == 0
    broken = tmp_path / "broken.conf"
    broken.write_text("autoban_failure = 5\n" + shown, encoding="utf-8")
    result = subprocess.run([cli, "--config", broken, "config", "check"], capture_output=True, text=True, check=False)
    assert result.returncode == os.EX_CONFIG
    assert "broken.conf:1:" in result.stdout and "did you mean autoban_failures?" in result.stdout


def test_json_is_one_value(gatepost):
    for words in (("status",), ("stats",), ("ban", "list"), ("signin", "list"), ("session", "list"), ("account", "list"),
                  ("domain", "list"), ("audit", "list"), ("account", "show", ALICE[0]),
                  ("twofactor", "status", ALICE[0]), ("config", "show")):
        result = gatepost.cli_raw(*words, "--json")
        assert result.returncode == 0, words
        json.loads(result.stdout)
        assert result.stderr == ""


def test_prometheus(gatepost):
    text = gatepost.cli("stats", "--prometheus")
    for name in ("gatepost_guesses_checked_total", "gatepost_signins_ok_total", "gatepost_bans_set_total",
                 "gatepost_messages_accepted_total"):
        assert f"# TYPE {name} counter\n" in text
        assert any(row.startswith(name + " ") for row in text.splitlines())


def test_audit_names_who_did_what(gatepost):
    gatepost.cli("account", "block", BOB[0], "--reason", "audit test")
    gatepost.cli("account", "unblock", BOB[0])
    newest = gatepost.json("audit", "list", "--account", BOB[0], "--limit", "2")
    assert {row["operation"] for row in newest} == {
        "account.block", "account.unblock"}


def test_a_changed_audit_is_found(make_gatepost):
    """With the exit code of bad data; the hash of each record also stands in the log."""
    door = make_gatepost()
    whole = door.json("audit", "verify")
    assert whole["ok"] and whole["records"] == whole["last"] > 0
    noted = ["--record", str(whole["last"]), "--hash", whole["hash"]]
    assert f"event=audit record={whole['last']} hash={whole['hash']}" in door.log()
    assert door.json("audit", "verify", *noted)["ok"]
    with contextlib.closing(sqlite3.connect(door.folder / "state/gatepost.db")) as store, store:
        with pytest.raises(sqlite3.IntegrityError, match="cannot be changed"):
            store.execute("UPDATE audit SET actor = 'nobody' WHERE id = 2")
        with pytest.raises(sqlite3.IntegrityError, match="cannot be shortened"):
            store.execute("DELETE FROM audit WHERE id = 2")
        store.execute("DROP TRIGGER audit_unchanged")
        store.execute("UPDATE audit SET actor = 'nobody' WHERE id = 2")
    result = door.cli_raw("audit", "verify")
    assert result.returncode == os.EX_DATAERR and "changed" in result.stdout


def test_signin_list_filters(gatepost, peer):
    talk.signin(gatepost, "imaps", "alice", "wrong", peer)
    talk.signin(gatepost, "pop3s", *ALICE, peer=peer)
    rig.until(lambda: len(gatepost.json("signin", "list", "--source", peer)) == 2, "both events")
    assert len(gatepost.json("signin", "list", "--source", peer, "--outcome", "denied")) == 1
    assert len(gatepost.json("signin", "list", "--source", peer, "--service", "pop3s")) == 1
    assert len(gatepost.json("signin", "list", "--source", peer, "--limit", "1")) == 1
    one = gatepost.json("signin", "list", "--source", peer, "--account", ALICE[0], "--reason", "wrong_password")[0]
    assert len(gatepost.json("signin", "list", "--session", one["session"])) == 1


def test_what_core_does_stands_in_the_audit(gatepost, peer):
    """Bans and sessions are core's own; who touched them is written down like everything else."""
    gatepost.json("ban", "add", peer, "--minutes", "5", "--reason", "tried by hand")
    gatepost.json("ban", "remove", peer)
    rows = gatepost.json("audit", "list", "--limit", "2")
    assert [row["operation"] for row in rows] == ["ban.remove", "ban.add"]
    assert rows[1]["detail"] == {"source": peer, "minutes": 5, "reason": "tried by hand"}
    assert all(row["actor"] == "cli:0" for row in rows)
    gatepost.json("ban", "list")  # looking leaves nothing behind
    assert gatepost.json("audit", "list", "--limit", "1") == rows[:1]


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_unprivileged_says_what_is_missing_and_may_refuse(make_gatepost, workdir):
    """Without root: no chroot, no change of user, and it says so; with require_sandbox it does not start."""
    programs = workdir / "programs"  # the build may lie where only root can go
    programs.mkdir()
    for name in ("gatepostd", "gatepost-front", "gatepost-core", "gatepost-vault", "gatepost-web"):
        shutil.copy2(rig.BUILD / name, programs / name)
    for required in (False, True):
        door = make_gatepost({"require_sandbox": "yes" if required else "no"}, start=False)
        folder = door.folder
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, rig.MAIL_UID, rig.MAIL_UID)
        key = workdir / f"key-{required}"
        key.write_text((workdir / "token-keys/default/HS256/default").read_text(encoding="ascii"), encoding="ascii")
        os.chown(key, rig.MAIL_UID, rig.MAIL_UID)
        text = door.config.read_text(encoding="utf-8")
        door.config.write_text(text.replace(f"{workdir}/token-keys/default/HS256/default", str(key)), encoding="utf-8")
        with open(door.log_path, "ab") as log:
            door.process = subprocess.Popen([programs / "gatepostd", "-c", door.config], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, user=rig.MAIL_UID, group=rig.MAIL_UID)
        if required:
            assert door.process.wait(30) != 0
            assert "require_sandbox" in door.log() or "sandbox" in door.log()
            door.process = None
        else:
            door.wait_serving()
            assert "event=sandbox_missing" in door.log()
