// SPDX-License-Identifier: ISC
// What the server's rows mean, in words: devices, failures, bans. Used by the owner's pages and by
// staff's, so that both read the same.

import {at, remove} from "./api.js";
import {h} from "./dom.js";
import {icon} from "./icons.js";
import {date, hasText, list, minutes, since, t, tx} from "./text.js";
import {badge, button, confirm, link, moment} from "./ui.js";

const FAMILIES = {imap: "imap", imaps: "imap", pop3: "pop3", pop3s: "pop3", smtp: "smtp",
	submission: "smtp", submissions: "smtp", https: "https"};

// Reasons that show the right password was known, or that have nothing to do with it.
const HARMLESS = new Set(["twofactor", "device_scope", "wrong_device", "backend", "backend_refused",
	"no_tls", "mechanism", "queue_full", "vault", "store", "core", "code", "waited"]);

export function serviceWords(services) {
	const families = new Set([services].flat().filter(Boolean).map((name) => FAMILIES[name] ?? name));
	return list([...families].map((name) => hasText(`service.${name}`) ? t(`service.${name}`) : name));
}

export function deviceName(row) {
	return row.device_name || row.client_name || t("device.unnamed");
}

export function isWorking(row) {
	return row.last_outcome === "ok";
}

// A stranger who guesses, as far as one can tell: nothing about this device was ever right.
export function isStranger(row) {
	return !isWorking(row) && row.successes === 0 && !row.old_password_at && !HARMLESS.has(row.reason);
}

export function reasonWords(row) {
	if (row.old_password_at)
		return t("reason.old_password", {date: date(row.old_password_at)});
	const key = `reason.${row.reason}`;
	return hasText(key) ? t(key) : row.why ?? t("reason.none");
}

function rhythm(row) {
	if (row.every_minutes)
		return tx("device.rhythm", {span: minutes(row.every_minutes), since: since(row.first_at)});
	return tx("device.last", {when: moment(row.last_at)});
}

export function deviceSentence(row) {
	const place = tx("device.place", {services: serviceWords(row.services), source: h("span.source", {}, row.source)});
	if (isWorking(row))
		return [place, " ", tx("device.works", {count: row.successes, when: moment(row.last_at)})];
	return [place, " ", rhythm(row), " ", h("strong", {}, `${reasonWords(row)}.`)];
}

// What mends it: text, and the one button for the owner.
export function deviceRemedy(row, hasTwofactor) {
	const needsDevicePassword = row.reason === "twofactor" || row.reason === "wrong_device"
		|| (hasTwofactor && row.secret !== "device" && HARMLESS.has(row.reason) === false);
	if (row.reason === "device_scope")
		return [t("remedy.device_scope"), makePasswordLink(row)];
	if (needsDevicePassword)
		return [t("remedy.device_password"), makePasswordLink(row)];
	if (row.old_password_at || row.reason === "wrong_password")
		return [t("remedy.new_password"), link(t("remedy.settings"), "#/devices?settings", "button")];
	const key = `remedy.${row.reason}`;
	return [hasText(key) ? t(key) : t("remedy.other"), null];
}

export function makePasswordLink(row, kind = "button") {
	const name = encodeURIComponent(deviceName(row));
	return link(t("remedy.make_password"), `#/devices?name=${name}`, kind, "key");
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

export function banText(ban) {
	return tx("ban.text", {source: h("span.source", {}, ban.source), span: minutes(ban.minutes_left)});
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
	return self.may_send ? t("overview.send.ok") : t("overview.send.blocked");
}

export function tile(kind, symbol, title, text) {
	return h(`li.tile.${kind}`, {}, icon(symbol), h("div", {}, h("h3", {}, title),
		h("p", {}, badge(kind, text))));
}

// The four answers of the first glance.
export function tiles(self, rows, bans) {
	const here = bans.find((ban) => ban.is_here);
	const refused = rows.filter((row) => !isWorking(row) && !isStranger(row));
	return h("ul.tiles", {},
		tile(self.may_send ? "ok" : "bad", "send", t("overview.send"), sendingWords(self)),
		tile(here ? "bad" : "ok", "receive", t("overview.receive"),
			here ? t("overview.receive.banned", {span: minutes(here.minutes_left)}) : t("overview.receive.ok")),
		tile(self.twofactor_at ? "ok" : "warn", "shield", t("overview.twofactor"),
			self.twofactor_at ? t("overview.twofactor.on") : t("overview.twofactor.off")),
		tile(refused.length ? "bad" : "ok", "device", t("overview.devices"),
			refused.length ? t("overview.devices.refused", {count: refused.length}) : t("overview.devices.ok")));
}
