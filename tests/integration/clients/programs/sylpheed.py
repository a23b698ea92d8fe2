# SPDX-License-Identifier: ISC
from programs.sylph import Sylph


class Sylpheed(Sylph):
    name = "Sylpheed"
    package = "sylpheed"
    folder = ".sylpheed-2.0"
    log = "sylpheed.log"
    trouble = "** warning"
    account = "AID"
    queued_end = "X-Sylpheed-End-Special-Headers: 1\n\n"
    select = "--open"
    imap_protocol = 3

    def settings(self, task):
        task.write(f"{self.folder}/sylpheedrc", "[Common]\nno_receive_error_panel=1\n")
        task.write(f"{self.folder}/certs.crt", task.authority.read_text(encoding="ascii"))
        return [f"password={task.secret}", f"smtp_password={task.secret}"]


PROGRAM = Sylpheed()
