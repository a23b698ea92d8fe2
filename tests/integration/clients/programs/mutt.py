# SPDX-License-Identifier: ISC
from program import IMAP, POP3, SENDING, Program, Screen, run


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`") + '"'


class Mutt(Program):
    name = "mutt"
    package = "mutt"
    services = (*SENDING, *IMAP, *POP3)
    command = "mutt"

    def settings(self, task):
        protocol = "smtp" if task.service in SENDING else "imap" if task.is_imap else "pop"
        scheme = protocol + ("s" if task.is_implicit else "")
        login = task.login.replace("%", "%25").replace("@", "%40")
        url = f"{scheme}://{login}@{task.host}:{task.port}/"
        rows = [f'set from="{task.address}"', "set use_from=yes", "set ssl_force_tls=yes", "set ssl_starttls=yes",
                f'set certificate_file="{task.authority}"', "set copy=no",
                "set quit=yes", "set sleep_time=0", "set mail_check=0", "set delete=no",
                f"set {protocol}_pass={quoted(task.secret)}"]
        if protocol == "smtp":
            rows += [f'set smtp_url="{url}"', 'set spoolfile="/dev/null"']
        else:
            rows += [f'set spoolfile="{url}"', "set pop_checkinterval=0", f'set pop_host="{url}"',
                     f'set folder="{task.home}"', "set move=no"]
        return rows

    def send(self, task):
        rc = task.write("muttrc", "\n".join(self.settings(task)) + "\n")
        return run(task, self.command, "-n", "-F", rc, "-s", task.subject, "--", task.recipient, stdin="hello\n")

    def fetch(self, task):
        """Opens the inbox and shows the first letter; or waits until it has given up."""
        rc = task.write("muttrc", "\n".join(self.settings(task)) + "\n")
        with Screen(task, self.command, "-n", "-F", rc) as screen:
            if screen.wait(task.subject, r"\(no mailbox\)") == 0:
                screen.type("1\n\n")
                screen.wait("hello")
            return screen.text



PROGRAM = Mutt()
