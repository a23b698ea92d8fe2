// SPDX-License-Identifier: ISC
// What is typed into a mail program: server, port, encryption, name.

import {h} from "./dom.js";
import {t} from "./text.js";
import {facts} from "./ui.js";

// The service to offer of each kind: TLS from the first byte if there is one.
const PREFERRED = {imap: ["imaps", "imap"], pop3: ["pop3s", "pop3"], smtp: ["submissions", "submission"]};

export function settingsOf(settings, scope) {
	const found = PREFERRED[scope].map((name) => settings.services.find((one) => one.service === name));
	return found.find(Boolean);
}

function part(settings, scope) {
	const service = settingsOf(settings, scope);
	return service && h("div.settings-part", {}, h("h3", {}, t(`settings.${scope}`)), facts([
		[t("settings.server"), settings.hostname, settings.hostname],
		[t("settings.port"), String(service.port)],
		[t("settings.encryption"), service.tls === "tls" ? "SSL/TLS" : "STARTTLS"],
		[t("settings.method"), t("settings.method.normal")],
		[t("settings.login"), settings.login, settings.login],
	]));
}

export function settingsView(settings, scopes = ["imap", "smtp"]) {
	return h("div.settings", {}, scopes.map((scope) => part(settings, scope)));
}
