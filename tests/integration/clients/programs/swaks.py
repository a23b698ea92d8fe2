# SPDX-License-Identifier: ISC
from program import SENDING, Program, run


class Swaks(Program):
    name = "swaks"
    package = "swaks"
    services = SENDING

    def send(self, task):
        tls = "--tls-on-connect" if task.is_implicit else "--tls"
        rc = task.write(".swaksrc", f"--auth-password {task.secret}\n")
        return run(task, "swaks", "--config", rc, "--server", task.host, "--port", task.port, tls,
                   "--tls-verify", "--tls-ca-path", task.authority, "--auth", "--auth-user", task.login,
                   "--from", task.address, "--to", task.recipient, "--header", f"Subject: {task.subject}")


PROGRAM = Swaks()
