# SPDX-License-Identifier: ISC
from program import IMAP, POP3, SENDING, Program, Screen


class Alpine(Program):
    name = "alpine"
    package = "alpine"
    services = (*SENDING, *IMAP, *POP3)
    at_once = 4  # it gives people three seconds to read a line

    def settings(self, task, *rows):
        return task.write(".pinerc", "\n".join([
            "personal-name=Somebody", "user-domain=example.test", f"customized-hdrs=From: {task.address}",
            "feature-list=send-without-confirm,disable-password-file-saving", f"system-certs-file={task.authority}", "sort-key=Arrival", "default-fcc=", "last-version-used=6.26", "remote-abook-metafile=", *rows]) + "\n")

    @staticmethod
    def server(task, protocol):
        return f"{{{task.host}:{task.port}/{protocol}/{'ssl' if task.is_implicit else 'tls'}/user={task.login}}}"

    @staticmethod
    def answer(screen, task, *done):
        """Gives the password when asked; to be asked again is a refusal."""
        asked = False
        while True:
            found = screen.wait(*done, "PASSWORD:", "Preserve password")
            if found == len(done) and not asked:
                asked = True
                screen.type(task.secret + "\r")
            elif found == len(done) + 1:
                screen.type("n")
            else:
                return

    def send(self, task):
        server = f"{task.host}:{task.port}/{'ssl' if task.is_implicit else 'tls'}/user={task.login}"
        rc = self.settings(task, f"smtp-server={server}", "inbox-path=/dev/null")
        with Screen(task, "alpine", "-p", rc, "-url", f"mailto:{task.recipient}?subject={task.subject}") as screen:
            screen.wait("Message Text")
            screen.type("\x18")
            self.answer(screen, task, r"Message sent", r"\(ref \w{8}\)", "rror", "blocked")
            return screen.text

    def fetch(self, task):
        folder = self.server(task, "imap" if task.is_imap else "pop3") + "INBOX"
        rc = self.settings(task, f"inbox-path={folder}")
        with Screen(task, "alpine", "-p", rc, "-i") as screen:
            self.answer(screen, task, task.subject, r"\(ref \w{8}\)")
            return screen.text


PROGRAM = Alpine()
