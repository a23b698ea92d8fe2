# SPDX-License-Identifier: ISC
import smtplib
import ssl

from program import SECONDS, SENDING, Program


class PythonSmtplib(Program):
    name = "Python smtplib"
    package = "python3"
    services = SENDING

    def send(self, task):
        context = ssl.create_default_context(cafile=str(task.authority))
        try:
            if task.is_implicit:
                server = smtplib.SMTP_SSL(task.host, task.port, timeout=SECONDS, context=context)
            else:
                server = smtplib.SMTP(task.host, task.port, timeout=SECONDS)
            with server:
                if not task.is_implicit:
                    server.starttls(context=context)
                server.login(task.login, task.secret)
                server.sendmail(task.address, [task.recipient], task.letter())
        except (OSError, smtplib.SMTPException) as error:
            return f"{type(error).__name__}: {error}"
        return ""


PROGRAM = PythonSmtplib()
