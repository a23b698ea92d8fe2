# SPDX-License-Identifier: ISC
"""Random SMTP dialogues, each made from its seed alone."""

import base64
import random

from smtp_model import RECIPIENTS, SENDERS

# What might be taken for the end of a message. The first is it.
ENDS = [b"\r\n.\r\n", b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\r\n.\r\r\n",
        b"\r\n\x00.\r\n", b"\r\n.\x00\r\n", b"\n\n.\r\n", b"\r\n.\r\r\n"]
SECOND = (b"MAIL FROM:<bob@example.test>\r\nRCPT TO:<x1@example.test>\r\nDATA\r\nSubject: second\r\n\r\nx\r\n.\r\n")
LINES = [b"Subject: x", b"", b"text", b"..", b"..two", b". x", b".", b"From bob", b"\xc3\xa9\xff", b"x" * 98, b" .",
         b"..\x01", b"MAIL FROM:<x>", b"QUIT"]
GOOD_SENDERS = [key for key, value in SENDERS.items() if isinstance(value, str)]
GOOD_RECIPIENTS = [key for key, value in RECIPIENTS.items() if isinstance(value, str)]


def token(secret):
    return base64.b64encode(b"\0alice\0" + secret.encode()).decode()


def b64(text):
    return base64.b64encode(text.encode()).decode()


SIGNINS = [f"AUTH PLAIN {token('rightful')}", f"AUTH PLAIN {token('wrong')}", f"AUTH PLAIN {token('busy')}",
           f"AUTH PLAIN {token('later')}", f"AUTH PLAIN\r\n{token('rightful')}", f"auth login\r\n{b64('alice')}\r\n{b64('rightful')}",
           f"AUTH LOGIN {b64('alice')}\r\n{b64('wrong')}", "AUTH PLAIN\r\n*", "AUTH PLAIN !", "AUTH NTLM", "AUTH",
           "AUTH PLAIN AGE=", f"AUTH PLAIN {token('rightful')} x"]
OTHERS = ["NOOP", "noop x", "HELP", "VRFY bob", "VRFY", "RSET", "RSET", "RSET x", "EHLO again", "HELO old", "EHLO",
          "STARTTLS", "XCLIENT ADDR=192.0.2.1", "XFORWARD ADDR=192.0.2.1", "ETRN x", "BDAT 4 LAST", "BURL x", "TURN",
          "EXPN all", "WHAT", "", "DATA x", "DATA", "QUIT now"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def is_so(self, chance):
        return self.random.random() < chance

    def body(self):
        rnd = self.random
        lines = [rnd.choice(LINES) for _ in range(rnd.randrange(6))]
        if self.is_so(0.01):
            lines.append(b"a" * rnd.choice((998, 3000)))
        if self.is_so(0.005):
            lines += [b"0123456789" * 9] * rnd.choice((800, 2300))  # up to and above the limit
        body = b"".join(line + b"\r\n" for line in lines if line != b"." or self.is_so(0.1))
        if self.is_so(0.88):
            return body + b".\r\n"
        end = rnd.choice(ENDS)
        return body + b"x" + end + (SECOND if self.is_so(0.5) else b"") + (b".\r\n" if self.is_so(0.5) else b"")

    def envelope(self):
        rnd = self.random
        senders = GOOD_SENDERS if self.is_so(0.9) else list(SENDERS)
        yield "MAIL " + rnd.choice(senders)
        for _ in range(rnd.choice((0, 1, 1, 1, 2, 2, 3, 4, 7))):
            recipients = GOOD_RECIPIENTS if self.is_so(0.85) else list(RECIPIENTS)
            yield "RCPT " + rnd.choice(recipients)
            if self.is_so(0.03):
                yield rnd.choice(OTHERS)

    def transaction(self):
        lines = list(self.envelope())
        if self.is_so(0.12):
            lines.append(self.random.choice(("RSET", "EHLO again", "NOOP", *OTHERS)))
        data = "".join(line + "\r\n" for line in lines).encode()
        if self.is_so(0.9):
            data += b"DATA\r\n" + self.body()
        return data

    def hasty(self):
        """Transactions for this next hop and that, off before anybody can have answered."""
        lines = []
        for _ in range(self.random.randrange(2, 5)):
            lines.append("MAIL " + self.random.choice(GOOD_SENDERS))
            for _ in range(self.random.randrange(1, 3)):
                lines.append("RCPT TO:<" + self.random.choice(("x1@example.test", "far@b.test")) + ">")
            lines.append("RSET")
        return "".join(line + "\r\n" for line in lines).encode()

    def piece(self):
        if self.is_so(0.05):
            return self.hasty()
        if self.is_so(0.72):
            return self.transaction()
        if self.is_so(0.3):
            return (self.random.choice(SIGNINS) + "\r\n").encode()
        return (self.random.choice(OTHERS) + "\r\n").encode()

    def client(self, service):
        rnd = self.random
        data = b"EHLO client.test\r\n" if self.is_so(0.97) else b""
        if service == "submission" and self.is_so(0.93) or self.is_so(0.1):
            data += f"AUTH PLAIN {token('rightful')}\r\n".encode()
        for _ in range(rnd.randrange(1, 7)):
            data += self.piece()
        if self.is_so(0.02):
            data += rnd.choice((b"NOOP\n", b"NO\0OP\r\n", b"NOOP\r\r\n", b"x" * 2500, b"\xff\xfe\r\n"))
        return data + (b"QUIT\r\n" if self.is_so(0.8) else b"")

    def letters(self, choices, chance):
        if not self.is_so(chance):
            return "-"
        return "".join(self.random.choice(choices) if self.is_so(0.4) else "a"
                       for _ in range(self.random.randrange(1, 12)))

    def dialogue(self, name):
        """The line that describes it to drive_smtp, and the client's bytes."""
        rnd = self.random
        service = rnd.choice(("submission", "submission", "smtp"))
        data = self.client(service)
        flags = "".join(flag for flag, chance in (("l", 0.3), ("n", 0.2), ("g", 0.15), ("s", 0.15)) if self.is_so(chance))
        if "g" in flags:
            data = data[:rnd.randrange(len(data) + 1)]
        cut = rnd.choice(("whole", "byte", "line", "any", "any"))
        if len(data) > 20000 and cut == "byte":
            cut = "any"
        words = [name, service, str(rnd.randrange(1, 1 << 60)), cut, flags or "-", self.letters("f", 0.05),
                 self.letters("mtpcxwb", 0.2), self.letters("mtpcxwb" if self.is_so(0.3) else "mtp", 0.35),
                 self.letters("mtpcxwbd", 0.2), self.letters("mtpcxwb", 0.3), str(len(data))]
        return words, data
