// SPDX-License-Identifier: ISC
// For staff: banned addresses, the audit log, and one address with what came from it.

import {at, items, remove} from "../api.js";
import {banReason} from "../describe.js";
import {h} from "../dom.js";
import {hasText, t, when} from "../text.js";
import {badge, button, card, confirm, empty, moment, note, problemText, table} from "../ui.js";
import {accountLink, eventLine, sourceLink, staffLinks} from "./staff.js";

const PAGE = 50;

function liftButton(ctx, source) {
	return button(t("ban.lift"), async () => {
		if (!await confirm(t("staff.lift.title", {address: source}), h("p", {}, t("staff.lift.text")), t("ban.lift"),
			"primary"))
			return;
		try {
			await remove(at`/bans/${source}`);
			await ctx.reload(t("staff.lift.done"));
		} catch (error) {
			ctx.say(problemText(error), "bad");
		}
	}, "secondary");
}

async function bansPage(ctx) {
	const rows = await items("/bans");
	return {
		title: t("staff.bans"),
		body: [staffLinks(ctx.session, "bans"), h("p.lead", {}, t("staff.bans.lead")), h("div.card", {}, rows.length
			? table(t("staff.bans"), [
				[t("events.source"), (row) => sourceLink(ctx.session, row.source)],
				[t("staff.ban.since"), (row) => moment(row.since)],
				[t("staff.ban.ends"), (row) => when(row.until)],
				[t("staff.ban.reason"), (row) => banReason(row, row.reason)],
				[t("staff.action"), (row) => liftButton(ctx, row.source)],
			], rows) : empty(t("staff.bans.none")))],
	};
}

function operationWords(row) {
	const key = `operation.${row.operation}`;
	return hasText(key) ? t(key) : row.operation;
}

export function auditTable(rows) {
	return table(t("staff.audit"), [
		[t("events.when"), (row) => moment(row.at)],
		[t("staff.audit.actor"), (row) => row.actor],
		[t("staff.audit.what"), (row) => operationWords(row)],
		[t("staff.audit.account"), (row) => row.account ? accountLink(row.account) : "–"],
	], rows);
}

async function auditPage(ctx) {
	const before = ctx.query.get("before");
	const rows = await items(`/audit?limit=${PAGE}${before ? `&before=${encodeURIComponent(before)}` : ""}`);
	return {
		title: t("staff.audit"),
		body: [staffLinks(ctx.session, "audit"), h("p.lead", {}, t("staff.audit.lead")),
			h("div.card", {}, rows.length ? auditTable(rows) : empty(t("staff.nothing")),
				rows.length === PAGE && h("div.actions", {},
					h("a.button.secondary", {href: `#/staff/audit?before=${rows.at(-1).id}`}, t("events.more"))))],
	};
}

async function sourcePage(ctx) {
	const source = ctx.args[1] ?? "";
	const [events, bans] = await Promise.all([items(at`/events?source=${source}&limit=${PAGE}`),
		items(at`/bans?source=${source}`)]);
	const ban = bans[0];
	return {
		title: source,
		body: [staffLinks(ctx.session, null),
			ban ? note("bad", h("p", {}, t("staff.ban.until", {when: when(ban.until)}), " ", banReason(ban, ban.reason)),
				h("div.actions", {}, liftButton(ctx, ban.source)))
				: h("p", {}, badge("ok", t("staff.not_banned"))),
			card(t("staff.from", {source}), events.length
				? h("ul.plain", {}, events.map((row) => h("li.device", {}, eventLine(ctx.session, row)))) : empty(t("events.none")))],
	};
}

export function page(ctx) {
	return {bans: bansPage, audit: auditPage, source: sourcePage}[ctx.args[0]](ctx);
}
