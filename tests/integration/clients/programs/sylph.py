# SPDX-License-Identifier: ISC
"""What Sylpheed and Claws Mail, which began as the same program, have in common. Their windows are on a screen in
memory; options receive, and send what the queue holds. What a person is shown is read from their log."""

import contextlib
import os
import subprocess

import rig
from program import IMAP, POP3, SECONDS, SENDING, Missing, Program, end_group, environment

BOXES = ("inbox", "outbox", "draft", "queue", "trash")
QUEUED = """{account}:1
S:{task.address}
SSV:{task.host}
R:<{task.recipient}>
{end}"""
INTO_MEMORY = ["-nolisten", "tcp", "-screen", "0", "1024x768x24"]


@contextlib.contextmanager
def screen():
    """Its number. Programs that share one look at each other's windows, and fall over those that are gone."""
    read, write = os.pipe()
    try:
        server = subprocess.Popen(["Xvfb", "-displayfd", str(write), *INTO_MEMORY], pass_fds=[write],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except FileNotFoundError as error:
        os.close(read)
        raise Missing("Xvfb is not installed; ./test installs it") from error
    finally:
        os.close(write)
    with server, os.fdopen(read) as number:
        try:
            yield ":" + number.readline().strip()
        finally:
            server.terminate()


class Sylph(Program):
    services = (*SENDING, *IMAP, *POP3)
    at_once = 2  # two cores are busy with as many
    folder = ""  # of their settings, in the home
    log = ""
    trouble = ""  # how a line of it begins that ends a task
    account = ""  # what a queued letter says its account by
    queued_end = ""  # before its own header
    select = ""  # the option that shows a letter
    imap_protocol = 0  # its number

    def settings(self, task):
        """Writes what differs between the two: rows of the account, and whatever else."""
        raise NotImplementedError

    def prepare(self, task):
        kind = "smtp" if task.service in SENDING else "imap" if task.is_imap else "pop"
        rows = ["[Account: 1]", "account_name=a", "is_default=1", "name=Somebody", f"address={task.address}",
                f"protocol={self.imap_protocol if task.is_imap else 0}", f"receive_server={task.host}",
                f"smtp_server={task.host}", f"user_id={task.login}", "use_smtp_auth=1", f"smtp_user_id={task.login}",
                "remove_mail=0", "receive_at_get_all=1", f"ssl_{kind}={1 if task.is_implicit else 2}",
                f"set_{kind}port=1", f"{kind}_port={task.port}", *self.settings(task)]
        task.write(f"{self.folder}/accountrc", "\n".join(rows) + "\n")
        boxes = "".join(f'<folderitem type="{name}" name="{name}" path="{name}" />' for name in BOXES)
        imap = ('<folder type="imap" name="a" account_id="1"><folderitem type="inbox" name="INBOX" path="INBOX" />'
                '</folder>' if task.is_imap else "")
        task.write(f"{self.folder}/folderlist.xml",
                   f'<?xml version="1.0"?>\n<folderlist><folder type="mh" name="Mail" path="{task.home}/Mail">{boxes}'
                   f'</folder>{imap}</folderlist>\n')
        for name in BOXES:
            (task.home / "Mail" / name).mkdir(parents=True)

    def start(self, task, option, is_done):
        log = task.home / self.folder / self.log

        def shown():
            return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

        with screen() as display, open(task.home / "output", "wb") as output, subprocess.Popen(
                [self.package, *option], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=environment(task.home, DISPLAY=display, SSL_CERT_FILE=str(task.authority), NO_AT_BRIDGE="1"),
                start_new_session=True) as process:
            try:
                rig.until(lambda: is_done() or self.trouble in shown() or process.poll() is not None,
                          self.name, SECONDS)
            except rig.RigError:
                pass  # what it showed until then says why
            end_group(process)
        return shown()

    def send(self, task):
        self.prepare(task)
        queued = task.write("Mail/queue/1", QUEUED.format(account=self.account, task=task, end=self.queued_end) +
                            task.letter())
        return self.start(task, ["--send"], lambda: not queued.exists())

    def fetch(self, task):
        """By POP3 what it fetches is in its inbox; by IMAP it opens the letter and keeps a copy."""
        self.prepare(task)
        option = [self.select, "#imap/a/INBOX/1"] if task.is_imap else ["--receive-all"]

        def letters():
            return "".join(path.read_text(encoding="utf-8", errors="replace")
                           for path in task.home.rglob("*") if path.name.isdigit() and path.is_file())
        shown = self.start(task, option, lambda: task.subject in letters())
        return shown + letters()
