# SPDX-License-Identifier: ISC
from program import IMAP, POP3, SENDING, Program, run


class Curl(Program):
    name = "curl"
    package = "curl"
    services = (*SENDING, *IMAP, *POP3)

    def ask(self, task, scheme, path, *arguments, stdin=""):
        scheme += "s" if task.is_implicit else ""
        login = task.login.replace("\\", "\\\\").replace('"', '\\"')
        rc = task.write("curlrc", f'user = "{login}:{task.secret}"\n')
        return run(task, "curl", "-sS", "-K", rc, "--cacert", task.authority, "--ssl-reqd", *arguments,
                   f"{scheme}://{task.host}:{task.port}/{path}", stdin=stdin)

    def send(self, task):
        return self.ask(task, "smtp", "", "--mail-from", task.address, "--mail-rcpt", task.recipient, "-T", "-",
                        stdin=task.letter().replace("\n", "\r\n"))

    def fetch(self, task):
        if task.is_imap:
            return self.ask(task, "imap", "INBOX;MAILINDEX=1")
        return self.ask(task, "pop3", "1")


PROGRAM = Curl()
