# SPDX-License-Identifier: ISC
"""A next hop of the tests: strict about every byte, answers by a script (tests/model/next_hop.h has the letters), keeps
what it took."""

import contextlib
import re
import threading

from listening import Listening

CLASSES = {"mail": "1.0", "rcpt": "1.5", "data": "0.0", "end": "0.0"}


class Closed(Exception):
    pass


class Sink(Listening):
    def __init__(self):
        self.lock = threading.Lock()
        self.script, self.used, self.delivered, self.faults = {}, {}, [], []
        super().__init__()

    def load(self, script):
        """The next dialogue begins."""
        with self.lock:
            self.script, self.used, self.delivered = script, dict.fromkeys(CLASSES, 0), []

    def talk(self, sock):
        with sock, sock.makefile("rb") as file, contextlib.suppress(Closed, OSError):
            sock.sendall(b"220 sink ESMTP\r\n")
            self.run(sock, file)

    def fault(self, what):
        self.faults.append(what)
        raise Closed

    def line(self, file):
        line = file.readline()
        if not line:
            raise Closed
        if not line.endswith(b"\r\n") or re.search(rb"[\r\n\0]", line[:-2]):
            self.fault(f"a line that is none: {line!r}")
        return line[:-2].decode()

    def next_letter(self, verb):
        """What the script wants said to this command, and the how manieth of its kind it is."""
        with self.lock:
            number = self.used.get(verb, 0)
            self.used[verb] = number + 1
            letters = self.script.get(verb, "")
        return (letters[number] if number < len(letters) else "a"), number

    def answer(self, sock, verb):
        """By the script; true: accepted."""
        return self.say(sock, verb, *self.next_letter(verb))

    def say(self, sock, verb, letter, number):
        if letter == "x":
            raise Closed
        good = "354 go" if verb == "data" else "250 2." + CLASSES[verb]
        more = "354 more" if verb == "data" else "250 more"
        text = {"a": f"{good} {verb} {number}", "d": f"{good} {verb} {number}",
                "m": f"{good.replace(' ', '-', 1)} {verb} {number}\r\n{more}",
                "t": f"450 4.{CLASSES[verb]} later {verb} {number}", "p": f"550 5.{CLASSES[verb]} no {verb} {number}",
                "c": f"421 4.3.2 closing {verb} {number}", "b": "HTTP/1.1 200 OK",
                "w": f"{250 if verb == 'data' else 354} odd {verb} {number}"}[letter]
        sock.sendall(text.encode() + b"\r\n")
        if letter in "bcdw":
            raise Closed
        return letter in "am"

    def message(self, file):
        lines = []
        while True:
            line = file.readline()
            # Cut off within a line: what came of it must be clean all the same.
            is_whole = line.endswith(b"\r\n")
            text = line[:-2] if is_whole else line.removesuffix(b"\r")
            if re.search(rb"[\r\n\0]", text):
                self.fault(f"a message with a bare CR, a bare LF or a NUL: {line!r}")
            if not is_whole:
                raise Closed
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line)

    def run(self, sock, file):
        sender, recipients = None, []
        while True:
            line = self.line(file)
            verb = line.split(" ")[0]
            if verb == "EHLO":
                sock.sendall(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
                             b"250 ENHANCEDSTATUSCODES\r\n")
            elif verb == "MAIL":
                if sender is not None:
                    self.fault("MAIL within a transaction")
                if self.answer(sock, "mail"):
                    sender, recipients = re.fullmatch(r"MAIL FROM:<(.*)>(?: .*)?", line)[1], []
            elif verb == "RCPT":
                if sender is None:
                    sock.sendall(b"503 5.5.1 MAIL first\r\n")
                elif self.answer(sock, "rcpt"):
                    recipients.append(re.fullmatch(r"RCPT TO:<(.*)>(?: .*)?", line)[1])
            elif verb == "DATA":
                if not recipients:  # pipelined with those that were refused
                    sock.sendall(b"503 5.5.1 RCPT first\r\n")
                elif self.answer(sock, "data"):
                    message = self.message(file)
                    letter, number = self.next_letter("end")
                    # Kept, or not, before it is said: who hears the answer finds here what it means.
                    if letter in "adm":
                        with self.lock:
                            self.delivered.append((sender, recipients, message))
                    self.say(sock, "end", letter, number)
                    sender, recipients = None, []
            elif verb == "RSET":
                sender, recipients = None, []
                sock.sendall(b"250 2.0.0 reset\r\n")
            elif verb == "VRFY":
                sock.sendall(b"252 2.5.2 perhaps\r\n")
            elif verb == "QUIT":
                sock.sendall(b"221 2.0.0 bye\r\n")
                return
            else:
                self.fault(f"an unknown command: {line!r}")
