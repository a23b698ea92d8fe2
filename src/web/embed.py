# SPDX-License-Identifier: ISC
"""Turns the files of the portal's folder into C: embed.py FOLDER OUTPUT DEPFILE. The same files give the same bytes."""

import gzip
import hashlib
import pathlib
import re
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
HASHED = re.compile(r"[-.][0-9a-f]{8,}\.\w+$")


def array(name, data):
    rows = (",".join(str(byte) for byte in data[i:i + 32]) for i in range(0, len(data), 32))
    return f"static const unsigned char {name}[] = {{\n" + ",\n".join(rows) + "\n};\n"


def main():
    folder, output, depfile = map(pathlib.Path, sys.argv[1:])
    names = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in TYPES)
    arrays, rows = [], []
    for number, path in enumerate(names):
        data = path.read_bytes()
        packed = gzip.compress(data, 9, mtime=0)
        url = "/" + path.relative_to(folder).as_posix()
        url = "/" if url == "/index.html" else url
        etag = hashlib.sha256(data).hexdigest()[:24]
        arrays.append(array(f"plain_{number}", data))
        if len(packed) < len(data):
            arrays.append(array(f"gzip_{number}", packed))
        shorter = f"BYTES(gzip_{number})" if len(packed) < len(data) else "NO_BYTES"
        fixed = "true" if HASHED.search(url) else "false"
        rows.append(f'\t{{ "{url}", "{TYPES[path.suffix]}", "{etag}", {fixed}, '
                    f"BYTES(plain_{number}), {shorter} }},\n")
    if not names:
        sys.exit(f"{folder}: no files")
    text = "".join(arrays) + "static const struct files_file files[] = {\n" + "".join(rows) + "};\n"
    output.write_text(text, encoding="ascii")
    # A folder's time changes when a file comes or goes.
    folders = {folder, *(path.parent for path in names)}
    depfile.write_text(f"{output}: " + " ".join(sorted(str(p) for p in [*names, *folders])) + "\n",
                       encoding="utf-8")


main()
