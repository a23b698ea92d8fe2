# SPDX-License-Identifier: ISC
import base64
import hashlib
import subprocess

from programs.sylph import Sylph

SALT = b"not a secret"
ROUNDS = 1
PASSPHRASE = b"passkey0"  # its own, where a person has set none
BLOCK = 16
ROOM = 128


def stored(secret):
    """As its password store keeps it, where a plain one would end at a space. The first block may be anything: it
    takes the place of an initialization vector."""
    key = hashlib.pbkdf2_hmac("sha1", PASSPHRASE, SALT, ROUNDS, 32)
    done = subprocess.run(["openssl", "enc", "-aes-256-cbc", "-nopad", "-K", key.hex(), "-iv", "00" * BLOCK],
                          input=bytes(BLOCK) + secret.encode().ljust(ROOM, b"\0"), capture_output=True, check=True)
    return f"{{AES-256-CBC,{ROUNDS}}}{base64.b64encode(done.stdout).decode()}"


class ClawsMail(Sylph):
    name = "Claws Mail"
    package = "claws-mail"
    folder = ".claws-mail"
    log = "claws.log"
    trouble = "*** "
    account = "MAID"
    queued_end = "X-Claws-End-Special-Headers: 1\n"
    select = "--select"
    imap_protocol = 1

    def settings(self, task):
        task.write(f"{self.folder}/clawsrc", "\n".join([
            "[Common]", "config_version=4", "no_receive_error_panel=1",
            f"master_passphrase_salt={base64.b64encode(SALT).decode()}"]) + "\n")
        secret = stored(task.secret)
        task.write(f"{self.folder}/passwordstorerc", f"[account:1]\nrecv {secret}\nsend {secret}\n")
        return ["config_version=4", "ssl_certs_auto_accept=1"]


PROGRAM = ClawsMail()
