# SPDX-License-Identifier: ISC
"""Evolution by the library that does its mail, Camel, as evolution_camel.py uses it: its windows would bring 86 packages
along, a web engine among them."""

import json
import pathlib

import rig
from program import IMAP, POP3, SENDING, Program, run

SCRIPT = pathlib.Path(__file__).with_name("evolution_camel.py")
# Where ./test puts what is loaded at run time; otherwise it has to be installed.
PROVIDERS = rig.ROOT / "build-camel/usr/lib/evolution-data-server/camel-providers"


class Evolution(Program):
    name = "Evolution"
    package = "gir1.2-camel-1.2"
    services = (*SENDING, *IMAP, *POP3)
    note = "its mail library, Camel"
    at_once = 2

    @staticmethod
    def perform(task):
        told = {"protocol": "smtp" if task.service in SENDING else "imapx" if task.is_imap else "pop", "host": task.host,
                "port": task.port, "implicit": task.is_implicit, "login": task.login, "secret": task.secret,
                "address": task.address, "recipient": task.recipient, "subject": task.subject,
                "authority": str(task.authority), "home": str(task.home)}
        providers = {"EDS_CAMEL_PROVIDER_DIR": str(PROVIDERS)} if PROVIDERS.is_dir() else {}
        return run(task, "/usr/bin/python3", SCRIPT, stdin=json.dumps(told), GSETTINGS_BACKEND="memory", **providers)

    def send(self, task):
        return self.perform(task)

    def fetch(self, task):
        return self.perform(task)


PROGRAM = Evolution()
