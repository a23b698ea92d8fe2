# SPDX-License-Identifier: ISC
from program import IMAP, POP3, Program, run


class Fetchmail(Program):
    name = "fetchmail"
    package = "fetchmail"
    services = (*IMAP, *POP3)

    def fetch(self, task):
        got = task.home / "got"
        got.touch()
        rc = task.write("fetchmailrc", f"""poll {task.host} protocol {"IMAP" if task.is_imap else "POP3"} port {task.port}
  user "{task.login}" password "{task.secret}"
  {"ssl" if task.is_implicit else "no ssl"} sslproto "{"auto" if task.is_implicit else "tls1.2+"}"
  sslcertfile "{task.authority}" sslcertck keep fetchall mda "cat >> {got}"
""")
        shown = run(task, "fetchmail", "-f", rc, "--nosyslog", "--nodetach", FETCHMAILHOME=str(task.home))
        return shown + got.read_text(encoding="utf-8", errors="replace")


PROGRAM = Fetchmail()
