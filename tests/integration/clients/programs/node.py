# SPDX-License-Identifier: ISC
"""What the programs from npm share: settings go in by standard input, words come out."""

import json
import os
import pathlib

import rig
from program import Missing, Program, run

MODULES = pathlib.Path(os.environ.get("GATEPOST_NODE_MODULES", rig.ROOT / "build-npm/node_modules"))
READ = "const task = JSON.parse(require('fs').readFileSync(0));\n"


class NodeProgram(Program):
    def version(self):
        manifest = MODULES / self.package / "package.json"
        if not manifest.exists():
            raise Missing(f"{self.package} is not in {MODULES}; ./test installs it")
        return json.loads(manifest.read_text(encoding="utf-8"))["version"]

    def run(self, task, script):
        settings = {"module": str(MODULES / self.package), "host": task.host, "port": task.port,
                    "secure": task.is_implicit, "login": task.login, "secret": task.secret, "from": task.address,
                    "to": task.recipient, "subject": task.subject}
        return run(task, "node", "-e", READ + script, stdin=json.dumps(settings),
                   NODE_EXTRA_CA_CERTS=str(task.authority))
