# SPDX-License-Identifier: ISC
"""A name server of our own, and doors with other files in /etc: in a mount namespace of theirs."""

import os
import shutil
import socket
import struct
import subprocess
import threading

import pytest

PORT = 53
TYPE_A = 1
NO_SUCH_NAME = 3


class NameServer(threading.Thread):
    """names: what it knows, name → address. What is not in it does not exist. Silent: it answers nothing."""

    def __init__(self, address, names):
        super().__init__(daemon=True)
        self.names = names
        self.is_silent = False
        self.asked = 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, PORT))
        self.start()

    def run(self):
        while True:
            question, peer = self.sock.recvfrom(512)
            if not question:  # stop()
                return
            self.asked += 1
            if not self.is_silent:
                self.sock.sendto(self.answer(question), peer)

    def answer(self, question):
        end, labels = 12, []
        while question[end]:
            labels.append(question[end + 1:end + 1 + question[end]].decode())
            end += 1 + question[end]
        kind, = struct.unpack("!H", question[end + 1:end + 3])
        address = self.names.get(".".join(labels))
        has_answer = address is not None and kind == TYPE_A
        flags = 0x8180 | (0 if address is not None else NO_SUCH_NAME)
        head = question[:2] + struct.pack("!HHHHH", flags, 1, int(has_answer), 0, 0) + question[12:end + 5]
        if not has_answer:
            return head
        return head + b"\xc0\x0c" + struct.pack("!HHIH", TYPE_A, 1, 0, 4) + socket.inet_aton(address)

    def stop(self):
        self.sock.sendto(b"", self.sock.getsockname())
        self.join()
        self.sock.close()


def bind_over(door, path, place):
    """For this door, the file at that place is this one."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a mount namespace cannot be had here")
    path.chmod(0o644)
    door.prefix = ["unshare", "--mount", "sh", "-c", f'mount --bind {path} {place} && exec "$@"', "sh"]
    if subprocess.run([*door.prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("a mount namespace cannot be had here")


def asks(door, address):
    """This door asks that name server and nobody else."""
    conf = door.folder / "resolv.conf"
    conf.write_text(f"nameserver {address}\n", encoding="ascii")
    bind_over(door, conf, "/etc/resolv.conf")
