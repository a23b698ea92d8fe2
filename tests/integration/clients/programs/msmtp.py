# SPDX-License-Identifier: ISC
from program import SENDING, Program, run


class Msmtp(Program):
    name = "msmtp"
    package = "msmtp"
    services = SENDING

    def send(self, task):
        rc = task.write(".msmtprc", f"""account default
host {task.host}
port {task.port}
tls on
tls_starttls {"off" if task.is_implicit else "on"}
tls_trust_file {task.authority}
auth on
user {task.login}
password {task.secret}
from {task.address}
""")
        return run(task, "msmtp", "-C", rc, task.recipient, stdin=task.letter())


PROGRAM = Msmtp()
