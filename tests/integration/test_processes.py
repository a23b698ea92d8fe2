# SPDX-License-Identifier: ISC
"""Processes and borders: crashes, reloads, PROXY headers, socket activation."""

import os
import signal
import socket
import struct
import subprocess

import pytest
import rig
import talk
from conftest import ALICE


@pytest.mark.parametrize("role", ["front", "core", "vault"])
def test_a_killed_child_is_back(make_gatepost, role):
    door = make_gatepost(fronts=1)
    for name, pid in [item for item in door.pids().items() if role in item[0]]:
        os.kill(pid, signal.SIGKILL)
        rig.until(lambda n=name, p=pid: (door.status() or {"processes": []}) and
                  [row for row in (door.status() or {"processes": []})["processes"]
                   if row["name"] == n and row["pid"] != p], f"a new {name}")
    rig.until(lambda: talk.is_ok(talk.signin(door, "imaps", *ALICE)), "a sign-in")
    assert talk.is_ok(talk.signin(door, "submissions", *ALICE))


def test_a_relayed_session_outlives_core_and_vault(make_gatepost):
    door = make_gatepost()
    with talk.connect(door, "imaps", "127.70.0.1") as line:
        assert talk.is_ok(talk.attempt(line, "imaps", *ALICE))
        for name, pid in door.pids().items():
            if "core" in name or "vault" in name:
                os.kill(pid, signal.SIGKILL)
        rig.until(door.status, "core")
        line.send("b NOOP")
        assert line.tagged("b")[-1].startswith("b OK")
        # core knows the session again, so that what changes still reaches it
        rig.until(lambda: [row for row in door.json("session", "list") if row["source"] == "127.70.0.1"], "it")
        door.cli("session", "kill", "--account", ALICE[0])
        assert line.line().startswith("* BYE")


def test_killed_gatepostd_takes_its_children_along(make_gatepost):
    door = make_gatepost()
    pids = door.pids()
    door.process.kill()
    rig.until(lambda: not [pid for pid in pids.values() if rig.is_alive(pid)], "their end")
    door.process.wait()
    door.process = None


def test_reload_keeps_sessions_and_takes_new_certificates(make_gatepost, workdir):
    door = make_gatepost()
    with talk.connect(door, "imaps", "127.71.0.1") as line:
        assert talk.is_ok(talk.attempt(line, "imaps", *ALICE))
        old = door.chain.read_text(encoding="ascii")
        rig.make_certificate(door.folder, "main", ["mail.example.test"])
        door.options["portal_url"] = '"https://new.example.test/"'
        text = door.config.read_text(encoding="utf-8")
        door.config.write_text(text.replace("https://mail.example.test/", "https://new.example.test/"),
                               encoding="utf-8")
        door.cli("reload")
        line.send("b NOOP")
        assert line.tagged("b")[-1].startswith("b OK")
        assert "https://new.example.test/" in talk.signin(door, "imaps", "alice", "x", "127.71.0.2")
        assert door.chain.read_text(encoding="ascii") != old


def test_a_bad_config_is_refused_and_the_old_stays(make_gatepost):
    door = make_gatepost()
    good = door.config.read_text(encoding="utf-8")
    door.config.write_text(good.replace("default_domain", "defalt_domain", 1), encoding="utf-8")
    result = door.cli_raw("reload")
    number = 1 + good[:good.index("default_domain")].count("\n")
    assert result.returncode != 0
    assert f"gatepost.conf:{number}:" in result.stderr and "default_domain" in result.stderr
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE))
    door.process.send_signal(signal.SIGHUP)
    rig.until(lambda: f"gatepost.conf:{number}:" in door.log(), "the reason in the log")
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE))


def test_new_listener_by_reload(make_gatepost):
    door = make_gatepost()
    port, = rig.free_ports(1)
    door.ports["imaps-second"] = port
    door.write_config()
    door.process.send_signal(signal.SIGHUP)
    rig.until(lambda: rig.is_open(port), "the new port")
    assert talk.is_ok(talk.signin(door, "imaps-second", *ALICE))


def proxy_v1(client, port):
    return f"PROXY TCP4 {client} 192.0.2.1 {port} 993\r\n".encode()


def proxy_v2(client, port):
    return (b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", 12) + socket.inet_aton(client) +
            socket.inet_aton("192.0.2.1") + struct.pack("!HH", port, 993))


@pytest.mark.parametrize("header", [proxy_v1, proxy_v2])
def test_proxy_protocol(make_gatepost, header):
    door = make_gatepost(listeners=("imap",),
                         listener_options='proxy_protocol = yes\n  proxy_from = {"127.0.0.0/8"}')
    for number in range(6):
        with socket.create_connection(("127.0.0.1", door.ports["imap"]), 10) as sock:
            sock.sendall(header("198.51.100.7", 4000 + number))
            line = rig.Line.__new__(rig.Line)
            line.sock, line.pending = sock, b""
            greeting = line.line()
            if number == 5:
                assert greeting.startswith("* BYE 198.51.100.7 is blocked for 30 more minutes")
                break
            line.send("s STARTTLS")
            line.tagged("s")
            line.starttls(door.tls(), "mail.example.test")
            assert not talk.is_ok(talk.attempt(line, "imap", "alice", f"wrong{number}"))
    assert [row["source"] for row in door.json("ban", "list")] == ["198.51.100.7"]


@pytest.mark.parametrize("first", [b"PROXY TCP4 1.2.3.4\r\n", b"a CAPABILITY\r\n", b"PROXY TCP4 " + b"9" * 200,
                                   b"\r\n\r\n\0\r\nQUIT\n\x11\x11\0\0"])
def test_malformed_proxy_headers_are_closed(make_gatepost, first):
    door = make_gatepost(listeners=("imap",), accounts=False,
                         listener_options='proxy_protocol = yes\n  proxy_from = {"127.0.0.0/8"}')
    with socket.create_connection(("127.0.0.1", door.ports["imap"]), 10) as sock:
        sock.sendall(first)
        try:
            assert sock.recv(100) == b""
        except ConnectionResetError:
            pass


def test_proxy_header_from_a_stranger_is_closed(make_gatepost):
    door = make_gatepost(listeners=("imap",), accounts=False,
                         listener_options='proxy_protocol = yes\n  proxy_from = {"192.0.2.0/24"}')
    with socket.create_connection(("127.0.0.1", door.ports["imap"]), 10) as sock:
        try:
            sock.sendall(proxy_v1("198.51.100.7", 1))
            assert sock.recv(100) == b""
        except (ConnectionResetError, BrokenPipeError):
            pass


def test_socket_activation_and_notify(make_gatepost):
    """Sockets come from the service manager, and it is told when the door is open."""
    door = make_gatepost(start=False, listeners=("imaps",))
    notify_path = door.folder / "notify"
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(notify_path))
    notify.settimeout(20)
    listener = socket.create_server(("127.0.0.1", 0))
    door.ports["imaps"] = listener.getsockname()[1]
    door.write_config()

    def before_exec():
        os.dup2(listener.fileno(), 3)
        os.environ["LISTEN_PID"] = str(os.getpid())

    with open(door.log_path, "ab") as log:
        door.process = subprocess.Popen(
            ["/bin/sh", "-c", f'LISTEN_PID=$$ exec "{rig.BUILD}/gatepostd" -c "{door.config}"'],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=before_exec, pass_fds=(3,),
            env={**os.environ, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "imaps", "NOTIFY_SOCKET": str(notify_path)})
    listener.close()
    while b"READY=1" not in notify.recv(4096):
        pass
    door.wait_serving()
    door.add_account(*ALICE)
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE))
    notify.close()


def test_children_are_jailed(make_gatepost):
    door = make_gatepost()
    for name, pid in door.pids().items():
        if name == "gatepostd" or name.startswith("parent"):
            continue
        status = open(f"/proc/{pid}/status", encoding="ascii").read()
        fields = dict(row.split(":\t", 1) for row in status.splitlines() if ":\t" in row)
        assert fields["NoNewPrivs"] == "1", name
        assert fields["Seccomp"] == "2", name
        if os.geteuid() == 0:
            assert "0" not in fields["Uid"].split(), name
            assert fields["CapEff"].strip("0") == "", name
