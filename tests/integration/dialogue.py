# SPDX-License-Identifier: ISC
"""Replays what a mail program says that no longer runs anywhere (clients/dialogues/*.txt), and tells how far it came.

	S: CODE [TEXT]	the reply has this code, and its last line this text; else the dialogue is over
	C: TEXT		is sent, with {names} filled in
	PICK PREFIXES MECHANISM ...
			of its mechanisms, in its own order, the first that stands in a line of the last reply beginning
			with one of the prefixes ("AUTH", "AUTH=" or both, with a comma between): on at [MECHANISM]; if it finds
			none, on at [send], not signed in
	[NAME]		the end of a section, on at [send], and the beginning of another
"""

import base64
import dataclasses
import hashlib
import hmac
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent / "clients/dialogues"
SENT = "sent"


@dataclasses.dataclass
class Outcome:
    mechanism: str | None = None  # that it took
    asked: str = ""               # what the last reply was to
    reply: str = ""               # the last line of it
    is_done: bool = False         # the whole dialogue went through

    @property
    def result(self):
        return SENT if self.is_done else self.reply[:3]


@dataclasses.dataclass
class Dialogue:
    sources: list
    steps: list  # [(number of the line, text)]

    @property
    def picks(self):
        return [text.split()[2:] for _, text in self.steps if text.startswith("PICK ")]


def load(name):
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    sources = [line.removeprefix("# source: ") for line in lines if line.startswith("# source: ")]
    return Dialogue(sources, [(number, line) for number, line in enumerate(lines, 1) if not line.startswith("#")])


def b64(data):
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def fillings(login, secret, challenge="", **more):
    digest = hmac.new(secret.encode(), base64.b64decode(challenge), hashlib.md5).hexdigest()
    return {"login64": b64(login), "secret64": b64(secret), "plain64": b64(f"\0{login}\0{secret}"),
            "cram64": b64(f"{login} {digest}"), **more}


def offered(reply, prefixes):
    """The mechanisms that a program sees which looks for these beginnings."""
    found = []
    for line in reply:
        words = line[4:].replace("=", "= ", 1).split() if line[4:].upper().startswith("AUTH=") else line[4:].split()
        if words and words[0].upper() in prefixes:
            found += [word.upper() for word in words[1:]]
    return found


def section(steps, name):
    return next((i + 1 for i, (_, text) in enumerate(steps) if text == f"[{name}]"), None)


def replay(dialogue, line, login, secret, **more):
    """line: a fresh connection (rig.Line) whose greeting was not read."""
    outcome = Outcome()
    reply, challenge, at = [], "", 0
    while at < len(dialogue.steps):
        number, text = dialogue.steps[at]
        at += 1
        if text.startswith("S: "):
            reply = line.reply() or ["gone"]
            outcome.reply = reply[-1]
            if not outcome.reply.startswith(text[3:]):
                return outcome
            challenge = outcome.reply[4:] if outcome.reply.startswith("334") else ""
        elif text.startswith("C: "):
            is_cram = "{cram64}" in text
            outcome.asked = text[3:]
            line.send(text[3:].format(**fillings(login, secret, challenge if is_cram else "", **more)))
        elif text.startswith("PICK "):
            _, prefixes, *wanted = text.split()
            seen = offered(reply, prefixes.split(","))
            outcome.mechanism = next((one for one in wanted if one in seen), None)
            at = section(dialogue.steps, outcome.mechanism or "send")
        elif text.startswith("["):
            at = section(dialogue.steps, "send")
        else:
            raise ValueError(f"line {number}: {text}")
    outcome.is_done = True
    return outcome
