// SPDX-License-Identifier: ISC
// How each mail program is set up, with this person's values in it. The words stand in clients.json: they are many,
// and only who sets a program up loads them.

import {h, speak} from "./dom.js";
import {icon} from "./icons.js";
import {settingsOf} from "./settings.js";
import {getLanguage, t} from "./text.js";
import {note} from "./ui.js";

const COPIED = 4000; // milliseconds for which a button says so
const TLS = {tls: "SSL/TLS", starttls: "STARTTLS"};

let loading = null;

export function loadClients() {
	loading ??= fetch("/clients.json", {credentials: "omit"}).then((answer) => {
		if (!answer.ok)
			throw new Error(`clients.json: ${answer.status}`);
		return answer.json();
	}).catch((error) => {
		loading = null;
		throw error;
	});
	return loading;
}

// In the reader's language; what is the same in all of them is one text.
export function inLanguage(texts) {
	return typeof texts === "string" ? texts : texts[getLanguage()] ?? texts.en;
}

function valuesOf(settings, scope) {
	const service = settingsOf(settings, scope);
	const isTls = service?.tls === "tls";
	return {
		[`${scope}_host`]: settings.hostname,
		[`${scope}_port`]: String(service?.port ?? ""),
		[`${scope}_tls`]: TLS[service?.tls] ?? "",
		isTls,
	};
}

// What stands for the {names}.
export function guideValues(settings) {
	const imap = valuesOf(settings, "imap");
	const smtp = valuesOf(settings, "smtp");
	const user = encodeURIComponent(settings.login);
	const imapPlace = `${settings.hostname}:${imap.imap_port}/`;
	const smtpPlace = `${settings.hostname}:${smtp.smtp_port}/`;
	return {
		...imap, ...smtp,
		address: settings.login, login: settings.login,
		imap_url: `${imap.isTls ? "imaps" : "imap"}://${imapPlace}`,
		smtp_user_url: `${smtp.isTls ? "smtps" : "smtp"}://${user}@${smtpPlace}`,
		smtp_is_starttls: smtp.isTls ? "off" : "on",
		smtp_python: smtp.isTls
			? `with smtplib.SMTP_SSL("${settings.hostname}", ${smtp.smtp_port}) as server:`
			: `with smtplib.SMTP("${settings.hostname}", ${smtp.smtp_port}) as server:\n    server.starttls()`,
	};
}

// A text without markup: what goes into a file.
export function fillIn(text, values) {
	return text.replaceAll(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// A small button beside what it copies.
function copier(text, what) {
	const node = h("button.quiet.copier", {type: "button", "aria-label": t("copy.what", {what})}, icon("copy"));
	node.addEventListener("click", async () => {
		let key = "copy.done";
		try {
			await navigator.clipboard.writeText(text);
		} catch {
			key = "copy.failed";
		}
		node.replaceChildren(icon(key === "copy.done" ? "ok" : "warn"));
		speak(t(key));
		setTimeout(() => { node.replaceChildren(icon("copy")); }, COPIED);
	});
	return node;
}

const COPIED_VALUES = new Set(["address", "login", "imap_host", "smtp_host"]);

function valueNode(name, values) {
	if (name === "password")
		return h("strong.the-password", {}, t("setup.the_password"));
	const value = values[name];
	if (!COPIED_VALUES.has(name))
		return h("strong", {}, value);
	return h("span.value", {}, h("code", {}, value), copier(value, value));
}

function sentence(text, values) {
	return text.split(/\{(\w+)\}/).map((piece, index) => index % 2 ? valueNode(piece, values) : piece);
}

function snippet({name, text}, values) {
	const filled = fillIn(text, values);
	return h("figure.snippet", {}, h("figcaption", {}, h("span", {}, name), copier(filled, name)),
		h("pre", {tabindex: "0"}, h("code", {}, filled)));
}

export function guideSteps(program, settings) {
	const values = guideValues(settings);
	return h("div.stack", {},
		h("ol.steps", {}, inLanguage(program.steps).map((step) => h("li", {}, sentence(step, values)))),
		(program.snippets ?? []).map((one) => snippet(one, values)),
		program.note && note("info", h("p", {}, inLanguage(program.note))));
}

// Once there is a password, it can be copied wherever the steps in node ask for it.
export function givePassword(node, password) {
	for (const place of node.querySelectorAll(".the-password"))
		place.after(copier(password, t("devices.password")));
}
