# SPDX-License-Identifier: ISC
from urllib.parse import quote

from program import IMAP, POP3, SENDING, Program, run


class SNail(Program):
    name = "s-nail"
    package = "s-nail"
    services = (*SENDING, *IMAP, *POP3)

    def settings(self, task, protocol):
        scheme = protocol + ("s" if task.is_implicit else "")
        user, secret = quote(task.login, safe=""), quote(task.secret, safe="")
        url = f"{scheme}://{user}:{secret}@{task.host}:{task.port}"
        return url, task.write("mailrc", f"""set v15-compat
set from={task.address}
set tls-ca-file={task.authority} tls-ca-no-defaults tls-verify=strict
set smtp-use-starttls imap-use-starttls pop3-use-starttls
set smtp-auth=plain
set nosave
""")

    def send(self, task):
        url, rc = self.settings(task, "smtp")
        task.write("mailrc", rc.read_text(encoding="utf-8") + f"set mta={url}\n")
        return run(task, "s-nail", "-s", task.subject, task.recipient, stdin="hello\n", MAILRC=str(rc),
                   MAILX_NO_SYSTEM_RC="1")

    def fetch(self, task):
        url, rc = self.settings(task, "imap" if task.is_imap else "pop3")
        folder = f"{url}/INBOX" if task.is_imap else url
        return run(task, "s-nail", "-#", "-R", "-f", folder, stdin="type 1\nexit\n", MAILRC=str(rc),
                   MAILX_NO_SYSTEM_RC="1")


PROGRAM = SNail()
