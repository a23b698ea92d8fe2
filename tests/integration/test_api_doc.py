# SPDX-License-Identifier: ISC
"""Every example of doc/api.md is run, in its order, by one shell, and answers what the page says."""

import json
import re
import subprocess

import rig

PAGE = rig.ROOT / "doc/api.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
END = "---- end of an example ----"
STATUS = re.compile(r"[1-5]\d\d")


def examples():
    """(shell, what must come or None) of each example; nothing else may be in a block."""
    found = []
    for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "sh":
            found.append([text, None])
        else:
            assert kind == "json" and found and found[-1][1] is None, text
            found[-1][1] = text
    return found


def answers(text):
    """[(body, status)] of what curl said, or the page says it will."""
    found, body = [], ""
    for line in text.splitlines():
        if STATUS.fullmatch(line):
            found.append((json.loads(body) if body.strip() else None, int(line)))
            body = ""
        else:
            body += line
    assert not body.strip(), body
    return found


def fits(wanted, got):
    """"..." stands for anything, within a text for any part of it, and as a key for more keys."""
    if wanted == "...":
        return True
    if isinstance(wanted, str) and "..." in wanted:
        return isinstance(got, str) and re.fullmatch(".*".join(map(re.escape, wanted.split("..."))), got) is not None
    if isinstance(wanted, dict):
        named = {key: value for key, value in wanted.items() if key != "..."}
        return isinstance(got, dict) and (set(named) == set(got) or "..." in wanted and set(named) < set(got)) and all(
            fits(value, got[key]) for key, value in named.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(wanted) == len(got) and all(map(fits, wanted, got))
    return type(wanted) is type(got) and wanted == got


def shell(door, blocks):
    """What each block wrote. curl is told where the name is served, gatepost where its daemon is."""
    port = door.ports["https"]
    script = (f'curl() {{ command curl --cacert "{door.chain}" --connect-to mail.example.test:443:127.0.0.1:{port} "$@"; }}\n'
              f'gatepost() {{ command "{rig.BUILD}/gatepost" --config "{door.config}" "$@"; }}\nset -euo pipefail\n')
    script += "".join(f"{text}echo; echo '{END}'\n" for text in blocks)
    result = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr + result.stdout
    assert result.stderr == ""
    return result.stdout.split(END + "\n")[:-1]


def test_the_page(make_gatepost, peer):
    door = make_gatepost()
    all_of_them = examples()
    wrote = shell(door, [text for text, _ in all_of_them])
    assert len(wrote) == len(all_of_them) > 15
    for (text, wanted), got in zip(all_of_them, wrote):
        if wanted is None:
            assert got.strip() == "", text
            continue
        told, came = answers(wanted), answers(got)
        assert [status for _, status in told] == [status for _, status in came], (text, got)
        for (body, _), (answer, _) in zip(told, came):
            assert fits(body, answer), (text, body, answer)


def test_what_fits_is_told_from_what_does_not():
    for wanted, got, is_fit in (
            ({"a": 1}, {"a": 1}, True), ({"a": 1}, {"a": 1, "b": 2}, False), ({"a": 1, "...": "..."}, {"a": 1, "b": 2}, True),
            ({"a": "..."}, {"a": None}, True), ({"a": "x..."}, {"a": "xyz"}, True), ({"a": "x..."}, {"a": "yx"}, False),
            ([1], [1, 2], False), (True, 1, False), ({"a": 1, "...": "..."}, {"b": 2, "c": 3}, False)):
        assert fits(wanted, got) == is_fit, (wanted, got)
