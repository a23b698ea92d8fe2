// SPDX-License-Identifier: ISC
// What the server's rows mean, in words: devices, failures, bans. Used by the owner's pages and by
// staff's, so that both read the same.

import {at, remove} from "./api.js";
import {h} from "./dom.js";
import {icon} from "./icons.js";
import {date, hasText, list, minutes, since, t, tx} from "./text.js";
import {badge, button, confirm, link, moment, note} from "./ui.js";

const FAMILIES = {imap: "imap", imaps: "imap", pop3: "pop3", pop3s: "pop3", smtp: "smtp",
	submission: "smtp", submissions: "smtp", https: "https"};

export function serviceWords(services) {
	const families = new Set([services].flat().filter(Boolean).map((name) => FAMILIES[name] ?? name));
	return list([...families].map((name) => hasText(`service.${name}`) ? t(`service.${name}`) : name));
}

// For a column.
export function serviceShort(service) {
	const key = `service.${FAMILIES[service]}.short`;
	return hasText(key) ? t(key) : service ?? "–";
}

const BROWSERS = [["Edge", /\bEdgA?\//], ["Opera", /\bOPR\//], ["Firefox", /\b(Firefox|FxiOS)\//],
	["Chrome", /(Chrome|CriOS|Chromium)\//], ["Safari", /\bSafari\//]];
const SYSTEMS = [["Android", /Android/], ["iPhone", /iPhone/], ["iPad", /iPad/], ["Windows", /Windows/],
	["Mac", /Mac OS X/], ["Chromebook", /\bCrOS\b/], ["Linux", /Linux/]];

// What a program says of itself, in a few words: browsers say far more than anybody wants to read.
export function clientWords(text) {
	if (!text?.startsWith("Mozilla/"))
		return text || "";
	const find = (table) => table.find(([, pattern]) => pattern.test(text))?.[0];
	const browser = find(BROWSERS) ?? t("client.browser");
	const system = find(SYSTEMS);
	return system ? t("client.on", {browser, system}) : browser;
}

export function deviceName(row) {
	if (row.is_others)
		return t("device.others");
	return row.device_name || (row.client === "unknown" ? "" : clientWords(row.client_name)) || t("device.unnamed");
}

function isWebsite(row) {
	return [row.services ?? row.service].flat().every((name) => name === "https");
}

export function isWorking(row) {
	return row.last_outcome === "ok";
}

// Refused, and nothing right ever came from there: a guesser, as far as one can tell.
export function isStranger(row) {
	return !isWorking(row) && row.is_stranger;
}

export function isRefused(row) {
	return !isWorking(row) && !row.is_stranger;
}

// A mistyped password at this website is no device that needs help.
export function needsHelp(row) {
	return isRefused(row) && !isWebsite(row);
}

// Devices have the code of a text in "why"; events and causes of bans have theirs in "reason".
function reasonCode(row) {
	if (row.old_password_at)
		return "old_password";
	return [row.why, row.reason].find((code) => hasText(`reason.${code}`)) ?? "none";
}

export function reasonWords(row) {
	const code = reasonCode(row);
	if (code === "old_password" && !row.old_password_at)
		return t("reason.old_password.some");
	return t(`reason.${code}`, {date: row.old_password_at && date(row.old_password_at)});
}

function rhythm(row) {
	if (row.every_minutes)
		return tx("device.rhythm", {span: minutes(row.every_minutes), since: since(row.first_at)});
	return tx("device.last", {when: moment(row.last_at)});
}

export function deviceSentence(row) {
	const place = row.source
		? tx("device.place", {services: serviceWords(row.services), source: h("span.source", {}, row.source)})
		: tx("device.places", {services: serviceWords(row.services)});
	if (isWorking(row))
		return [place, " ", tx("device.works", {count: row.successes, when: moment(row.last_at)})];
	return [place, " ", rhythm(row), " ", h("strong", {}, `${reasonWords(row)}.`)];
}

const WANT_DEVICE_PASSWORD = new Set(["twofactor", "wrong_device", "device_scope"]);
const WANT_PASSWORD = new Set(["old_password", "wrong_password"]);

// What mends it: text, and the one button for the owner.
export function deviceRemedy(row, hasTwofactor) {
	const code = reasonCode(row);
	if (isWebsite(row))
		return [t("remedy.website"), null];
	if (code === "device_scope")
		return [t("remedy.device_scope"), makePasswordLink(row)];
	if (WANT_DEVICE_PASSWORD.has(code) || (hasTwofactor && WANT_PASSWORD.has(code)))
		return [t("remedy.device_password"), makePasswordLink(row)];
	if (WANT_PASSWORD.has(code))
		return [t("remedy.new_password"), link(t("remedy.settings"), "#/devices?settings", "button")];
	if (code === "code")
		return [t("remedy.code"), null];
	return [t(hasText(`remedy.${code}`) ? `remedy.${code}` : "remedy.other"), null];
}

// then: the page to come back to.
export function makePasswordLink(row, then = "") {
	const query = new URLSearchParams({name: deviceName(row), ...then && {then}});
	return link(t("remedy.make_password"), `#/devices?${query}`, "button", "key");
}

export function deviceCard(row, remedy) {
	const kind = isWorking(row) ? "ok" : isStranger(row) ? "off" : "bad";
	const state = {ok: "device.state.ok", off: "device.state.stranger", bad: "device.state.refused"}[kind];
	return h("li.device", {},
		h("div.device-head", {}, icon(row.services?.includes("https") ? "user" : "device"),
			h("h3", {}, deviceName(row)), badge(kind, t(state))),
		h("p", {}, deviceSentence(row)),
		row.secret === "device" && h("p.hint", {}, t("device.own_password")),
		remedy);
}

// What activity knows of the devices behind a ban: the password they still have.
export function explainBans(bans, rows) {
	const known = (device) => rows.find((row) => row.old_password_at && row.source === device.source
		&& row.services.includes(device.service));
	return bans.map((ban) => ({...ban, devices: (ban.devices ?? []).map((device) =>
		({...device, old_password_at: known(device)?.old_password_at}))}));
}

export function banText(ban) {
	return tx("ban.text", {source: h("span.source", {}, ban.source), span: minutes(ban.minutes_left)});
}

// When, where, for what and by which program a device password was used last.
export function lastUse(row) {
	if (!row.used_at)
		return t("devices.unused");
	const values = {when: moment(row.used_at), source: h("span.source", {}, row.used_from ?? "?")};
	if (!row.used_service)
		return tx("devices.used_from", values);
	return tx("devices.used", {...values, service: serviceWords(row.used_service),
		client: clientWords(row.used_client) || t("device.unnamed")});
}

// Gatepost's own reasons in the reader's language; staff's as they wrote them. text: the reason in words.
export function banReason(ban, text) {
	const key = `ban.reason.${ban.reason_code}`;
	return hasText(key) ? t(key) : text || t("ban.reason.failures");
}

export function banCauses(ban) {
	const devices = ban.devices ?? [];
	if (devices.length === 0)
		return h("p", {}, t("ban.no_cause"));
	return h("div", {}, h("p", {}, t("ban.cause", {count: devices.length})), h("ul", {},
		devices.map((device) => h("li", {}, tx("ban.device", {
			name: h("strong", {}, deviceName(device)), service: serviceWords(device.service),
			why: reasonWords(device)})))));
}

// Which device it was is told before the ban is lifted: else it is there again in a minute.
export function liftButton(ban, done) {
	return button(t("ban.lift"), async () => {
		const body = [h("p", {}, banText(ban)), banCauses(ban), h("p", {}, t("ban.lift.first"))];
		if (await confirm(t("ban.lift.title"), body, t("ban.lift.yes"), "primary"))
			await done(() => remove(at`/self/bans/${ban.source}`));
	}, "primary");
}

export function sendingWords(self) {
	if (self.stopped === "ask")
		return t("overview.send.asked");
	return self.may_send ? t("overview.send.ok") : t("overview.send.blocked");
}

// While sending is stopped, what opens the account is changed only on the way that opens sending.
export function stoppedNote(self) {
	return note("warn", h("p", {}, t("sending.first")),
		h("div.actions", {}, link(t("overview.stopped.open"), "#/sending", "button.primary")));
}

export function tile(kind, symbol, title, text) {
	return h(`li.tile.${kind}`, {}, icon(symbol), h("div", {}, h("h3", {}, title),
		h("p", {}, badge(kind, text))));
}

// The four answers of the first glance.
export function tiles(self, rows, bans) {
	const here = bans.find((ban) => ban.is_here);
	const refused = rows.filter(needsHelp);
	return h("ul.tiles", {},
		tile(self.may_send && !self.stopped ? "ok" : "bad", "send", t("overview.send"), sendingWords(self)),
		tile(here ? "bad" : "ok", "receive", t("overview.receive"),
			here ? t("overview.receive.banned", {span: minutes(here.minutes_left)}) : t("overview.receive.ok")),
		tile(self.twofactor_at ? "ok" : "warn", "shield", t("overview.twofactor"),
			self.twofactor_at ? t("overview.twofactor.on") : t("overview.twofactor.off")),
		tile(refused.length ? "bad" : "ok", "device", t("overview.devices"),
			refused.length ? t("overview.devices.refused", {count: refused.length}) : t("overview.devices.ok")));
}
