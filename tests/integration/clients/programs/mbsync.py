# SPDX-License-Identifier: ISC
from program import IMAP, Program, run


class Mbsync(Program):
    name = "mbsync"
    package = "isync"
    services = IMAP

    def fetch(self, task):
        store = task.home / "store"
        store.mkdir()
        rc = task.write(".mbsyncrc", f"""IMAPAccount a
Host {task.host}
Port {task.port}
User {task.login}
Pass "{task.secret}"
SSLType {"IMAPS" if task.is_implicit else "STARTTLS"}
CertificateFile {task.authority}

IMAPStore far
Account a

MaildirStore near
Path {store}/
Inbox {store}/INBOX

Channel c
Far :far:
Near :near:
Sync Pull
Create Near
SyncState *
""")
        shown = run(task, "mbsync", "-c", rc, "c")
        return shown + "".join(path.read_text(encoding="utf-8", errors="replace")
                               for path in store.rglob("*") if path.is_file())


PROGRAM = Mbsync()
