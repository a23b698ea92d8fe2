# SPDX-License-Identifier: ISC
from program import SENDING
from programs.node import NodeProgram

SCRIPT = """
const mailer = require(task.module).createTransport({host: task.host, port: task.port, secure: task.secure,
  requireTLS: true, auth: {user: task.login, pass: task.secret}});
mailer.sendMail({from: task.from, to: task.to, subject: task.subject, text: 'hello'})
  .then((info) => console.log(info.response), (error) => console.log(String(error)));
"""


class Nodemailer(NodeProgram):
    name = "nodemailer"
    package = "nodemailer"
    services = SENDING

    def send(self, task):
        return self.run(task, SCRIPT)


PROGRAM = Nodemailer()
