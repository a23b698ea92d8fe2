# SPDX-License-Identifier: ISC
import imaplib
import ssl

from program import IMAP, SECONDS, Program


class PythonImaplib(Program):
    name = "Python imaplib"
    package = "python3"
    services = IMAP

    def fetch(self, task):
        context = ssl.create_default_context(cafile=str(task.authority))
        try:
            if task.is_implicit:
                server = imaplib.IMAP4_SSL(task.host, task.port, ssl_context=context, timeout=SECONDS)
            else:
                server = imaplib.IMAP4(task.host, task.port, timeout=SECONDS)
                server.starttls(context)
            with server:
                quoted = task.login.replace("\\", "\\\\").replace('"', '\\"')
                server.login(f'"{quoted}"', task.secret)
                server.select("INBOX", readonly=True)
                return server.fetch("1", "(BODY.PEEK[])")[1][0][1].decode()
        except (OSError, imaplib.IMAP4.error) as error:
            return f"{type(error).__name__}: {error}"


PROGRAM = PythonImaplib()
