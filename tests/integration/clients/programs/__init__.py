# SPDX-License-Identifier: ISC
"""The drivers, one file for each program; the order is that of doc/clients.md."""

import importlib

NAMES = ("thunderbird", "claws_mail", "sylpheed", "evolution", "alpine", "mutt", "neomutt", "s_nail", "mbsync",
         "offlineimap", "fetchmail", "getmail", "msmtp", "swaks", "curl", "nodemailer", "imapflow", "python_smtplib",
         "python_imaplib", "python_poplib")


def load(names=NAMES):
    """The drivers of these names."""
    return [importlib.import_module(f"programs.{name}").PROGRAM for name in names]
