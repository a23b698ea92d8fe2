# SPDX-License-Identifier: ISC
"""Turns the notices of portal/text/LANGUAGE.json ("notice.KIND.subject", "notice.KIND.body") into rows of a C
table: embed_letters.py OUTPUT FILE...

Every language has the same kinds, with the same {names} in each as English has."""

import json
import pathlib
import re
import sys


def c_text(text):
    out = []
    for byte in text.encode("utf-8"):
        char = chr(byte)
        if char in '"\\?':
            out.append("\\" + char)
        elif char == "\n":
            out.append("\\n")
        elif 0x20 <= byte < 0x7F:
            out.append(char)
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def names(notice):
    return set(re.findall(r"\{(\w+)\}", notice["subject"] + notice["body"]))


def read(path):
    notices = {}
    for key, text in json.loads(path.read_text(encoding="utf-8")).items():
        first, _, rest = key.partition(".")
        if first == "notice":
            kind, part = rest.split(".")
            notices.setdefault(kind, {})[part] = text
    return notices


def main():
    languages = {}
    for name in sys.argv[2:]:
        path = pathlib.Path(name)
        languages[path.stem] = read(path)
    english = languages["en"]
    rows = []
    for language, notices in sorted(languages.items()):
        if notices.keys() != english.keys():
            sys.exit(f"{language}: other notices than English: {notices.keys() ^ english.keys()}")
        for kind, notice in notices.items():
            if names(notice) != names(english[kind]):
                sys.exit(f"{language}: {kind}: other {{names}} than in English")
            rows.append(f"\t{{ {c_text(language)}, {c_text(kind)},\n\t\t{c_text(notice['subject'])},\n"
                        f"\t\t{c_text(notice['body'])} }},\n")
    pathlib.Path(sys.argv[1]).write_text("".join(rows), encoding="ascii")


main()
