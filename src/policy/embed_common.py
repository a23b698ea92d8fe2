# SPDX-License-Identifier: ISC
"""Turns the frequency lists of zxcvbn (Debian: python3-zxcvbn) into a sorted C table of hashes of what people choose
as passwords: embed_common.py FREQUENCY_LISTS.PY OUTPUT"""

import pathlib
import runpy
import sys

LISTS = ("passwords", "english_wikipedia", "female_names", "male_names")
SHORTEST = 4  # PASSWORD_MIN without PASSWORD_SUFFIX_MAX


def fnv1a(text):  # as password.c has it
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def main():
    source, output = sys.argv[1:]
    lists = runpy.run_path(source)["FREQUENCY_LISTS"]
    words = {word.lower() for name in LISTS for word in lists[name] if len(word) >= SHORTEST}
    hashes = sorted(map(fnv1a, words))
    pathlib.Path(output).write_text("".join(f"0x{value:016x},\n" for value in hashes), encoding="ascii")


main()
