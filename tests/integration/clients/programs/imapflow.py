# SPDX-License-Identifier: ISC
from program import IMAP
from programs.node import NodeProgram

SCRIPT = """
const {ImapFlow} = require(task.module);
(async () => {
  const client = new ImapFlow({host: task.host, port: task.port, secure: task.secure, doSTARTTLS: !task.secure,
    auth: {user: task.login, pass: task.secret}, logger: false});
  client.on('error', () => {});
  await client.connect();
  const lock = await client.getMailboxLock('INBOX', {readOnly: true});
  const letter = await client.fetchOne('1', {source: true});
  console.log(letter.source.toString());
  lock.release();
  await client.logout();
})().catch((error) => {
  console.log(String(error), error.responseText || '');
  process.exit();
});
"""


class Imapflow(NodeProgram):
    name = "imapflow"
    package = "imapflow"
    services = IMAP

    def fetch(self, task):
        return self.run(task, SCRIPT)


PROGRAM = Imapflow()
