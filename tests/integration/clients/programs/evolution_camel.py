# SPDX-License-Identifier: ISC
"""Runs as a process of its own, with Debian's Python, for the sake of its GObject bindings: one task from standard input,
done with Camel as Evolution does it; says what came of it."""

import json
import sys

import gi

gi.require_version("Camel", "1.2")
from gi.repository import Camel, Gio, GLib  # noqa: E402 pylint: disable=wrong-import-position

TASK = json.load(sys.stdin)


class Session(Camel.Session):
    """Somebody who has one password, and trusts the authority of the tests."""

    def do_authenticate_sync(self, service, mechanism, cancellable):  # pylint: disable=arguments-differ
        if service.authenticate_sync(mechanism, cancellable) == Camel.AuthenticationResult.ACCEPTED:
            return True
        raise GLib.Error("refused: it asks for the password again", "tests", 1)

    def do_trust_prompt(self, _service, certificate, _errors):  # pylint: disable=arguments-differ
        authority = Gio.TlsCertificate.new_from_file(TASK["authority"])
        faults = certificate.verify(Gio.NetworkAddress.new(TASK["host"], TASK["port"]), authority)
        return Camel.CertTrust.NEVER if faults else Camel.CertTrust.TEMPORARY


def add_service(session, kind):
    service = session.add_service("account", TASK["protocol"], kind)
    security = Camel.NetworkSecurityMethod
    for name, value in {
            "host": TASK["host"], "port": TASK["port"], "user": TASK["login"], "auth-mechanism": "PLAIN",
            "security-method": security.SSL_ON_ALTERNATE_PORT if TASK["implicit"] else security.STARTTLS_ON_STANDARD_PORT,
    }.items():
        service.ref_settings().set_property(name, value)
    service.set_password(TASK["secret"])
    return service


def address(text):
    made = Camel.InternetAddress()
    made.add("", text)
    return made


def send(session):
    transport = add_service(session, Camel.ProviderType.TRANSPORT)
    transport.connect_sync(None)
    message = Camel.MimeMessage()
    sender, recipients = address(TASK["address"]), address(TASK["recipient"])
    message.set_from(sender)
    message.set_recipients("To", recipients)
    message.set_subject(TASK["subject"])
    message.set_content(b"hello\n", "text/plain")
    transport.send_to_sync(message, sender, recipients, None)


def fetch(session):
    store = add_service(session, Camel.ProviderType.STORE)
    if TASK["protocol"] == "imapx":
        store.set_online_sync(True, None)
    store.connect_sync(None)
    if TASK["protocol"] == "imapx":
        store.get_folder_info_sync(None, Camel.StoreGetFolderInfoFlags.RECURSIVE, None)
        folder = store.get_folder_sync("INBOX", Camel.StoreGetFolderFlags.NONE, None)
    else:
        folder = store.get_inbox_folder_sync(None)
    folder.refresh_info_sync(None)
    for uid in folder.get_uids():
        print(folder.get_message_sync(uid, None).get_subject())


def main():
    Camel.init(TASK["home"], False)
    Camel.provider_init()
    session = Session(user_data_dir=TASK["home"] + "/data", user_cache_dir=TASK["home"] + "/cache")
    session.set_online(True)
    try:
        (send if TASK["protocol"] == "smtp" else fetch)(session)
    except GLib.Error as error:
        print(f"Error: {error.message}")


main()
