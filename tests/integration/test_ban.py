# SPDX-License-Identifier: ISC
"""The auto-ban: five wrong secrets in twenty minutes, thirty minutes of ban, all ports together, one source alone. Time
is moved, never waited for."""

import concurrent.futures

import pytest
import rig
import talk
from conftest import ALICE

PORTAL = "https://mail.example.test/"


def banned(address, minutes=30):
    return f"{address} is blocked for {minutes} more minutes after 5 failed sign-ins. Why, and how to lift it: {PORTAL}"


def test_all_seven_ports_share_one_counter(gatepost, peer):
    services = ["submissions", "imaps", "pop3s", "submission"]
    for number, service in enumerate(services):
        assert not talk.is_ok(talk.signin(gatepost, service, "alice", f"wrong{number}", peer))
    with talk.connect(gatepost, "imap", peer) as line:
        line.send('a LOGIN "alice" "wrong5"')
        assert line.line().startswith("a NO [AUTHENTICATIONFAILED]")
        assert talk.words(line.line()) == f"* BYE {banned(peer)}"
        assert line.is_closed()
    expected = {"submission": f"421 4.7.0 {banned(peer)}", "submissions": f"421 4.7.0 {banned(peer)}",
                "imap": f"* BYE {banned(peer)}", "imaps": f"* BYE {banned(peer)}",
                "pop3": f"-ERR [AUTH] {banned(peer)}", "pop3s": f"-ERR [AUTH] {banned(peer)}"}
    for service, words in expected.items():
        assert talk.words(talk.connect(gatepost, service, peer)) == words
    rows = [row for row in gatepost.json("ban", "list") if row["source"] == peer]
    assert len(rows) == 1


def test_the_fifth_failure_bans_in_every_protocol(gatepost, peer):
    """535 / NO / -ERR as ever, then the ban's own line, then the end."""
    other = peer.rsplit(".", 1)[0] + ".253"
    third = peer.rsplit(".", 1)[0] + ".254"
    talk.wrong(gatepost, peer, 4)
    with talk.connect(gatepost, "submissions", peer) as line:
        answer = talk.attempt(line, "submissions", "alice", "five")
        assert answer.startswith("535 5.7.8 Wrong name or password.")
        assert talk.words(line.line()) == f"421 4.7.0 {banned(peer)}" and line.is_closed()
    talk.wrong(gatepost, other, 4)
    with talk.connect(gatepost, "pop3s", other) as line:
        assert talk.attempt(line, "pop3s", "alice", "five").startswith("-ERR [AUTH] Wrong name or password.")
        assert line.is_closed()
    assert talk.is_ok(talk.signin(gatepost, "imaps", *ALICE, peer=third))  # another source is untouched


def test_thirty_minutes_then_open(gatepost, peer):
    talk.wrong(gatepost, peer, 5)
    gatepost.advance(29 * 60)
    assert talk.words(talk.connect(gatepost, "imaps", peer)) == f"* BYE {banned(peer, 1)}"
    gatepost.advance(61)
    assert talk.is_ok(talk.signin(gatepost, "imaps", *ALICE, peer=peer))
    assert peer not in [row["source"] for row in gatepost.json("ban", "list")]


def test_window_slides(gatepost, peer):
    """Four failures, twenty minutes, four more: never five within the window."""
    talk.wrong(gatepost, peer, 4)
    gatepost.advance(20 * 60 + 1)
    talk.wrong(gatepost, peer, 4)
    assert talk.is_ok(talk.signin(gatepost, "imaps", *ALICE, peer=peer))
    assert not talk.is_ok(talk.signin(gatepost, "imaps", "alice", "fifth", peer))
    assert talk.connect(gatepost, "imaps", peer).startswith("* BYE")


def test_a_success_clears_nothing(gatepost, peer):
    talk.wrong(gatepost, peer, 4)
    assert talk.is_ok(talk.signin(gatepost, "imaps", *ALICE, peer=peer))
    talk.wrong(gatepost, peer, 1)
    assert talk.connect(gatepost, "imaps", peer).startswith("* BYE")


def test_lifting_lets_in_at_once_and_forgets(gatepost, peer):
    talk.wrong(gatepost, peer, 5)
    assert talk.connect(gatepost, "imaps", peer).startswith("* BYE")
    gatepost.cli("ban", "remove", peer)
    assert talk.is_ok(talk.signin(gatepost, "imaps", *ALICE, peer=peer))
    talk.wrong(gatepost, peer, 4)  # the old five are forgotten, so these four ban nobody
    assert talk.is_ok(talk.signin(gatepost, "imaps", *ALICE, peer=peer))


def test_a_ban_closes_the_sources_live_sessions(gatepost, peer):
    with talk.connect(gatepost, "imaps", peer) as imap, talk.connect(gatepost, "submissions", peer) as smtp:
        assert talk.is_ok(talk.attempt(imap, "imaps", *ALICE))
        assert talk.is_ok(talk.attempt(smtp, "submissions", *ALICE))
        talk.wrong(gatepost, peer, 5, login="bob@example.test")
        assert talk.words(imap.line()) == f"* BYE {banned(peer)}"
        assert talk.words(smtp.line()) == f"421 4.7.0 {banned(peer)}"
        assert imap.is_closed() and smtp.is_closed()


def test_by_hand(gatepost, peer):
    gatepost.cli("ban", "add", peer, "--minutes", "10", "--reason", "scanner")
    answer = talk.connect(gatepost, "submissions", peer)
    assert answer.startswith(f"421 4.7.0 {peer} is blocked for 10 more minutes")
    row = [row for row in gatepost.json("ban", "list") if row["source"] == peer][0]
    assert row["reason"] == "scanner"


def test_port_25_stays_open_for_other_peoples_mail(gatepost, dovecot, peer):
    talk.wrong(gatepost, peer, 5)
    with rig.Line(gatepost.ports["smtp"], peer) as line:
        assert line.reply()[0].startswith("220 ")
        offered = line.ask("EHLO other.server")
        assert not [row for row in offered if "AUTH" in row]
        assert line.ask("MAIL FROM:<x@else.test>")[0].startswith("250")
        assert line.ask("RCPT TO:<bob@example.test>")[0].startswith("250")
        assert line.ask("DATA")[0].startswith("354")
        assert line.ask("Subject: not my ban\r\n\r\nhello\r\n.")[0].startswith("250")
    rig.until(lambda: any(b"Subject: not my ban" in letter for letter in dovecot.messages("bob@example.test")), "the message")


def test_polite_ten_times_a_minute_then_silent(make_gatepost):
    door = make_gatepost(fronts=1)
    talk.wrong(door, "127.77.0.1", 5)
    answers = [talk.connect(door, "submission", "127.77.0.1") for _ in range(14)]
    assert [a is not None for a in answers] == [True] * 10 + [False] * 4
    rig.until(lambda: door.stats()["refused_banned"] >= 14, "the count of those turned away")


def test_restart_and_kill_keep_bans_and_windows(make_gatepost):
    door = make_gatepost()
    talk.wrong(door, "127.78.0.1", 5)
    talk.wrong(door, "127.78.0.2", 4)
    for end in (door.stop, door.kill):
        end()
        door.start()
        assert talk.connect(door, "imaps", "127.78.0.1").startswith("* BYE 127.78.0.1 is blocked for")
    assert not talk.is_ok(talk.signin(door, "imaps", "alice", "the fifth", "127.78.0.2"))
    assert talk.connect(door, "imaps", "127.78.0.2").startswith("* BYE")


def test_a_lifted_ban_stays_lifted_over_a_restart(make_gatepost):
    door = make_gatepost()
    talk.wrong(door, "127.79.0.1", 5)
    door.cli("ban", "remove", "127.79.0.1")
    door.cli("signin", "list")  # the store answers this after it has taken that
    door.kill()
    door.start()
    talk.wrong(door, "127.79.0.1", 4)
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE, peer="127.79.0.1"))


@pytest.mark.parametrize("count", ["every", "distinct"])
def test_exactly_five_of_many_at_once(make_gatepost, count):
    door = make_gatepost({"autoban_count": count})
    before = door.stats()["guesses_checked"]
    services = ["submissions", "imaps", "pop3s"]
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        jobs = [pool.submit(try_once, door, services[i % 3], f"guess{i}", "127.80.0.1") for i in range(60)]
        assert not any(job.result() for job in jobs)
    assert door.stats()["guesses_checked"] - before == 5


def try_once(door, service, secret, peer):
    try:
        return talk.is_ok(talk.signin(door, service, "alice", secret, peer))
    except (OSError, rig.RigError):
        return False


def test_fifty_colleagues_behind_one_address(make_gatepost):
    door = make_gatepost()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        jobs = [pool.submit(talk.signin, door, "imaps", *ALICE, "127.81.0.1") for _ in range(50)]
        answers = [job.result() for job in jobs]
    assert all(talk.is_ok(answer) for answer in answers)


def test_distinct_counts_one_old_password_once(make_gatepost):
    """The laptop with the old password: the same wrong secret again and again bans nobody."""
    door = make_gatepost({"autoban_count": "distinct"})
    for _ in range(8):
        assert not talk.is_ok(talk.signin(door, "imaps", "alice", "my old password", "127.82.0.1"))
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE, peer="127.82.0.1"))
    talk.wrong(door, "127.82.0.1", 4)
    assert talk.connect(door, "imaps", "127.82.0.1").startswith("* BYE")


def test_distinct_repeats_have_a_cap(make_gatepost):
    door = make_gatepost({"autoban_count": "distinct", "autoban_repeats": 3})
    for _ in range(10):
        talk.signin(door, "imaps", "alice", "my old password", "127.83.0.1")
    assert talk.connect(door, "imaps", "127.83.0.1").startswith("* BYE")


def test_exempt_networks_are_never_banned(make_gatepost):
    door = make_gatepost({"autoban_exempt": '{"127.84.0.0/16"}'})
    talk.wrong(door, "127.84.0.1", 8)
    assert talk.is_ok(talk.signin(door, "imaps", *ALICE, peer="127.84.0.1"))


def test_ipv6_counts_by_64(gatepost):
    """::1 stands for its whole /64 in the list of bans."""
    for number in range(5):
        with rig.Line(gatepost.ports["imaps"], "::1", gatepost.tls(), "mail.example.test", "::1") as line:
            assert line.line().startswith("* OK")
            talk.attempt(line, "imaps", "alice", f"wrong{number}")
    try:
        assert "::/64" in [row["source"] for row in gatepost.json("ban", "list")]
    finally:
        gatepost.cli("ban", "remove", "::1")


def test_half_open_guesses_count(gatepost, peer):
    """The client that hangs up before the answer has guessed all the same."""
    before = gatepost.stats()["guesses_checked"]
    for number in range(5):
        line = talk.connect(gatepost, "imaps", peer)
        line.send(f'a LOGIN "alice" "half{number}"')
        line.close()
    rig.until(lambda: peer in [row["source"] for row in gatepost.json("ban", "list")], "the ban")
    assert gatepost.stats()["guesses_checked"] - before == 5


def test_two_in_one_segment_are_two_guesses(gatepost, peer):
    before = gatepost.stats()["guesses_checked"]
    with talk.connect(gatepost, "imaps", peer) as line:
        line.raw(b'a LOGIN "alice" "one"\r\nb LOGIN "alice" "two"\r\n')
        assert line.tagged("b")[-1].startswith("b NO")
    with talk.connect(gatepost, "submissions", peer) as line:
        line.raw(f"EHLO x\r\nAUTH PLAIN {talk.plain('alice', 'three')}\r\n"
                 f"AUTH PLAIN {talk.plain('alice', 'four')}\r\n".encode())
        line.reply()
        assert line.reply()[0].startswith("535") and line.reply()[0].startswith("535")
    assert gatepost.stats()["guesses_checked"] - before == 4


def test_events_tell_the_true_reason(gatepost, peer):
    talk.signin(gatepost, "imaps", "alice", "wrong", peer)
    talk.signin(gatepost, "submissions", "nobody-here", "wrong", peer)
    talk.signin(gatepost, "pop3s", *ALICE, peer=peer)

    def rows():
        found = gatepost.json("signin", "list", "--source", peer)
        return found if len(found) >= 3 else None

    reasons = {row["service"]: row["reason"] for row in rig.until(rows, "three events")}
    assert reasons == {"imaps": "wrong_password", "submissions": "unknown_account", "pop3s": "ok"}
    event = [row for row in rows() if row["service"] == "submissions"][0]
    assert event["login"] == "nobody-here" and event["tls"] == "TLSv1.3" and event["client_name"] == "test.client"
