# SPDX-License-Identifier: ISC
from programs.mutt import Mutt


class Neomutt(Mutt):
    name = "neomutt"
    package = "neomutt"
    command = "neomutt"


PROGRAM = Neomutt()
