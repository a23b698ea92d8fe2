# SPDX-License-Identifier: ISC
import poplib
import ssl

from program import POP3, SECONDS, Program


class PythonPoplib(Program):
    name = "Python poplib"
    package = "python3"
    services = POP3

    def fetch(self, task):
        context = ssl.create_default_context(cafile=str(task.authority))
        try:
            if task.is_implicit:
                server = poplib.POP3_SSL(task.host, task.port, timeout=SECONDS, context=context)
            else:
                server = poplib.POP3(task.host, task.port, timeout=SECONDS)
                server.stls(context)
            server.user(task.login)
            server.pass_(task.secret)
            letter = b"\n".join(server.retr(1)[1]).decode()
            server.quit()
            return letter
        except (OSError, poplib.error_proto) as error:
            return f"{type(error).__name__}: {error}"


PROGRAM = PythonPoplib()
