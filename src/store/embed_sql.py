# SPDX-License-Identifier: ISC
"""Turns sql/NNN_name.sql files into rows of a C table: embed_sql.py OUTPUT FILE..."""

import pathlib
import sys


def row(path):
    number, name = path.stem.split("_", 1)
    lines = [line for line in path.read_text(encoding="ascii").splitlines() if not line.startswith("--")]
    text = "".join(f'\t\t"{line.strip()}\\n"\n' for line in lines if line.strip())
    if '"' in "".join(lines) or "\\" in "".join(lines):
        sys.exit(f"{path}: no quotes or backslashes, please")
    return f'\t{{ {int(number)}, "{name}",\n{text}\t}},\n'


def main():
    output, files = sys.argv[1], sorted(pathlib.Path(name) for name in sys.argv[2:])
    numbers = [int(path.stem.split("_", 1)[0]) for path in files]
    if numbers != list(range(1, len(files) + 1)):
        sys.exit("migrations must be numbered 001, 002 and so on without a gap")
    pathlib.Path(output).write_text("".join(row(path) for path in files), encoding="ascii")


main()
