# SPDX-License-Identifier: ISC
"""What an SMTP door must do, written from the RFCs and doc/replies.md without a look at its source: what each command
is answered, which messages are acknowledged, counted and delivered.

The model reads a dialogue as a sequence of commands, one after the other; segments, pipelining and who is slow must not
matter. Where they may (a next hop that dies while commands are on their way to it), it names all the answers that are
right and follows the one that was given."""

import base64
import re

MISTAKES_MAX = 20
SIGNINS_MAX = 3
RECIPIENTS_MAX = 5
SIZE_MAX = 200000
TEMPORARY = (451, "4.3.0")
BROKEN = "cxwb"  # letters of a next hop that is no good after them

# Arguments of MAIL and RCPT: what the next hop must hear (None: nothing), or the refusal.
SENDERS = {
    "FROM:<alice@example.test>": "alice@example.test",
    "FROM:<bob@example.test>": "bob@example.test",
    "FROM:<>": "",
    "from: <bob@example.test>": "bob@example.test",
    "FROM:carol@example.test": "carol@example.test",
    "FROM:<dave@example.test> SIZE=1000 BODY=8BITMIME": "dave@example.test",
    "FROM:<@relay.test,@r2.test:erin@example.test>": "erin@example.test",
    'FROM:<"f f"@example.test> RET=HDRS ENVID=q1': '"f f"@example.test',
    "FROM:<g\u00fcnter@example.test> SMTPUTF8": "g\u00fcnter@example.test",
    "FROM:<h@[192.0.2.9]> AUTH=<>": "h@[192.0.2.9]",
    "FROM:<blocked@example.test>": (554, "5.7.1"),
    "FROM:<later@example.test>": TEMPORARY,
    "FROM:": (501, "5.5.4"),
    "TO:<alice@example.test>": (501, "5.5.4"),
    "FROM:<x>": (501, "5.1.7"),
    "FROM:<alice@example.test": (501, "5.1.7"),
    "FROM:<alice example.test>": (501, "5.1.7"),
    "FROM:<a@b@c.test>": (501, "5.1.7"),
    "FROM:<alice@example.test> FOO=1": (555, "5.5.4"),
    "FROM:<alice@example.test> SIZE=x": (501, "5.5.4"),
    "FROM:<alice@example.test> SIZE=1 SIZE=1": (501, "5.5.4"),
    "FROM:<alice@example.test> SIZE=200001": (552, "5.3.4"),
    "FROM:<alice@example.test> SIZE=99999999999999999999": (552, "5.3.4"),
    "FROM:<g\u00fcnter@example.test>": (553, "5.6.7"),
}
RECIPIENTS = {
    "TO:<bob@example.test>": "bob@example.test",
    "TO:<x1@example.test>": "x1@example.test",
    "to: <x2@example.test>": "x2@example.test",
    "TO:x3@example.test": "x3@example.test",
    "TO:<postmaster>": "postmaster",
    "TO:<x4@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x4@example.test": "x4@example.test",
    "TO:<far@b.test>": "far@b.test",
    "TO:<x5@foreign.test>": "x5@foreign.test",
    "TO:<later@example.test>": TEMPORARY,
    "TO:": (501, "5.5.4"),
    "TO:<>": (501, "5.1.3"),
    "TO:<bob@>": (501, "5.1.3"),
    "TO:<bob@example.test>x": (501, "5.1.3"),
    "TO:<bob@example..test>": (501, "5.1.3"),
    "TO:<bob@example.test> NOTIFY=NEVER,SUCCESS": (501, "5.5.4"),
    "TO:<bob@example.test> SIZE=1": (555, "5.5.4"),
}
# Of these the door asks core; all others it refuses by itself, as a mistake of the client or as too big.
ASKED = {"FROM:<blocked@example.test>", "FROM:<later@example.test>", "TO:<later@example.test>"}
TOO_BIG = {text for text, value in SENDERS.items() if value == (552, "5.3.4")}
NEVER = {"XCLIENT", "XFORWARD", "ETRN", "BURL", "BDAT", "TURN", "EXPN"}
VERDICTS = {"rightful": (235, "2.7.0"), "wrong": (535, "5.7.8"), "busy": (454, "4.7.0"), "later": (454, "4.7.0")}
CLASSES = {"mail": "1.0", "rcpt": "1.5", "data": "0.0", "end": "0.0"}
BARE = re.compile(rb"\x00|\r(?!\n)|(?<!\r)\n")


class Mismatch(Exception):
    pass


class Over(Exception):
    """The client has no more to hear: it went, or the answer to its last bytes is not due yet."""


class Script:
    """The next hop's script, and how much of it is used."""

    def __init__(self, letters):
        self.letters = letters
        self.used = dict.fromkeys(letters, 0)

    def peek(self, verb, ahead=0):
        number = self.used[verb] + ahead
        letters = self.letters[verb]
        return letters[number] if number < len(letters) else "a"

    def reply(self, verb, ahead=0):
        """What the client hears of the reply to it: code, enhanced code, text."""
        letter, number, subject = self.peek(verb, ahead), self.used[verb] + ahead, CLASSES[verb]
        if letter in "amd":
            if verb == "data":
                return (354, "", f"go data {number}")
            return (250, "2." + subject, f"{verb} {number}")
        if letter == "t":
            return (450, "4." + subject, f"later {verb} {number}")
        if letter == "p":
            return (550, "5." + subject, f"no {verb} {number}")
        return TEMPORARY


def parse_replies(told):
    """What the client was told, strictly: [(code, enhanced, first line's text)]."""
    if told and not told.endswith(b"\r\n"):
        raise Mismatch(f"half a line: {told[-80:]!r}")
    replies, is_new = [], True
    for line in told.decode().split("\r\n")[:-1]:
        match = re.fullmatch(r"([2-5][0-9][0-9])([ -])(?:([245]\.[0-9]{1,3}\.[0-9]{1,3}) )?([^\x00-\x1f\x7f]*)", line)
        if match is None:
            raise Mismatch(f"no reply: {line!r}")
        code, enhanced = int(match[1]), match[3] or ""
        if enhanced and enhanced[0] != match[1][0]:
            raise Mismatch(f"code and enhanced code disagree: {line!r}")
        if is_new:
            replies.append((code, enhanced, match[4]))
        elif replies[-1][0] != code:
            raise Mismatch(f"two codes in one reply: {line!r}")
        is_new = match[2] == " "
    if not is_new:
        raise Mismatch("a reply without an end")
    return replies


def follow(told, is_gone, *arguments, **keywords):
    """The model that has followed the dialogue. Where one reply can mean two things, both are tried."""
    waiting, first = [()], None
    while waiting:
        picks = waiting.pop()
        model = Model(*arguments, **keywords, picks=picks)
        try:
            model.run(told, is_gone)
            return model
        except Mismatch as mismatch:
            first = first or mismatch
        for at in range(len(picks), len(model.asked)):
            waiting += [picks + (0,) * (at - len(picks)) + (pick,) for pick in range(1, model.asked[at])]
    raise first


class Model:
    def __init__(self, service, data, letters, is_lmtp=False, rests=False, pooled=(), picks=()):
        self.picks, self.asked = picks, []  # which of several answers that read the same was meant, so far; out of how many
        self.is_port_25 = service == "smtp"
        self.data, self.at = data, 0
        self.script = Script(letters)
        self.is_lmtp, self.rests = is_lmtp, rests
        self.replies, self.heard = [], 0
        self.is_greeted = self.is_signed_in = self.is_closed = False
        self.mistakes = self.wrong = 0
        self.is_mail_refused = False
        self.hop = None  # next hop that is connected
        self.pooled = set(pooled)  # those of which a connection may rest in the pool
        self.is_dying = False  # a next hop died, and what was sent to it may not know
        self.status = None  # of the transaction: None, held, open, refused, lost
        self.delivered = []
        self.messages = self.recipients = 0

    # ---- answers ----

    def hear(self, *right):
        """The next reply, which must be one of these; which of them it was."""
        if self.heard == len(self.replies):
            raise Over
        reply = self.replies[self.heard]
        self.heard += 1
        fitting = [number for number, want in enumerate(right)
                   if reply[:2] == want[:2] and (len(want) < 3 or want[2] == reply[2])]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            at = len(self.asked)
            self.asked.append(len(fitting))
            return fitting[self.picks[at] if at < len(self.picks) else 0]
        raise Mismatch(f"reply {self.heard - 1} is {reply}, not {' or '.join(map(str, right))}; at byte {self.at}")

    def mistake(self, code, enhanced):
        self.hear((code, enhanced))
        self.mistakes += 1

    def close(self, code, enhanced):
        self.hear((code, enhanced))
        self.is_closed = True

    # ---- the dialogue ----

    def run(self, told, is_gone=False):
        """Follows the dialogue; Mismatch says what is wrong."""
        self.replies = parse_replies(told)
        if not self.replies:
            raise Mismatch("no greeting")
        self.hear((220, ""))
        try:
            while not self.is_closed and self.step():
                if self.mistakes >= MISTAKES_MAX:
                    self.close(421, "4.7.0")
        except Over:
            if not is_gone:
                raise Mismatch(f"no reply {self.heard}; at byte {self.at} of {len(self.data)}") from None
        if self.heard != len(self.replies):
            raise Mismatch(f"more replies than commands: {self.replies[self.heard:]}")

    def take_line(self):
        end = self.data.find(b"\n", self.at)
        first = self.data[self.at:self.at + 5].upper()
        limit = 12288 if first == b"AUTH " else 2048
        if end < 0 and len(self.data) - self.at < limit + 2:
            return None
        line = self.data[self.at:end + 1]
        if end < 0 or len(line) > limit + 2:
            self.close(500, "5.5.6")
            return None
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            self.close(500, "5.5.2")
            return None
        self.at = end + 1
        return line[:-2]

    def step(self):
        """One command. False: no more."""
        raw = self.take_line()
        if raw is None:
            return False
        verb, _, arguments = raw.decode(errors="surrogateescape").lstrip(" ").partition(" ")
        verb, arguments = verb.upper(), arguments.strip(" \t")
        if verb not in ("MAIL", "RCPT", "RSET"):
            self.is_dying = False  # it is taken when all before it is answered
        handler = getattr(self, "on_" + verb.lower(), None) if verb.isascii() and verb.isalpha() else None
        if verb in NEVER:
            self.mistake(502, "5.5.1")
        elif handler is None:
            self.mistake(500, "5.5.2")
        else:
            handler(arguments)
        return True

    def leave(self):
        self.status = None
        self.is_mail_refused = False

    def on_ehlo(self, arguments):
        if not arguments and self.is_port_25:
            self.mistake(501, "5.5.4")
            return
        self.hear((250, ""))
        self.is_greeted = True
        self.leave()

    on_helo = on_ehlo

    def on_noop(self, _):
        self.hear((250, "2.0.0"))

    def on_help(self, _):
        self.hear((214, "2.0.0"))

    def on_rset(self, arguments):
        if arguments:
            self.mistake(501, "5.5.4")
            return
        self.hear((250, "2.0.0"))
        self.leave()

    def on_quit(self, arguments):
        if arguments:
            self.mistake(501, "5.5.4")
        else:
            self.close(221, "2.0.0")

    def on_vrfy(self, arguments):
        if not self.is_greeted:
            self.mistake(503, "5.5.1")
        elif not arguments:
            self.mistake(501, "5.5.4")
        else:
            self.hear((252, "2.5.2") if self.is_signed_in else (252, "2.5.0"))

    def in_transaction(self):
        return self.status in ("held", "open", "lost", "held refused")

    def on_starttls(self, arguments):
        if self.is_signed_in or self.in_transaction():
            self.mistake(503, "5.5.1")
        else:
            self.mistake(501, "5.5.4") if arguments else self.mistake(502, "5.5.1")

    # ---- signing in ----

    def on_auth(self, arguments):
        if self.is_signed_in or not self.is_greeted or self.in_transaction():
            self.mistake(503, "5.5.1")
            return
        mechanism, _, initial = arguments.partition(" ")
        mechanism = mechanism.upper()
        if not mechanism or " " in initial:
            self.mistake(501, "5.5.4")
        elif mechanism not in ("PLAIN", "LOGIN"):
            self.hear((504, "5.5.4"))
        elif self.wrong >= SIGNINS_MAX:
            self.close(421, "4.7.0")
        elif mechanism == "PLAIN":
            self.sign_in_plain(initial)
        else:
            self.sign_in_login(initial)

    def respond(self):
        """The client's answer to a challenge, decoded; None: refused, and told so."""
        self.hear((334, ""))
        line = self.take_line()
        if line is None:
            raise Over if not self.is_closed else StopIteration
        return self.decode(line.decode(errors="surrogateescape"))

    def decode(self, text):
        if text == "*":
            self.mistake(501, "5.7.0")
            return None
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:
            self.mistake(501, "5.5.2")
            return None

    def sign_in_plain(self, initial):
        token = self.decode(initial) if initial else self.respond()
        if token is None:
            return
        parts = token.split(b"\0")
        if len(parts) != 3 or not parts[1] or not parts[2]:
            self.mistake(501, "5.5.2")
        else:
            self.sign_in(parts[2].decode())

    def sign_in_login(self, initial):
        name = self.decode(initial) if initial else self.respond()
        secret = self.respond() if name is not None else None
        if secret is not None:
            self.sign_in(secret.decode())

    def sign_in(self, secret):
        self.hear(VERDICTS[secret])
        self.wrong += secret == "wrong"
        if secret == "rightful":
            self.is_signed_in = True
            if self.hop is not None:
                self.pooled.add(self.hop)
            self.hop = None

    # ---- the envelope ----

    def use(self, verb):
        self.script.used[verb] += 1

    def lose_hop(self):
        self.hop = None
        self.is_dying = True

    def fresh_mail(self, backend, ahead):
        """MAIL on a fresh connection: (reply, status, letters of dial and of MAIL used, next hop)."""
        if self.script.peek("dial") == "f":
            return (TEMPORARY, "lost", 1, ahead, None)
        if self.script.peek("mail", ahead) in BROKEN:
            return (TEMPORARY, "lost", 1, ahead + 1, None)
        reply = self.script.reply("mail", ahead)
        return (reply, "open" if reply[0] == 250 else "refused", 1, ahead + 1, backend)

    def mail_outcomes(self, backend):
        """Each way that MAIL to this next hop may go."""
        is_kept, outcomes = self.hop == backend, []
        if is_kept or backend in self.pooled:
            if self.script.peek("mail") in BROKEN:
                outcomes.append((TEMPORARY, "lost", 0, 1, None))
                if self.rests:  # it may have died while it rested, so another is tried
                    outcomes.append(self.fresh_mail(backend, 1))
            else:
                reply = self.script.reply("mail")
                outcomes.append((reply, "open" if reply[0] == 250 else "refused", 0, 1, backend))
        if not is_kept:
            outcomes.append(self.fresh_mail(backend, 0))
        if self.is_dying:
            outcomes.append((TEMPORARY, "lost", 0, 0, None))
        return outcomes

    def follow_mail(self, outcome, backend):
        _, status, dials, mails, hop = outcome
        self.script.used["dial"] += dials
        self.script.used["mail"] += mails
        if self.hop is not None and self.hop != backend:
            self.pooled.add(self.hop)
        self.hop = hop
        self.is_dying = status == "lost"
        return status

    def on_mail(self, arguments):
        if not self.is_greeted or self.in_transaction():
            self.mistake(503, "5.5.1")
            return
        self.is_mail_refused = True
        if not self.is_signed_in and not self.is_port_25:
            self.hear((550, "5.7.1"))
            return
        sender = SENDERS[arguments]
        if isinstance(sender, tuple):
            self.hear(sender)
            self.mistakes += arguments not in ASKED and arguments not in TOO_BIG
            self.status = None
            return
        self.sender, self.accepted, self.bound = sender, [], None
        if not self.is_signed_in:
            self.hear((250, "2.1.0", "Ok"))
            self.status = "held"
        else:
            outcomes = self.mail_outcomes("a")
            number = self.hear(*[outcome[0] for outcome in outcomes])
            self.status = self.follow_mail(outcomes[number], "a")
        self.was_lost = self.status == "lost"
        if self.status == "lost":
            self.status = "refused"
        self.is_mail_refused = self.status == "refused"

    def check_recipient(self, arguments):
        """What stands against it before anybody else is asked: (reply, is it a mistake)."""
        recipient = RECIPIENTS[arguments]
        if isinstance(recipient, tuple) and arguments not in ASKED:
            return recipient, True
        if len(self.accepted) >= RECIPIENTS_MAX:
            return (452, "4.5.3"), False
        if isinstance(recipient, tuple):
            return recipient, False
        if not self.is_signed_in and recipient.endswith("@foreign.test"):
            return (550, "5.7.1"), False
        return None, False

    def on_rcpt(self, arguments):
        if not self.in_transaction():
            self.refuse_recipient(arguments)
            return
        refusal, is_mistake = self.check_recipient(arguments)
        if refusal is not None:
            self.hear(refusal)
            self.mistakes += is_mistake
            return
        recipient = RECIPIENTS[arguments]
        backend = "b" if recipient.endswith("@b.test") and not self.is_signed_in else "a"
        if self.bound not in (None, backend):
            self.hear((452, "4.5.3"), *([TEMPORARY] if self.status == "lost" else []))
        elif self.status == "lost":
            self.hear(TEMPORARY)
        elif self.status == "held refused":
            self.hear(self.refusal)
        elif self.status == "held":
            self.first_recipient(recipient, backend)
        else:
            self.pass_recipient(recipient)

    def refuse_recipient(self, arguments):
        """There is no MAIL. If it was refused by the next hop, RCPT may have been on its way before that was known,
        and then it is refused for what it is."""
        right = [(503, "5.5.1")]
        if self.status == "refused":
            refusal, is_mistake = self.check_recipient(arguments)
            right += [refusal] if refusal is not None else []
            right += [TEMPORARY] if self.was_lost else []
            self.mistakes += self.hear(*right) == 1 and is_mistake
        else:
            self.hear(*right)
            self.mistakes += not self.is_mail_refused

    def first_recipient(self, recipient, backend):
        """MAIL of somebody unknown goes to the next hop with the first recipient."""
        self.bound = backend
        outcomes = self.mail_outcomes(backend)
        right = []
        for reply, status, _, _, _ in outcomes:
            right.append(self.script.reply("rcpt") if status == "open" else reply)
        outcome = outcomes[self.hear(*right)]
        status = self.follow_mail(outcome, backend)
        self.status = {"refused": "held refused"}.get(status, status)
        self.refusal = outcome[0]
        if status == "open":
            self.heard -= 1
            self.pass_recipient(recipient)

    def pass_recipient(self, recipient):
        letter, reply = self.script.peek("rcpt"), self.script.reply("rcpt")
        self.hear(reply)
        self.use("rcpt")
        if letter in BROKEN:
            self.status = "lost"
            self.lose_hop()
        elif reply[0] == 250:
            self.accepted.append(recipient)

    # ---- the message ----

    def on_data(self, arguments):
        if not self.in_transaction():
            self.hear((503, "5.5.1"))
            self.mistakes += not self.is_mail_refused
        elif arguments:
            self.mistake(501, "5.5.4")
        elif not self.accepted:
            self.hear((554, "5.5.1"))
        elif self.status == "lost":
            self.hear(TEMPORARY)
        else:
            letter, reply = self.script.peek("data"), self.script.reply("data")
            self.hear(reply)
            self.use("data")
            if letter in BROKEN:
                self.status = "lost"
                self.lose_hop()
            elif reply[0] == 354:
                self.take_message(letter == "d")

    def take_message(self, is_lost):
        rest = self.data[self.at:]
        end = 0 if rest.startswith(b".\r\n") else rest.find(b"\r\n.\r\n") + 2
        is_whole = end > 1 or rest.startswith(b".\r\n")
        message = rest[:end] if is_whole else rest
        bare = BARE.search(message if is_whole else rest[:-1] if rest.endswith(b"\r") else rest)
        size = len(message) - len(re.findall(rb"(?:\A|\r\n)\.", message))
        right = [(550, "5.6.0")] if bare else []
        # Behind a bare line end nothing is measured; before one a message may be too big already.
        if size > SIZE_MAX and (bare is None or bare.start() > SIZE_MAX):
            right.append((552, "5.3.4"))
        if right:
            self.hear(*right)
            self.is_closed = True
            return
        if not is_whole:
            self.at = len(self.data)
            return
        self.at += end + 3
        if is_lost:
            self.hear(TEMPORARY)
            self.hop = None
        else:
            self.end_message(message)
        self.status = None
        self.is_mail_refused = False

    def end_message(self, message):
        if self.is_lmtp and self.hop == "a":
            taken, reply = self.end_lmtp()
        else:
            letter, reply = self.script.peek("end"), self.script.reply("end")
            taken = self.accepted if reply[0] == 250 else []
            self.use("end")
            if letter in BROKEN:
                self.hop = None
        # It is with the next hop now, whether or not the client hears of it.
        if taken:
            self.delivered.append((self.sender, taken, message))
        if reply[0] == 250:
            self.messages += 1
            self.recipients += len(taken)
        self.hear(reply)
        if reply[0] == 250:
            self.mistakes = 0

    def end_lmtp(self):
        """One reply for each recipient; the client hears one: yes if all say so, else the gravest no."""
        taken, gravest = [], None
        for recipient in self.accepted:
            letter, reply = self.script.peek("end"), self.script.reply("end")
            self.use("end")
            if letter in BROKEN:
                self.hop = None
                return taken, TEMPORARY
            if reply[0] == 250:
                taken.append(recipient)
            elif gravest is None or reply[0] // 100 > gravest[0] // 100:
                gravest = reply
        return taken, gravest or reply
