# SPDX-License-Identifier: ISC
"""What the lint scripts share: the project's files, C text without comments and strings, verdicts."""

import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = {".git", "node_modules", "__pycache__", ".pytest_cache", "demo", ".cache"}


def files(*suffixes, under="."):
    """Files of the project below a folder with one of these suffixes (none: all), sorted."""
    found = []
    for folder, names, entries in os.walk(ROOT / under):
        names[:] = [n for n in names if n not in SKIPPED and not n.startswith("build")]
        for name in entries:
            path = pathlib.Path(folder) / name
            if path.is_file() and (not suffixes or path.suffix in suffixes):
                found.append(path)
    return sorted(found)


def shown(path):
    return path.relative_to(ROOT)


_BLANKED = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_of(path):
    """C text with comments blanked and literals emptied; every line keeps its number."""

    def blank(match):
        text = match.group()
        if text[0] in "\"'":
            return text[0] * 2
        return "\n" * text.count("\n") or " "

    return _BLANKED.sub(blank, path.read_text(encoding="utf-8"))


class Verdict:
    """Collects faults and ends the script with 1 if there are any, or if nothing was looked at."""

    def __init__(self):
        self.faults = []
        self.checked = 0

    def fault(self, path, line, text):
        self.faults.append(f"{shown(path)}:{line}: {text}")

    def finish(self, what):
        for fault in self.faults:
            print(fault)
        print(f"{self.checked} {what} checked, {len(self.faults)} faults")
        sys.exit(1 if self.faults or self.checked == 0 else 0)
