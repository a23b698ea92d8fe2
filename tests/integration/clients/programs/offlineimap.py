# SPDX-License-Identifier: ISC
from program import IMAP, Program, run


class Offlineimap(Program):
    name = "offlineimap"
    package = "offlineimap3"
    services = IMAP

    def fetch(self, task):
        store = task.home / "store"
        secret = task.secret.replace("%", "%%")
        login = task.login.replace("%", "%%")
        rc = task.write(".offlineimaprc", f"""[general]
accounts = a
metadata = {task.home}/meta
maxconnections = 1

[Account a]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {store}

[Repository far]
type = IMAP
remotehost = {task.host}
remoteport = {task.port}
remoteuser = {login}
remotepass = {secret}
ssl = {"yes" if task.is_implicit else "no"}
starttls = {"no" if task.is_implicit else "yes"}
sslcacertfile = {task.authority}
readonly = True
""")
        shown = run(task, "offlineimap", "-c", rc, "-o", "-u", "basic")
        return shown + "".join(path.read_text(encoding="utf-8", errors="replace")
                               for path in store.rglob("*") if path.is_file())


PROGRAM = Offlineimap()
