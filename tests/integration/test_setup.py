# SPDX-License-Identifier: ISC
"""Setting a program up at the portal: the page of each program with this person's values, what the server sees of a
program that fails or gets in, told while one watches, and a letter to oneself."""

import json
import ssl
import subprocess

import pytest
import rig
import talk
from browse import Browser as Api
from browser import Browser
from conftest import ALICE, BOB
from sink import Sink
from test_portal import NAME, Portal, sign_in

V1 = "/api/v1"
TEST_MESSAGE = V1 + "/self/test-message"
HERE = "127.0.0.1"  # where the browser is
CLIENTS = json.loads((rig.ROOT / "portal/clients.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def house(workdir, dovecot, token_keys):
    """One door for all of these, with one browser that is signed in."""
    door = rig.Gatepost(workdir / "setup", {"token_key_file": f'"{token_keys}/default/HS256/default"',
                                            "autoban_failures": 100}, rig.dovecot_sections(dovecot),
                        listener_options='plaintext_networks = {"127.9.9.0/24"}')
    made = Portal(door)
    try:
        door.start()
        door.add_account(*ALICE)
        door.add_account(*BOB)
        made.page = made.signed_in(ALICE)
        yield made
        assert made.page.problems() == []
    finally:
        made.close()
        door.stop()


@pytest.fixture
def watch(house):
    """The page of a program, freshly opened and watching."""
    page = house.page
    page.follow("#/overview")
    page.heading("Overview")
    # What earlier tests caused is over: notes of one address are kept ten a minute.
    house.door.advance(61)
    page.follow("#/setup/outlook")
    page.heading("Set up Outlook (classic) for Windows")
    page.see("Nothing yet.")
    return page


def imaps(door, login, secret, peer=HERE):
    """curl, as a mail program."""
    return subprocess.run(
        ["curl", "-sS", "--max-time", "20", "--interface", peer, "--cacert", door.chain, "--connect-to",
         f"{NAME}:993:127.0.0.1:{door.ports['imaps']}", f"imaps://{NAME}:993/INBOX", "-K", "-"],
        input=f'user = "{login}:{secret}"\n', text=True, capture_output=True, timeout=30, check=False).returncode


def test_from_nothing_to_works(house, watch):
    """A password, a program that is set up wrongly, then rightly, for receiving and for sending."""
    watch.press("Make the password")
    watch.see("It is shown only now")
    secret = watch.text(".secret code")
    # It can be copied where the step asks for it, too.
    watch.press("Copy: device password", within=".steps")
    assert watch.run("return await page.evaluate(() => navigator.clipboard.readText())") == secret
    assert imaps(house.door, ALICE[0], "mistyped") != 0
    watch.see("Wrong password", "Enter the device password of step 1")
    assert imaps(house.door, "alice", secret) == 0
    watch.see("Receiving works", "Sending: not seen yet", "encrypted (TLS 1.3)", "user name alice without the domain accepted",
              "with the device password “Outlook (classic) for Windows”")
    assert talk.is_ok(talk.signin(house.door, "submissions", ALICE[0], secret, HERE))
    watch.see("Sending works", f"user name {ALICE[0]}")
    assert house.page.violations() == []


def test_the_password_of_before(house, watch):
    house.door.add_account("carol@example.test", "the first password here")
    house.door.cli("account", "passwd", "carol@example.test", stdin="the second password here\n")
    browser = house.browser()
    browser.go()
    sign_in(browser, "carol@example.test", "the second password here")
    browser.heading("Overview")
    browser.follow("#/setup/thunderbird")
    browser.see("Nothing yet.")
    assert imaps(house.door, "carol@example.test", "the first password here", "127.3.3.3") != 0
    browser.see("Still has the password you changed", "It still has a password that you changed",
                "(another network than this browser's)")
    # Nothing of it is alice's.
    assert watch.count(".sight") == 0


def old_tls(door):
    """A program that knows nothing newer than TLS 1.0."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    with pytest.raises(OSError):
        rig.Line(door.ports["imaps"], HERE, context, NAME)


def distrust(door):
    """One that does not know who signed the certificate."""
    with pytest.raises(ssl.SSLError):
        rig.Line(door.ports["imaps"], HERE, ssl.create_default_context(), NAME)


def ntlm(door):
    with talk.connect(door, "submissions", HERE) as line:
        line.ask("EHLO pc")
        assert line.ask("AUTH NTLM TlRMTVNTUAABAAAAB4IIogAAAAA=")[0].startswith("504")


def ntlm_imap(door):
    with talk.connect(door, "imaps", HERE) as line:
        line.send("a AUTHENTICATE NTLM")
        assert line.tagged("a")[-1].startswith("a NO")


def ntlm_pop3(door):
    with talk.connect(door, "pop3s", HERE) as line:
        line.send("AUTH NTLM")
        assert line.line().startswith("-ERR")


def twice(door):
    """As many do: the same password by the next mechanism."""
    with talk.connect(door, "submissions", HERE) as line:
        line.ask("EHLO pc")
        for _ in range(2):
            assert line.ask(f"AUTH PLAIN {talk.plain(ALICE[0], 'mistyped')}")[0].startswith("535")
        line.ask("AUTH LOGIN")
        line.ask(talk.b64(ALICE[0]))
        assert line.ask(talk.b64("mistyped"))[0].startswith("535")


def no_tls(door):
    with talk.connect(door, "submission", HERE, tls=False) as line:
        line.ask("EHLO pc")
        assert line.ask("AUTH LOGIN")[0].startswith(("530", "538"))


def tls_on_plain(door):
    with pytest.raises(OSError):
        rig.Line(door.ports["imap"], HERE, door.tls(), NAME)


def msmtp_without_tls(door):
    """It sees nothing that it could sign in by, and says goodbye."""
    done = subprocess.run(
        ["msmtp", "--file=/dev/null", "--host=127.0.0.1", f"--port={door.ports['submission']}", "--auth=plain", "--user=alice",
         f"--passwordeval=echo {ALICE[1]}", "--tls=off", f"--from={ALICE[0]}", BOB[0]], input="Subject: x\n\nx\n", text=True,
        capture_output=True, timeout=30, check=False)
    assert done.returncode != 0


def swaks_cram_md5(door):
    done = subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port", str(door.ports["submissions"]), "--tls-on-connect", "--auth", "CRAM-MD5",
         "--auth-user", "alice", "--auth-password", ALICE[1], "--from", ALICE[0], "--to", BOB[0]],
        capture_output=True, timeout=30, check=False)
    assert done.returncode != 0


def plain_on_tls(door):
    with rig.Line(door.ports["submissions"], HERE) as line:
        line.send("EHLO pc")
        line.reply()


def no_signin(door):
    with talk.connect(door, "submission", HERE) as line:
        line.ask("EHLO pc")
        assert line.ask(f"MAIL FROM:<{ALICE[0]}>")[0].startswith("5")


def other_domain(door):
    assert imaps(door, "alice@exmaple.test", "whatever") != 0


def with_main_password(door):
    """From a network where sign-in without TLS is allowed."""
    with talk.connect(door, "imap", "127.9.9.9", tls=False) as line:
        assert talk.is_ok(talk.attempt(line, "imap", *ALICE))


@pytest.mark.filterwarnings("ignore:.*TLSv1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize("program, words", [
    (old_tls, ["Knows only encryption that is too old", "is from before TLS 1.2"]),
    (distrust, ["Did not trust the server's certificate"]),
    (ntlm, ["Turn “secure password authentication” (SPA) off", "The program tried NTLM."]),
    (ntlm_imap, ["Connected for reading mail (IMAP)", "The program tried NTLM."]),
    (ntlm_pop3, ["Connected for reading mail (POP3)", "The program tried NTLM."]),
    (twice, ["Wrong password", "3 times"]),
    (no_tls, ["Tried to sign in without encryption", "Set the encryption to SSL/TLS or STARTTLS"]),
    (msmtp_without_tls, ["Came without encryption, and went away", "Without encryption nobody can sign in here"]),
    (swaks_cram_md5, ["Came, and went away without trying to sign in", "Choose “normal password”"]),
    (tls_on_plain, ["choose STARTTLS for it"]),
    (plain_on_tls, ["choose SSL/TLS for it"]),
    (no_signin, ["Wanted to send without signing in", "Turn on that the outgoing server requires authentication"]),
    (other_domain, ["It uses the name alice@exmaple.test. Your user name is alice@example.test."]),
    (with_main_password, ["not encrypted", "with your main password"]),
], ids=lambda value: getattr(value, "__name__", ""))
def test_each_mistake_is_named(house, watch, program, words):
    program(house.door)
    watch.see(*words)
    assert watch.count(".sight") == 1


def test_a_blocked_network_is_told(house, watch):
    """Whatever a program tries from there comes to nothing, and none of it is seen."""
    house.door.cli("ban", "add", HERE, "--minutes", "7")
    try:
        assert imaps(house.door, *ALICE) != 0
        watch.see("Your network is blocked for 7 minutes more")
        assert "Nothing yet" not in watch.text()
        assert watch.count(".sight") == 0
        watch.click("Am I blocked?")
        watch.heading("Am I blocked?")
    finally:
        house.door.cli("ban", "remove", HERE)
    watch.follow("#/setup/outlook")
    watch.see("Nothing yet.")
    assert "turned away" not in watch.text()


def test_what_others_do_is_not_seen(house, watch, peer):
    """Bob's programs in the same network, a guesser elsewhere, and names that nobody has."""
    door = house.door
    api = Api(door, HERE)
    assert api.post(V1 + "/session", {"login": ALICE[0], "password": ALICE[1]}).status == 200
    after = api.get(V1 + "/self/watch").json["items"][0]["id"]
    assert talk.is_ok(talk.signin(door, "imaps", *BOB, HERE))
    for who in (BOB[0], "nobody@example.test", "bob@nowhere.test"):
        assert not talk.is_ok(talk.signin(door, "imaps", who, "wrong here", HERE))
    assert not talk.is_ok(talk.signin(door, "imaps", "alice@nowhere.test", "wrong here", peer))
    with talk.connect(door, "submission", peer, tls=False) as line:
        line.ask("EHLO pc")
        line.ask("AUTH LOGIN")
    # The same name at another domain reads alike, whether there is such an account or not.
    door.add_account("alice@other.test", "another alice altogether")
    for who in ("alice@other.test", "alice@nobodys.test"):
        assert not talk.is_ok(talk.signin(door, "imaps", who, "wrong here", HERE))
    rows = api.get(V1 + f"/self/watch?after={after}").json["items"]
    assert rows[0]["kind"] == "now"
    assert [(row["what"], row["login"]) for row in rows[1:]] == [
        ("other_name", "alice@nobodys.test"), ("other_name", "alice@other.test")]
    one, other = ({key: value for key, value in row.items() if key not in ("id", "at", "login")} for row in rows[1:])
    assert one == other
    watch.see("It uses the name alice@other.test")


def letters_to_oneself(dovecot):
    """Among all that Alice gets from this and other doors."""
    return [letter for letter in dovecot.messages(ALICE[0]) if b"Subject: Your test message has arrived" in letter]


def test_a_letter_to_oneself_arrives(house, watch, dovecot):
    before = len(letters_to_oneself(dovecot))
    watch.press("Send me a test message")
    watch.see("Your mail server has taken it for your inbox.", "Your test message has arrived")
    # Who is told so finds it there.
    assert len(letters_to_oneself(dovecot)) == before + 1
    told = watch.run("return await (await page.evaluateHandle(async () => (await fetch('/api/v1/self/test-message')).json()))"
                     ".jsonValue()")
    assert set(told) == {"id", "at", "state", "done_at", "said"}
    assert (told["state"], told["said"]) == ("taken", None) and told["done_at"] >= told["at"]
    for _ in range(4):
        watch.press("Send me a test message")
        watch.see("Your mail server has taken it for your inbox.")
    rig.until(lambda: len(letters_to_oneself(dovecot)) >= before + 5, "all five")
    watch.press("Send me a test message")
    watch.see("That was five test messages in an hour")
    assert len(letters_to_oneself(dovecot)) == before + 5


def test_a_letter_that_does_not_arrive(workdir, token_keys):
    """Refused by the next hop, in its words; or there is none that could take it."""
    hop = Sink()
    nobody, = rig.free_ports(1)
    lost = "dan@lost.test", "a long password of dan"
    door = rig.Gatepost(
        workdir / "undelivered", {"token_key_file": f'"{token_keys}/default/HS256/default"'},
        [rig.backend("smtp", "smtp", [f"127.0.0.1:{hop.port}"]), rig.backend("away", "smtp", [f"127.0.0.1:{nobody}"]),
         rig.route("*", smtp="smtp"), rig.route("lost.test", smtp="away")],
        listeners=("submissions", "https"))
    door.start()
    try:
        for who in (ALICE, lost):
            door.add_account(*who)
        alice, dan = Api(door, HERE), Api(door, HERE)
        for api, who in ((alice, ALICE), (dan, lost)):
            assert api.post(V1 + "/session", {"login": who[0], "password": who[1]}).status == 200
            assert api.get(TEST_MESSAGE).status == 404
        hop.load({"rcpt": "p"})
        sent = [api.post(TEST_MESSAGE, {}).json["id"] for api in (alice, dan)]
        rig.until(lambda: alice.get(TEST_MESSAGE).json["state"] == "refused", "the refusal")
        rig.until(lambda: "notice_put_off" in door.log(), "a try")
        # What is known of them outlives the door.
        door.kill()
        door.start()
        told = []
        for api, who in ((Api(door, HERE), ALICE), (Api(door, HERE), lost)):
            assert api.post(V1 + "/session", {"login": who[0], "password": who[1]}).status == 200
            told.append(api.get(TEST_MESSAGE).json)
        assert [row["id"] for row in told] == sent
        assert [(row["state"], row["said"]) for row in told] == [("refused", "no rcpt 0"), ("waiting", None)]
        assert told[0]["done_at"] and told[1]["done_at"] is None
        assert hop.delivered == [] and hop.faults == []
    finally:
        door.stop()
        hop.close()


@pytest.mark.parametrize("program", [one["id"] for one in CLIENTS["programs"]])
def test_each_program_has_its_page(house, program):
    """With this person's values, and nothing left to be filled in."""
    page = house.page
    page.follow(f"#/setup/{program}")
    page.see("2. Enter it in")
    words = page.text()
    assert "{" not in words
    assert NAME in words
    assert ALICE[0] in words
    ports = {str(house.door.ports[name]) for name in ("imaps", "submissions")}
    wanted = {str(house.door.ports["submissions"])} if program in ("copier", "script") else ports
    assert all(port in words for port in wanted)


def test_old_programs_are_found_by_name(house):
    page = house.page
    shown = "tbody tr:not([hidden])"
    page.follow("#/setup/old")
    page.see("Outlook Express 5, 6")
    assert page.count(shown) == len(CLIENTS["old"])
    page.fill("Search for a program", "Netscape 4")
    page.see("Netscape Communicator 4", "Netscape 4.08")
    assert page.count(shown) == 2
    assert "No program of that name" not in page.text()
    page.fill("Search for a program", "Lotus Notes")
    assert page.count(shown) == 0
    page.see("No program of that name is known here.")
    page.fill("Search for a program", "")
    assert page.count(shown) == len(CLIENTS["old"])
