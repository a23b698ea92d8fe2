# SPDX-License-Identifier: ISC
"""A model of what accounts send, honest ones and stolen ones, as JSON lines for `gatepost sending replay`.

Everything is drawn from one seed. Each account has a month of history, then the month that is judged; who is new has no
history. All figures are guesses of ours, stated where they are drawn; none is taken from real users.

Honest: people (some move house, get a new phone, invite to a party), people on the way with their telephone, travellers, shops with
order mails, newsletters, office copiers, newcomers. Stolen, on top of what the honest owner goes on sending: blast, drip,
spread, chain, forged.

A thief does not try again what hears 450: he goes on with the next address, as those programs do."""

import math
import random

DAY = 86400
START = 1767225600  # 2026-01-01, a Thursday
HISTORY = 30  # days
JUDGED = 30
FIRST = START + HISTORY * DAY
END = FIRST + JUDGED * DAY

# How many of each make 1,000 account-months.
HONEST = {"person": 380, "mobile": 60, "traveller": 60, "shop": 90, "newsletter": 20, "copier": 50, "newcomer": 40}
STOLEN = {"blast": 100, "drip": 50, "spread": 50, "chain": 50, "forged": 50}


class Account:
    """One account and what it sends: events are (time, source, client, sender, recipient list, result, body)."""

    def __init__(self, kind, number, rng):
        domain = {"shop": "shop.test", "newsletter": "news.test"}.get(kind, "people.test")
        self.kind = kind
        self.rng = rng
        self.name = f"{kind}{number}@{domain}"
        self.events = []
        self.thief = set()  # (time, recipient) of what the thief sent
        self.begin = START
        self.strangers = 0
        self.networks = [self.network() for _ in range(rng.choice((1, 2, 2, 3)))]
        self.clients = [f"client-{rng.randrange(40)}" for _ in range(rng.choice((1, 1, 2)))]
        self.contacts = [self.stranger() for _ in range(int(min(400, rng.lognormvariate(3.8, 0.7))) + 5)]

    def network(self):
        """A neighbourhood that a provider moves people about in: an IPv4 /16."""
        return f"{self.rng.randrange(11, 220)}.{self.rng.randrange(256)}"

    def address(self, network):
        return f"{network}.{self.rng.randrange(256)}.{self.rng.randrange(1, 255)}"

    def stranger(self):
        self.strangers += 1
        return f"r{self.strangers}.{self.name.replace('@', '.')}@{self.rng.choice('abcdefgh')}.example"

    def send(self, at, recipients, network=None, client=None, sender=None, result="sent", body=""):
        network = network or self.rng.choice(self.networks[:2])
        self.events.append((int(at), self.address(network), client or self.rng.choice(self.clients),
                            sender or self.name, recipients, result, body))

    def steal(self, at, recipients, network, client, sender=None, result="sent", body="spam"):
        self.thief.update((int(at), r) for r in recipients)
        self.send(at, recipients, network, client, sender, result, body)


def poisson(rng, mean):
    limit, k, p = math.exp(-min(mean, 500)), 0, 1.0
    while True:
        p *= rng.random()
        if p <= limit:
            return k
        k += 1


def is_weekend(day):
    return (day + 3) % 7 in (5, 6)


def waking(rng, early, late):
    """A second of the day, most in the middle of the waking hours."""
    return int(rng.triangular(early * 3600, late * 3600))


# ---- honest ----

def person_day(a, day, mean, new_share):
    rng = a.rng
    for _ in range(poisson(rng, mean * (0.3 if is_weekend(day) else 1))):
        at = START + day * DAY + waking(rng, 7, 23)
        size = rng.choices((1, rng.randint(2, 5), rng.randint(6, 15)), (80, 18, 2))[0]
        recipients = rng.sample(a.contacts, min(size, len(a.contacts)))
        if rng.random() < new_share:
            new = a.stranger()
            if rng.random() < 0.01:  # mistyped
                a.send(at, [new], result="unknown")
                continue
            recipients = [new]
            if rng.random() < 0.5:
                a.contacts.append(new)
        a.send(at, recipients)


def person(a, first_day=0):
    rng = a.rng
    mean = min(25, rng.lognormvariate(1.2, 0.8))
    new_share = rng.uniform(0.05, 0.25)
    moves = rng.randrange(30, 60) if rng.random() < 0.05 else None
    phone = rng.randrange(30, 60) if rng.random() < 0.10 else None
    party = rng.randrange(first_day, 60) if rng.random() < 0.15 else None
    for day in range(first_day, HISTORY + JUDGED):
        if day == moves:
            a.networks[0] = a.network()
        if day == phone:
            a.clients[0] = "client-new"
        if day == party:  # 10 to 40 guests in one message, a good half never written to
            guests = rng.randint(10, 40)
            names = [a.stranger() if rng.random() < 0.6 else rng.choice(a.contacts) for _ in range(guests)]
            a.send(START + day * DAY + 19 * 3600, list(dict.fromkeys(names)))
        person_day(a, day, mean, new_share)


def mobile(a):
    """One of six neighbourhoods of the telephone provider each time, and now and then one more."""
    a.networks = [a.network() for _ in range(6)]
    rng = a.rng
    for day in range(HISTORY + JUDGED):
        rng.shuffle(a.networks)
        if rng.random() < 0.1:
            a.networks[0] = a.network()
        person_day(a, day, rng.uniform(2, 6), 0.12)


def traveller(a):
    rng = a.rng
    home, leaves = list(a.networks), rng.randrange(HISTORY, HISTORY + 15)
    back = leaves + rng.randint(5, 14)
    for day in range(HISTORY + JUDGED):
        if leaves <= day < back:
            if (day - leaves) % 2 == 0:  # the next town: hotel, railway, café
                a.networks = [a.network() for _ in range(rng.randint(1, 3))]
            if day == leaves and rng.random() < 0.3:
                a.clients.append("hotel-pc")
            person_day(a, day, 4, 0.3)  # hotels, hosts: more strangers than at home
        else:
            a.networks = home
            person_day(a, day, 5, 0.12)


def shop(a):
    rng = a.rng
    orders = min(400, rng.lognormvariate(4, 0.8))
    sales = set(rng.sample(range(HISTORY + JUDGED), 4))
    a.networks, a.clients = a.networks[:1], ["shop-software"]
    for day in range(HISTORY + JUDGED):
        mean = orders * (1.4 if is_weekend(day) else 1) * (3 if day in sales else 1)
        for _ in range(poisson(rng, mean) if mean < 300 else int(rng.gauss(mean, math.sqrt(mean)))):
            at = START + day * DAY + waking(rng, 0, 24)
            is_new = rng.random() < 0.7
            customer = a.stranger() if is_new else rng.choice(a.contacts)
            if is_new and rng.random() < 0.015:  # mistyped at the till
                a.send(at, [customer], result="unknown")
                continue
            a.send(at, [customer])
            if rng.random() < 0.8:  # sent off
                a.send(min(at + rng.randint(7200, 2 * DAY), END - 1), [customer])
            if is_new and len(a.contacts) < 3000:
                a.contacts.append(customer)


def newsletter(a):
    rng = a.rng
    a.networks, a.clients = a.networks[:1], ["newsletter-software"]
    readers = [a.stranger() for _ in range(5000)]
    for week, day in enumerate(range(rng.randrange(7), HISTORY + JUDGED, 7)):
        at = START + day * DAY + rng.randint(6, 18) * 3600
        readers += [a.stranger() for _ in range(poisson(rng, 25))]
        for i, reader in enumerate(readers):
            dead = rng.random() < 0.004
            a.send(at + i // 2, [reader], result="unknown" if dead else "sent", body=f"issue{week}")
        readers = [r for r in readers if rng.random() > 0.003]


def copier(a):
    rng = a.rng
    a.networks, a.clients = a.networks[:1], ["copier"]
    mean = rng.uniform(5, 80)
    for day in range(HISTORY + JUDGED):
        for _ in range(poisson(rng, mean * (0.05 if is_weekend(day) else 1))):
            to = a.stranger() if rng.random() < 0.02 else rng.choice(a.contacts)
            a.send(START + day * DAY + waking(rng, 7, 19), [to], body="scan")
        a.send(START + day * DAY + 3 * 3600, a.contacts[:1], body="counter")  # its nightly report


def newcomer(a):
    a.contacts = a.contacts[:3]  # everybody else is new to the account
    a.begin = FIRST
    first = HISTORY + a.rng.randrange(20)
    person(a, first)
    for _ in range(a.rng.randint(5, 20)):  # "this is my new address"
        a.send(START + first * DAY + waking(a.rng, 8, 22), [a.stranger()])


# ---- stolen ----

def owner(a):
    """Whose account is stolen: mostly people, also shops, and accounts that nobody has used of late."""
    kind = a.rng.choices(("person", "shop", "dormant"), (80, 10, 10))[0]
    if kind == "person":
        person(a)
    elif kind == "shop":
        shop(a)
    else:
        a.send(START + a.rng.randrange(20) * DAY, a.contacts[:1])


def thief_from(a):
    """Networks and program of the thief: one foreign network (65 %), some (20 %), the owner's own computer (15 %). Every
    sixth foreign one calls itself as the owner's program does."""
    way = a.rng.choices(("one", "some", "own"), (65, 20, 15))[0]
    if way == "own":
        return a.networks[:1], a.clients[0]
    client = a.clients[0] if a.rng.random() < 0.17 else "thief"
    return [a.network() for _ in range(1 if way == "one" else a.rng.randint(2, 5))], client


def spam_result(rng, dead):
    return rng.choices(("sent", "unknown", "spam"), (1 - dead - 0.02, dead, 0.02))[0]


def theft_begins(a):
    return FIRST + a.rng.randrange(JUDGED - 3) * DAY + a.rng.randrange(DAY)


def run_list(a, at, count, step, networks, client, per_message=1, sender=None):
    """count recipients of a bought list, 5 to 25 of a hundred dead."""
    dead = a.rng.uniform(0.05, 0.25)
    while count > 0 and at < END:
        victims = [a.stranger() for _ in range(min(per_message, count))]
        a.steal(at, victims, a.rng.choice(networks), client, sender, spam_result(a.rng, dead))
        count -= len(victims)
        at += step() if callable(step) else step


def blast(a):
    networks, client = thief_from(a)
    rate = a.rng.uniform(0.5, 20)
    per_message = a.rng.randint(20, 50) if a.rng.random() < 0.3 else 1
    run_list(a, theft_begins(a), a.rng.randint(500, 5000), per_message / rate, networks, client, per_message)


def drip(a):
    networks, client = thief_from(a)
    run_list(a, theft_begins(a), a.rng.randint(500, 1500), 60, networks, client)


def spread(a):
    networks = [a.network() for _ in range(40)]
    sources = networks * 8
    a.rng.shuffle(sources)
    span = a.rng.uniform(0.5, 12) * 3600
    at = theft_begins(a)
    dead = a.rng.uniform(0.05, 0.25)
    for i, network in enumerate(sources):
        a.steal(at + i * span / len(sources), [a.stranger()], network, "thief", None, spam_result(a.rng, dead))


def chain(a):
    """Answers in old conversations first, then a list."""
    networks, client = thief_from(a)
    known = a.rng.sample(a.contacts, min(len(a.contacts), a.rng.randint(20, 80)))
    at = theft_begins(a)
    for contact in known:
        a.steal(at, [contact], a.rng.choice(networks), client)
        at += a.rng.uniform(5, 30)
    run_list(a, at, a.rng.randint(300, 2000), lambda: a.rng.uniform(1, 10), networks, client)


def forged(a):
    """Tries other people's addresses as sender, then the account's own."""
    networks, client = thief_from(a)
    at = theft_begins(a)
    for _ in range(a.rng.randint(5, 20)):
        a.steal(at, [a.stranger()], networks[0], client, f"billing@bank{a.rng.randrange(10**6)}.example")
        at += a.rng.uniform(1, 20)
    run_list(a, at, a.rng.randint(500, 3000), lambda: a.rng.uniform(0.1, 3), networks, client)


def accounts(seed, scale, which):
    """Accounts of HONEST or STOLEN, one after the other; scale 1.0: all of them, at least one of each."""
    for kind, count in which.items():
        for number in range(max(1, round(count * scale))):
            # zlib's or Python's hash would do too; this is the same on every machine.
            a = Account(kind, number, random.Random(f"{seed} {kind} {number}"))
            if which is STOLEN:
                owner(a)
            globals()[kind](a)
            a.events.sort(key=lambda event: event[0])
            yield a
