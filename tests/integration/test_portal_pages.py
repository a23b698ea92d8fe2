# SPDX-License-Identifier: ISC
"""The portal's pages in a real browser, over made-up answers (tests/portal/fake.mjs): every state of every page, also
those that real servers come to seldom. test_portal.py goes the ways of people through real servers."""

import json
import subprocess
import urllib.request

import pytest
import rig
from browser import Browser

PASSWORD = "right password here"
CODE = "123456"

# What stands in the picture's name: (scene, address, heading).
PAGES = {
    "signin": ("guest", "", "Sign in"),
    "blocked-no": ("guest", "#/blocked", "Am I blocked?"),
    "blocked-yes": ("guest_banned", "#/blocked", "Am I blocked?"),
    "code": ("pending", "", "Enter your code"),
    "recover": ("recovery", "", "Make your account safe again"),
    "reset": ("guest", "#reset=GOOD", "Choose a new password"),
    "reset-dead": ("guest", "#reset=BAD", "Choose a new password"),
    "link": ("guest", "#setup=GOOD", "Set up this device"),
    "link-dead": ("guest", "#setup=BAD", "Set up this device"),
    "overview": ("healthy", "#/overview", "Overview"),
    "overview-new": ("fresh", "#/overview", "Overview"),
    "overview-trouble": ("troubled", "#/overview", "Overview"),
    "overview-removal": ("removal", "#/overview", "Overview"),
    "account": ("healthy", "#/account", "My account"),
    "account-moved": ("moved", "#/account", "My account"),
    "twofactor-off": ("fresh", "#/twofactor", "Two-factor sign-in"),
    "twofactor-on": ("removal", "#/twofactor", "Two-factor sign-in"),
    "devices": ("healthy", "#/devices?settings", "Device passwords"),
    "setup": ("healthy", "#/setup", "Set up a device"),
    "setup-outlook": ("healthy", "#/setup/outlook", "Set up Outlook (classic) for Windows"),
    "setup-old": ("healthy", "#/setup/old", "Old programs"),
    "setup-script": ("healthy", "#/setup/script", "Set up Scripts and programs of your own"),
    "activity": ("troubled", "#/activity", "Which device is it?"),
    "blocked-lift": ("troubled", "#/blocked", "Am I blocked?"),
    "staff": ("staff", "#/staff?query=anna", "Staff"),
    "staff-account": ("staff", "#/staff/account/anna%40example.test", "anna@example.test"),
    "staff-bans": ("staff", "#/staff/bans", "Blocked connections"),
    "staff-audit": ("staff", "#/staff/audit", "Audit log"),
    "staff-source": ("staff", "#/staff/source/198.51.100.24", "198.51.100.24"),
    "answer": ("guest", "#sending=GOOD", "Was this you?"),
    "answer-dead": ("guest", "#sending=BAD", "Was this you?"),
    "sending-asked": ("stopped_asked", "#/sending", "Was this you?"),
    "sending": ("stopped", "#/sending", "Was this you?"),
    "sending-prove": ("stopped_prove", "#/sending", "Was this you?"),
    "sending-noproof": ("stopped_noproof", "#/sending", "Was this you?"),
    "sending-password": ("stopped_password", "#/sending", "Was this you?"),
    "sending-twofactor": ("stopped_twofactor", "#/sending", "Was this you?"),
    "sending-staff": ("stopped_staff", "#/sending", "Was this you?"),
    "sending-open": ("healthy", "#/sending", "Was this you?"),
    "overview-asked": ("stopped_asked", "#/overview", "Overview"),
    "account-stopped": ("stopped", "#/account", "My account"),
    "staff-sending": ("staff", "#/staff/sending", "Stopped accounts"),
    "staff-sending-case": ("staff", "#/staff/sending/anna%40example.test", "anna@example.test"),
    "trouble": ("busy", "#/overview", "That did not work"),
    "missing": ("healthy", "#/nowhere", "Nothing here"),
}


class Stage:
    """The browser before the made-up server."""

    def __init__(self):
        self.server = subprocess.Popen(["node", rig.ROOT / "tests/portal/fake.mjs", rig.ROOT / "portal"],
                                       stdout=subprocess.PIPE, text=True)
        self.base = f"http://127.0.0.1:{int(self.server.stdout.readline())}/"
        self.browser = Browser(self.base)

    def close(self):
        self.browser.close()
        rig.end_pid(self.server.pid)
        self.server.wait()
        self.server.stdout.close()

    def ask(self, scene=None):
        data = None if scene is None else json.dumps({"scenario": scene}).encode()
        with urllib.request.urlopen(self.base + "fake", data=data, timeout=10) as answer:
            return json.load(answer)["asked"]

    def open(self, scene, path=""):
        self.ask(scene)
        self.browser.go(path)
        return self.browser

    def changes(self):
        """What was asked for that changes something: [(method, path, body)]."""
        return [(one["method"], one["path"], one["body"]) for one in self.ask() if one["method"] != "GET"]


@pytest.fixture(scope="module")
def theatre():
    made = Stage()
    yield made
    made.close()


@pytest.fixture
def stage(theatre):
    """Whatever a test does: no script fails, and the policy stops nothing of ours."""
    yield theatre
    # The made-up QR code has a handler that must not run; that the browser says so is right.
    assert [one for one in theatre.browser.problems() if "inline event handler" not in one] == []


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_and_fits(stage, name):
    scene, path, heading = PAGES[name]
    browser = stage.open(scene, path)
    browser.heading(heading)
    assert browser.title().startswith(heading)
    assert browser.inspect(name) == []


@pytest.mark.parametrize("name", PAGES)
def test_page_speaks_german(stage, name):
    scene, path, _ = PAGES[name]
    browser = stage.open(scene, path)
    browser.run("await page.evaluate(() => localStorage.setItem('gatepost.language', 'de'))")
    try:
        browser.go(path)
        assert browser.run("return await page.evaluate(() => document.documentElement.lang)") == "de"
        browser.look("light", 360)
        assert not browser.is_too_wide()
        words = browser.text("body")
        for code in browser.run("return await page.locator('pre').allInnerTexts()"):  # programs speak English
            words = words.replace(code.strip(), "")
        for english in ("Sign", "password", "blocked", "the ", "your "):
            assert english not in words, f"{name}: {words}"
        browser.shot(f"{name}-360-de")
    finally:
        browser.look("light", 1280)
        browser.run("await page.evaluate(() => localStorage.clear())")


def test_signing_in_with_a_code(stage):
    browser = stage.open("guest", "#/devices")
    browser.heading("Sign in")
    assert browser.focused() == "Mail address"
    browser.fill("Mail address", "two@example.test")
    browser.fill("Password", "wrong")
    browser.key("Enter")
    browser.see("Address or password is not right")
    assert "Please check this" in browser.focused()
    assert browser.run("return await page.locator('input[type=password]').inputValue()") == ""
    browser.fill("Password", PASSWORD)
    browser.key("Enter")
    browser.heading("Enter your code")
    browser.fill("Code from your phone", "12 34")
    browser.press("Sign in")
    browser.see("The code has 6 digits")
    browser.fill("Code from your phone", "123 456")
    browser.press("Sign in")
    browser.heading("Device passwords")  # where one wanted to be


def test_a_form_is_sent_once(stage):
    browser = stage.open("guest")
    browser.fill("Mail address", "anna@example.test")
    browser.fill("Password", PASSWORD)
    browser.run("await page.evaluate(() => { const press = document.querySelector('form button[type=submit]');"
                "press.click(); press.click(); press.click(); })")
    browser.heading("Overview")
    assert len(stage.changes()) == 1


def test_faults_lead_to_their_fields(stage):
    browser = stage.open("healthy", "#/account")
    browser.fill("New password", "tiny")
    browser.see("Too short")
    browser.press("Change password")
    browser.see("Please use at least 8 characters")
    assert "Please check this" in browser.focused()
    browser.run("await page.locator('.summary:visible a').first().click()")
    assert browser.focused() == "Present password"
    assert browser.run("return await page.locator('[aria-invalid=true]').count()") == 3
    assert browser.url().endswith("#/account")
    assert stage.changes() == []


def test_the_password_is_sent_as_it_was_typed(stage):
    browser = stage.open("healthy", "#/account")
    new = "  Spaß mit 漢字 and blanks  "
    browser.fill("Present password", PASSWORD)
    browser.fill("New password", new)
    browser.fill("New password, once more", new)
    browser.press("Change password")
    browser.see("your device passwords are gone")
    assert stage.changes() == [("POST", "/self/password", {"old": PASSWORD, "new": new, "end_devices": True})]
    browser.fill("New password", "x" * 1025)
    browser.fill("New password, once more", "x" * 1025)
    browser.fill("Present password", PASSWORD)
    browser.press("Change password")
    browser.see("1,024 bytes at most")
    assert len(stage.changes()) == 1


def test_twofactor_step_by_step(stage):
    browser = stage.open("fresh", "#/twofactor")
    browser.see("Apple iPhone Mail", "will stop working")
    browser.press("Turn on two-factor sign-in")
    browser.fill("Password", PASSWORD)
    browser.press("Next")
    browser.see("Scan this with your phone")
    browser.shot("twofactor-qr")
    assert browser.focused() == "Scan this with your phone"
    # Of the drawing only harmless pieces come into the page.
    assert browser.run("return await page.locator('.qr svg *').evaluateAll((all) => all.map((one) => one.localName))") \
        == ["rect", "path"]
    assert browser.count(".qr [onclick], .qr script") == 0
    assert browser.violations() == []
    browser.fill("The code the app shows now", CODE)
    browser.press("Turn on")
    browser.see("Keep your recovery codes", "k9wm-4xqp-7h2d")
    browser.shot("twofactor-codes")
    assert browser.violations() == []
    assert browser.count(".qr") == 0
    saved = browser.run("const wait = page.waitForEvent('download');"
                        "await page.getByRole('button', {name: 'Save as a file'}).click();"
                        "return require('fs').readFileSync(await (await wait).path(), 'utf8')")
    assert saved.count("-4xqp-7h2d") == 10 and "anna@example.test" in saved
    browser.press("Copy: Recovery codes")
    assert browser.run("return (await page.evaluate(() => navigator.clipboard.readText())).split('\\n').length") == 10
    browser.press("I have kept them")
    browser.see("Two-factor sign-in is on.")
    assert "4xqp" not in browser.run("return await page.content()")


def test_a_device_password_is_shown_once(stage):
    browser = stage.open("fresh", "#/twofactor")
    browser.click("Make a device password")
    browser.heading("Device passwords")
    browser.press("Create")
    browser.see("abcd-efgh-jkmn-pqrs-tuvw-xyz2", "993", "465", "SSL/TLS")
    browser.shot("devices-made")
    assert browser.violations() == []
    assert stage.changes() == [("POST", "/self/devices", {"name": "Apple iPhone Mail", "scopes": ["imap", "smtp"]})]
    browser.press("Copy: device password")
    browser.see("Copied")
    assert browser.run("return await page.evaluate(() => navigator.clipboard.readText())") \
        == "abcd-efgh-jkmn-pqrs-tuvw-xyz2"
    browser.press("I have entered it")
    browser.heading("Two-factor sign-in")  # where one came from
    assert "abcd-efgh" not in browser.run("return await page.content()")


def test_watching_a_program_connect(stage):
    browser = stage.open("connecting", "#/setup/thunderbird")
    browser.see("Receiving works", "without the domain accepted", "Turn “secure password authentication” (SPA) off",
                "Set the encryption to SSL/TLS or STARTTLS", "Still has the password you changed",
                "It uses the name anna@exmaple.test", "(another network than this browser's)", "2 times")
    # One that tried out what there is, and then got in, is no news.
    assert browser.count(".sight") == 7
    assert browser.inspect("setup-watching") == []
    # Once the password is made, what other devices of the account do is no news.
    browser.press("Make the password")
    browser.see("abcd-efgh-jkmn-pqrs-tuvw-xyz2", "Sending: not seen yet")
    assert browser.count(".sight") == 6
    assert stage.changes()[-1] == ("POST", "/self/devices", {"name": "Thunderbird", "scopes": ["imap", "smtp"]})
    browser.press("Send me a test message")
    browser.see("It is on its way")
    assert stage.changes()[-1][:2] == ("POST", "/self/test-message")
    browser.see("Your mail server has taken it for your inbox.", ":03:05", "Does your program show it?",
                "Your test message has arrived")
    assert browser.inspect("setup-test-taken") == []
    # Another page: nobody asks any more.
    browser.follow("#/account")
    browser.heading("My account")
    browser.run("await page.waitForTimeout(1500)")
    before = len(stage.ask())
    browser.run("await page.waitForTimeout(1500)")
    assert len(stage.ask()) == before


def letter_questions(stage):
    return [one for one in stage.ask() if (one["method"], one["path"]) == ("GET", "/self/test-message")]


def test_a_letter_that_is_refused(stage):
    browser = stage.open("undelivered", "#/setup/thunderbird")
    browser.press("Send me a test message")
    browser.see("Your mail server refused it.", "Quota exceeded", "tell the people who run this server")
    assert browser.inspect("setup-test-refused") == []
    # It is decided: nobody asks any more.
    asked = len(letter_questions(stage))
    browser.run("await page.waitForTimeout(2000)")
    assert len(letter_questions(stage)) == asked


def test_a_letter_that_is_late(stage):
    browser = stage.open("letter_waits", "#/setup/thunderbird")
    browser.run("await page.evaluate(() => { const real = Date.now; const at = real(); "
                "Date.now = () => real() + 40 * (real() - at); })")
    browser.press("Send me a test message")
    browser.see("After a minute your mail server has still not taken it.")
    assert letter_questions(stage)
    assert browser.inspect("setup-test-late") == []
    asked = len(letter_questions(stage))
    browser.run("await page.waitForTimeout(2000)")
    assert len(letter_questions(stage)) == asked


def test_values_are_copied(stage):
    browser = stage.open("healthy", "#/setup/mutt")
    browser.press("Copy: .muttrc")
    text = browser.run("return await page.evaluate(() => navigator.clipboard.readText())")
    assert 'set imap_user = "anna@example.test"' in text
    assert 'set folder = "imaps://mail.example.test:993/"' in text
    assert 'set smtp_url = "smtps://anna%40example.test@mail.example.test:465/"' in text
    assert "{" not in text
    browser = stage.open("healthy", "#/setup/thunderbird")
    browser.press("Copy: mail.example.test")
    assert browser.run("return await page.evaluate(() => navigator.clipboard.readText())") == "mail.example.test"


def test_a_code_for_the_phone(stage):
    browser = stage.open("healthy", "#/setup")
    browser.fill("Which program or device is it for?", "Annas phone")
    browser.press("Show a QR code for my phone")
    browser.see("Scan this with your phone", "It works once, until")
    assert browser.focused() == "Scan this with your phone"
    assert browser.inspect("setup-code") == []
    assert stage.changes() == [("POST", "/self/setup", {"name": "Annas phone"})]
    assert "GOOD" not in browser.url() and "GOOD" not in browser.run("return await page.content()")
    browser.press("Done")
    assert browser.count(".qr") == 0


def test_a_link_on_the_device(stage):
    browser = stage.open("guest", "#setup=GOOD")
    browser.heading("Set up this device")
    assert "GOOD" not in browser.url()
    browser.see("anna@example.test", "Phone", "This link is good once")
    browser.press("Show me the values")
    browser.see("abcd-efgh-jkmn-pqrs-tuvw-xyz2", "mail.example.test", "993", "465")
    assert browser.inspect("link-values") == []
    assert [change[:2] for change in stage.changes()] == [("POST", "/setup/show"), ("POST", "/setup")]
    # What was shown once is not shown again.
    browser.follow("#/overview")
    browser.follow("#/link")
    browser.see("This link is not valid any more")
    assert "abcd-efgh" not in browser.run("return await page.content()")


def test_revoking_asks_first(stage):
    browser = stage.open("healthy", "#/devices")
    browser.press("Revoke")
    browser.see("Revoke the password of “Thunderbird at home”?")
    browser.shot("devices-revoke")
    assert browser.violations() == []
    browser.key("Escape")
    assert browser.focused() == "Revoke"
    assert stage.changes() == []
    browser.press("Revoke all")
    browser.press("Revoke", "dialog")
    browser.see("Revoked, and signed out.")
    assert [one[:2] for one in stage.changes()] == [("DELETE", "/self/devices")]


def test_lifting_tells_the_device_first(stage):
    browser = stage.open("troubled", "#/overview")
    browser.press("Lift the block")
    dialog = browser.text("dialog")
    assert "Outlook" in dialog and "Still has the password you changed" in dialog
    browser.shot("overview-lift")
    browser.press("Lift it now")
    browser.see("203.0.113.9 is not blocked any more")
    assert [one[:2] for one in stage.changes()] == [("DELETE", "/self/bans/203.0.113.9")]


def test_a_session_that_ran_out(stage):
    browser = stage.open("healthy", "#/devices")
    stage.ask("lapsed")
    browser.press("Revoke")
    browser.press("Revoke", "dialog")
    browser.see("You were away for a while")
    assert browser.title().startswith("Sign in")
    browser.fill("Mail address", "anna@example.test")
    browser.fill("Password", PASSWORD)
    browser.press("Sign in")
    browser.heading("Device passwords")


def test_a_server_that_is_busy_or_away(stage):
    browser = stage.open("busy", "#/overview")
    browser.see("The server is busy")
    stage.ask("healthy")
    browser.press("Try again")
    browser.heading("Overview")
    browser.follow("#/account")
    browser.heading("My account")
    browser.run("await context.setOffline(true)")
    try:
        browser.fill("Present password", PASSWORD)
        browser.fill("New password", "another password for all")
        browser.fill("New password, once more", "another password for all")
        browser.press("Change password")
        browser.see("We cannot reach the server")
        # What was typed stays, so that sending it again is one click.
        assert browser.run("return await page.locator('input[name=old]').inputValue()") == PASSWORD
    finally:
        browser.run("await context.setOffline(false)")
    browser.press("Change password")
    browser.see("Your password is changed")


def test_back_and_forward(stage):
    browser = stage.open("healthy", "#/overview")
    for name, heading in (("My account", "My account"), ("Device passwords", "Device passwords")):
        browser.click(name, "nav")
        browser.heading(heading)
        assert browser.focused() == heading
        assert browser.title().startswith(heading)
    browser.run("await page.goBack()")
    browser.heading("My account")
    browser.run("await page.goForward()")
    browser.heading("Device passwords")


def test_the_keyboard_alone(stage):
    browser = stage.open("healthy", "#/overview")
    browser.look("light", 360)
    browser.run("await page.evaluate(() => document.activeElement.blur())")
    browser.key("Tab")
    assert browser.focused() == "Skip to the content"
    browser.key("Enter")
    assert browser.run("return await page.evaluate(() => document.activeElement.localName)") == "main"
    browser.run("await page.getByRole('button', {name: 'Menu'}).focus()")
    browser.key("Enter")
    assert browser.run("return await page.getByRole('button', {name: 'Menu'}).getAttribute('aria-expanded')") == "true"
    browser.shot("menu-360")
    browser.key("Escape")
    assert browser.focused() == "Menu"
    browser.key("Enter")
    browser.key("Tab")
    browser.key("Tab")
    browser.key("Enter")
    browser.heading("My account")
    browser.look("light", 1280)


def test_a_reset_link_leaves_the_address_at_once(stage):
    browser = stage.open("guest", "#reset=GOOD")
    browser.heading("Choose a new password")
    assert browser.url().endswith("#/reset")
    browser.fill("New password", "another password for all")
    browser.fill("New password, once more", "another password for all")
    browser.press("Set the new password")
    browser.see("Your new password is set.")
    assert browser.title().startswith("Sign in")
    assert not any("GOOD" in url for url in browser.run("return seen.requests"))
    browser.run("await page.goBack()")
    assert "GOOD" not in browser.url()


def test_the_language_is_kept(stage):
    browser = stage.open("guest")
    browser.run("await page.getByLabel('Language').selectOption('de')")
    browser.heading("Anmelden")
    browser.go()
    browser.heading("Anmelden")
    browser.run("await page.getByLabel('Sprache').selectOption('en')")
    browser.heading("Sign in")
    browser.run("await page.evaluate(() => localStorage.clear())")
    browser = stage.open("healthy", "#/account")
    browser.tick("Deutsch")
    browser.heading("Mein Konto")
    assert stage.changes() == [("POST", "/self/language", {"language": "de"})]
    browser.run("await page.evaluate(() => localStorage.clear())")


def test_signing_out(stage):
    browser = stage.open("healthy", "#/account")
    browser.press("Sign out")
    browser.see("You are signed out.")
    browser.follow("#/account")
    browser.heading("Sign in")
    assert "You are signed out." not in browser.text()


def test_staff_finds_and_helps(stage):
    browser = stage.open("staff", "#/staff")
    browser.fill("Address, account, event or reference number", "anna")
    browser.press("Search")
    browser.see("4 results", "Reference 7K2M9QXA")
    browser.click("anna@example.test")
    browser.heading("anna@example.test")
    browser.press("Unblock sending")
    browser.press("Unblock sending", "dialog")
    browser.see("Sending is open again.")
    browser.press("Start removal of 2FA")
    browser.see("It happens in 24 hours.")
    browser.press("Start removal of 2FA", "dialog")
    browser.see("The owner has been told.")
    base = "/accounts/anna%40example.test"
    assert [one[:2] for one in stage.changes()] == [("POST", f"{base}/unblock"), ("POST", f"{base}/twofactor/remove")]


def test_who_is_no_staff_sees_no_staff_page(stage):
    browser = stage.open("healthy", "#/staff")
    browser.heading("Nothing here")
    assert "Staff" not in browser.text("nav")
    browser = stage.open("domain_admin", "#/staff")
    browser.heading("Staff")
    assert "Audit log" not in browser.text("main")
