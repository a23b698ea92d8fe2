# SPDX-License-Identifier: ISC
"""The results as rows of the tables in doc/clients.md. The words around the tables are written by hand; a row belongs
to one program, and a run of some programs touches their rows only."""

import re

import program
import rig
from door import PORTS

DOCUMENT = rig.ROOT / "doc/clients.md"
PROTOCOLS = {"submission": "SMTP", "submissions": "SMTP", "imap": "IMAP", "imaps": "IMAP", "pop3": "POP3",
             "pop3s": "POP3"}
OUR_WORDS = "our words"
EXCERPT = 110  # characters of a program's own words
TROUBLE = re.compile("fail|denied|error|unexpected|refus|wrong|invalid|not be sent", re.I)
QUOTED = re.compile(r'"[^"|]*"')
REFERENCE = re.compile(r" ?\(ref [0-9A-HJKMNP-TV-Z]{8}\)", re.I)


def passed(result, service):
    tries = [t for t in result.tries if t.service == service]
    if not tries:
        return "–"
    good = sum(t.ok for t in tries)
    return "yes" if good == len(tries) else f"**{good} of {len(tries)}**"


def ways_row(result):
    failed = sorted({t.form for t in result.tries if not t.ok} | {t.secret for t in result.tries if not t.ok})
    return [result.name, result.version, *(passed(result, service) for service in PORTS),
            "all" if not failed else "not always: " + ", ".join(failed),
            ", ".join(sorted(m.upper() for m in result.mechanisms)), result.note or "–"]


def excerpt(refusal):
    """The last line that tells of trouble, else the last, without what differs from run to run."""
    lines = [" ".join(line.split()) for line in re.split(r"[\r\n]+| {3,}", REFERENCE.sub("", refusal.shown))]
    lines = [line for line in lines if re.search(r"\w{3}", line)]
    lines = [line for line in lines if TROUBLE.search(line)] or lines or ["nothing"]
    text = re.sub(r"/\S*/\d+/", "", lines[-1])
    text = text.replace('"', "'").replace("|", "/")
    return f'"{text[:EXCERPT]}"'


def shown(result, kind):
    said = {}
    for refusal in result.refusals:
        if refusal.kind == kind:
            words = OUR_WORDS if refusal.is_told(result.portal) else excerpt(refusal)
            said.setdefault(words, []).append(PROTOCOLS[refusal.service])
    if not said:
        return "–"
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{', '.join(protocols)}: {words}" for words, protocols in said.items())


def counted(result):
    counts = {PROTOCOLS[r.service]: r.attempts for r in result.refusals if r.kind == "wrong password"}
    if len(set(counts.values())) == 1:
        return str(next(iter(counts.values())))
    return ", ".join(f"{protocol}: {count}" for protocol, count in counts.items())


def refusals_row(result):
    return [result.name, shown(result, "wrong password"), counted(result), shown(result, "banned"),
            shown(result, "blocked")]


TABLES = {"ways": ways_row, "refusals": refusals_row}


def line(cells):
    return "| " + " | ".join(cells) + " |"


def region(text, name):
    """Start and end of the rows of a table, between its ruler and the mark that ends it."""
    found = re.search(rf"<!-- {name} -->\n\|[^\n]*\n\|[-|]*\n(.*?)<!-- end -->", text, re.S)
    if found is None:
        raise ValueError(f"{DOCUMENT}: no table {name}")
    return found.span(1)


def rows(text, name):
    """Program → its line."""
    start, end = region(text, name)
    return {row.split("|")[1].strip(): row for row in text[start:end].splitlines()}


def merged(text, results, order):
    """The document with these results in place of what it says of the same programs."""
    for name, make in TABLES.items():
        found = rows(text, name)
        found.update({result.name: line(make(result)) for result in results.values()})
        start, end = region(text, name)
        kept = [found[program_name] for program_name in order if program_name in found]
        text = text[:start] + "".join(row + "\n" for row in kept) + text[end:]
    return text


def masked(row):
    """What has to hold: not the version, which a security update moves, nor a program's own choice of words, nor how
    often it tries before somebody stops it."""
    cells = row.split("|")
    cells[2 if len(cells) > 8 else 3] = ""
    return QUOTED.sub('""', "|".join(cells))


def differences(text, results):
    """Where the document says something else than these results: lines for people."""
    found = []
    for name, make in TABLES.items():
        known = rows(text, name)
        for result in results.values():
            made = line(make(result))
            if masked(known.get(result.name, "")) != masked(made):
                found.append(f"{name}, {result.name}:\n  written: {known.get(result.name)}\n  seen:    {made}")
    return found


assert set(PROTOCOLS) == set(PORTS) == {*program.SENDING, *program.IMAP, *program.POP3}
