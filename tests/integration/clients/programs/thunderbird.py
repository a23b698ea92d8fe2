# SPDX-License-Identifier: ISC
"""One Thunderbird stays for all tasks, headless, driven through Marionette; what happens inside is in
thunderbird.js."""

import pathlib
import subprocess

import rig
from program import IMAP, POP3, SECONDS, SENDING, Program, end_group, environment
from programs.marionette import Marionette

SCRIPT = pathlib.Path(__file__).with_name("thunderbird.js")
START = 60  # seconds
# Nobody at Mozilla is asked or told, and the domain of the tests is at home.
PREFERENCES = {
    "app.update.enabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "mail.provider.enabled": False,
    "mail.rights.version": 1,
    "mailnews.auto_config_url": "",
    "mailnews.start_page.enabled": False,
    "messenger.status.reportToServer": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.localDomains": "example.test,mail.example.test,autoconfig.example.test,autodiscover.example.test",
    "network.proxy.type": 0,
    "services.settings.server": "data:,#",
    "toolkit.telemetry.enabled": False,
}


def spelled(value):
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else f'"{value}"'


class Thunderbird(Program):
    name = "Thunderbird"
    package = "thunderbird"
    services = (*SENDING, *IMAP, *POP3)
    note = "sets itself up by autoconfig"

    def __init__(self):
        self.process = None
        self.wire = None

    def open(self, folder, door):
        profile = folder / "profile"
        profile.mkdir(parents=True)
        port, = rig.free_ports(1)
        preferences = {**PREFERENCES, "marionette.port": port,
                       "network.socket.forcePort": f"443={door.demo['ports']['https']}"}
        (profile / "user.js").write_text("".join(f'user_pref("{key}", {spelled(value)});\n'
                                                 for key, value in preferences.items()), encoding="ascii")
        with open(folder / "thunderbird.log", "wb") as log:
            self.process = subprocess.Popen(
                ["thunderbird", "--headless", "--marionette", "-remote-allow-system-access", "--no-remote",
                 "--profile", str(profile)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment(folder), start_new_session=True)
        rig.until(lambda: rig.is_open(port), "Thunderbird", START)
        self.wire = Marionette(port, START)
        self.wire.run(SCRIPT.read_text(encoding="utf-8") +
                      "globalThis.shown = []; watch(globalThis.shown); trust(args[0]);",
                      door.authority.read_text(encoding="ascii"))

    def close(self):
        if self.wire is not None:
            self.wire.close()
        if self.process is not None:
            end_group(self.process)
            self.process.wait()

    def when_quiet(self, script):
        """The script's value as soon as there is one; a dialogue that comes in between makes it nothing."""
        try:
            return rig.until(lambda: self.wire.run(script), "Thunderbird", SECONDS)
        except rig.RigError:
            return None

    def perform(self, task, what):
        """Starts it and waits for its end; after a failure, for what it tells the person."""
        self.wire.run(SCRIPT.read_text(encoding="utf-8") + f"""
const task = args[0];
globalThis.shown.length = 0;
globalThis.got = null;
{what}.then((got) => {{ globalThis.got = got; }}, (error) => {{ globalThis.got = {{ status: 0, subjects: [String(error)] }}; }});
""", {"login": task.login, "secret": task.secret, "host": task.host, "port": task.port, "imap": task.is_imap,
      "implicit": task.is_implicit, "address": task.address, "recipient": task.recipient, "subject": task.subject,
      "home": str(task.home), "letter": task.letter()})
        got = self.when_quiet("""
const got = globalThis.got;
return got && (got.status === 0 || globalThis.shown.length) &&
  { lines: [...globalThis.shown, ...(got.subjects || [])] };
""")
        self.when_quiet(SCRIPT.read_text(encoding="utf-8") + "removeAccounts(); return true;")
        return "\n".join(got["lines"] if got else ["(Thunderbird says nothing)"])

    def send(self, task):
        return self.perform(task, "send(makeOutgoing(task), task)")

    def fetch(self, task):
        return self.perform(task, "get(makeIncoming(task))")

    def set_up(self, task):
        """From an address and a password alone, with what the door's autoconfig answers; then it fetches and sends."""
        return self.perform(task, "setUpAndUse(task)")


PROGRAM = Thunderbird()
