# SPDX-License-Identifier: ISC
from program import Program, run


class Getmail(Program):
    name = "getmail6"
    package = "getmail6"
    services = ("imaps", "pop3s")
    note = "no STARTTLS"

    def fetch(self, task):
        got = task.home / "got"
        got.touch()
        kind = "IMAP" if task.is_imap else "POP3"
        task.write(".getmail/getmailrc", f"""[retriever]
type = Simple{kind}SSLRetriever
server = {task.host}
port = {task.port}
username = {task.login}
password = {task.secret}
ca_certs = {task.authority}

[destination]
type = MDA_external
path = /usr/bin/tee
arguments = ("-a", "{got}")
allow_root_commands = true

[options]
delete = false
""")
        shown = run(task, "getmail", "--getmaildir", task.home / ".getmail")
        return shown + got.read_text(encoding="utf-8", errors="replace")


PROGRAM = Getmail()
