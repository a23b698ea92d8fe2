// SPDX-License-Identifier: ISC
// "Watch it connect": what the server sees of a program that is being set up, while it tries.

import {get} from "./api.js";
import {clientWords, serviceWords} from "./describe.js";
import {h, speak} from "./dom.js";
import {date, full, hasText, minutes, t, time} from "./text.js";
import {badge, button, card, empty, link, note, problemText} from "./ui.js";

const PAUSE = 1000;         // milliseconds between an answer and the next question
const PAUSE_TROUBLE = 4000; // after one that failed
const PATIENCE = 10 * 60000; // then one has to say that one is still there
const MOST = 12;            // lines shown
const BAN_EACH = 5;         // of so many questions one asks whether the network is blocked, too

const FAMILY = {imap: "imap", imaps: "imap", pop3: "pop3", pop3s: "pop3", smtp: "smtp", submission: "smtp",
	submissions: "smtp"};
const LEFT = new Set(["left", "left_plain"]);
const OURS = new Set(["waited", "queue_full", "vault", "store", "core", "backend", "backend_refused"]);

const ask = async (query) => (await get(`/self/watch${query}`)).items;

// Connections of one program that say the same are one line.
function gather(rows) {
	const lines = new Map();
	for (const row of [...rows].sort((a, b) => b.id - a.id)) {
		// Programs try one wrong password by several mechanisms; which, matters where it is not offered.
		const key = JSON.stringify([row.what, row.service, row.login, row.device, row.source,
			row.what === "mechanism" ? row.mechanism : null, row.old_password_at]);
		const line = lines.get(key);
		if (line)
			line.count += 1;
		else
			lines.set(key, {...row, count: 1});
	}
	return [...lines.values()];
}

// What is told of it, by a code of the texts.
function codeOf(row) {
	if (row.old_password_at)
		return "old_password";
	if (row.what === "unknown_account")
		return "other_name";
	return OURS.has(row.what) ? "temporary" : row.what;
}

function remedy(row, own) {
	const code = codeOf(row);
	const key = `watch.do.${code}`;
	return t(hasText(key) ? key : "watch.do.other", {login: row.login, own, mechanism: row.mechanism,
		date: row.old_password_at && date(row.old_password_at)});
}

function headline(row) {
	const code = codeOf(row);
	const key = `watch.${code}`;
	if (hasText(key))
		return t(key);
	return t(hasText(`reason.${code}`) ? `reason.${code}` : "reason.other",
		{date: row.old_password_at && date(row.old_password_at)});
}

// What was right on the way, one after the other.
function passed(row) {
	return [
		t("watch.connected", {service: serviceWords(row.service)}),
		row.tls ? t("watch.tls", {version: row.tls.replace("TLSv", "TLS ")}) : row.login && t("watch.plain"),
		row.what === "ok" && t(`watch.name.${row.name_form}`, {login: row.login}),
		row.what === "ok" && (row.device ? t("watch.device", {name: row.device}) : t("watch.main")),
	].filter(Boolean);
}

function lineNode(row, own) {
	const isOk = row.what === "ok";
	const kind = isOk ? "ok" : LEFT.has(row.what) ? "warn" : "bad";
	return h("li.sight", {},
		h("p.sight-head", {}, badge(kind, headline(row)),
			row.count > 1 && h("span.hint", {}, t("watch.times", {count: row.count}))),
		h("p", {}, passed(row).join(" · ")),
		!isOk && h("p", {}, h("strong", {}, remedy(row, own))),
		h("p.hint", {}, h("time", {datetime: row.at, title: full(row.at)}, time(row.at)), " · ", h("span.source", {}, row.source),
			row.is_here ? "" : ` ${t("watch.elsewhere")}`,
			row.client_name ? ` · ${clientWords(row.client_name)}` : ""));
}

function scopesNode(scopes, rows) {
	const works = new Set(rows.filter((row) => row.what === "ok").map((row) => FAMILY[row.service]));
	// POP3 or IMAP: one of the two is enough.
	const told = scopes.filter((scope) => works.has(scope) || scope === "smtp"
		|| (scope === "imap" && !works.has("pop3")));
	return h("p.scopes", {}, told.map((scope) => badge(works.has(scope) ? "ok" : "off",
		t(works.has(scope) ? `watch.works.${scope}` : `watch.waits.${scope}`))));
}

// A blocked network is turned away before it says whose program it is, so nothing of that is among the lines.
function blockedNote(network) {
	return note("bad", h("p", {}, t("watch.blocked", {span: minutes(network.minutes_left)}), " ",
		link(t("page.blocked"), "#/blocked")));
}

// Other devices of the account go about their business meanwhile, and programs that try out what there is
// leave some connections behind: that is no news.
function choose(rows, device) {
	const wanted = rows.filter((row) => row.what !== "ok" || device === null || row.device === device);
	const isIn = (family) => wanted.some((row) => row.what === "ok" && FAMILY[row.service] === family);
	return wanted.filter((row) => !LEFT.has(row.what) || !isIn(FAMILY[row.service]));
}

/*
 * node: the card. watched.device: the name of the password that was made for the program, null while there is none.
 * ctx: as a page gets it; own: the person's user name; scopes: what the program is to do.
 */
export function watchView(ctx, title, own, scopes) {
	const top = h("div.stack");
	const list = h("ol.sights");
	const foot = h("div");
	const watched = {node: card(title, h("p", {}, t("watch.text")), top, list, foot), device: null};
	let after = null;
	let shown = "";
	let newest = 0;
	let until = 0;
	let questions = 0;
	let seen = 0;
	let network = null; // which the browser is in

	function draw(rows) {
		const lines = gather(choose(rows, watched.device)).slice(0, MOST);
		const blocked = network.is_banned ? blockedNote(network) : null;
		const now = JSON.stringify([watched.device, lines, blocked?.textContent]);
		if (now === shown)
			return;
		if (blocked && !top.querySelector(".note"))
			speak(blocked.textContent);
		shown = now;
		if (lines.length && lines[0].id !== newest) {
			newest = lines[0].id;
			speak(`${headline(lines[0])}. ${lines[0].what === "ok" ? "" : remedy(lines[0], own)}`);
		}
		top.replaceChildren(...blocked ? [blocked] : [], scopesNode(scopes, lines));
		list.replaceChildren(...lines.map((row) => lineNode(row, own)));
		list.hidden = lines.length === 0;
		foot.replaceChildren(...lines.length || blocked ? [] : [empty(t("watch.nothing"))]);
	}

	async function look() {
		if (document.visibilityState === "hidden")
			return;
		if (after === null)
			after = (await ask(""))[0].id;
		const rows = (await ask(`?after=${after}`)).filter(({kind}) => kind === "sight");
		if (questions++ % BAN_EACH === 0 || rows.length !== seen)
			network = await get("/source");
		seen = rows.length;
		draw(rows);
	}

	async function go() {
		let pause = PAUSE;
		if (!ctx.isCurrent())
			return;
		if (Date.now() > until) {
			foot.replaceChildren(h("div.actions", {}, button(t("watch.more"), start, "secondary")));
			return;
		}
		try {
			await look();
		} catch (error) {
			if (error.status === 401)
				return;
			foot.replaceChildren(note("warn", problemText(error)));
			shown = "";
			pause = PAUSE_TROUBLE;
		}
		setTimeout(go, pause);
	}

	function start() {
		until = Date.now() + PATIENCE;
		shown = "";
		return go();
	}

	start();
	return watched;
}
