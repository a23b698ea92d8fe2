// SPDX-License-Identifier: ISC
// For staff: accounts that are stopped from sending, and what to do about each.

import {at, get, items, post} from "../api.js";
import {h} from "../dom.js";
import {t, when} from "../text.js";
import {badge, button, card, confirm, empty, facts, moment, note, problemText, table} from "../ui.js";
import {MESSAGES, messagesCard, reasonsList, sentCard} from "../sent.js";
import {accountLink, sourceLink, staffLinks} from "./staff.js";

const PAGE = 50;

function stateBadge(row) {
	if (row.closed_at)
		return badge("ok", t(`stopped.outcome.${row.outcome}`));
	if (row.outcome === "kept")
		return badge("off", t("stopped.outcome.kept"));
	if (row.needs_staff)
		return badge("bad", t("stopped.needs_staff"));
	return row.kind === "block" ? badge("warn", t("stopped.block")) : badge("warn", t("stopped.ask"));
}

async function listPage(ctx) {
	const before = ctx.query.get("before");
	const rows = await items(`/sending/cases?limit=${PAGE}${before ? `&before=${encodeURIComponent(before)}` : ""}`);
	return {
		title: t("staff.sending"),
		body: [staffLinks(ctx.session, "sending"), h("p.lead", {}, t("stopped.lead")), h("div.card", {}, rows.length
			? table(t("staff.sending"), [
				[t("staff.audit.account"), (row) => h("a", {href: `#/staff/sending/${encodeURIComponent(row.address)}`},
					row.address)],
				[t("staff.ban.since"), (row) => moment(row.opened_at)],
				[t("stopped.state"), stateBadge],
				[t("stopped.sent"), (row) => t("sent.recipients.of", {count: row.recipients})],
				[t("staff.ban.reason"), reasonsList],
			], rows) : empty(t("stopped.none")),
		rows.length === PAGE && h("div.actions", {}, h("a.button.secondary",
			{href: `#/staff/sending?before=${rows.at(-1).id}`}, t("events.more"))))],
	};
}

function action(ctx, address, key, path, body, kind) {
	return button(t(`stopped.${key}`), async () => {
		if (!await confirm(t(`stopped.${key}.title`, {address}), h("p", {}, t(`stopped.${key}.text`)), t(`stopped.${key}`),
			kind === "danger-quiet" ? "danger" : "primary"))
			return;
		try {
			await post(`${at`/accounts/${address}/sending`}/${path}`, body);
			await ctx.reload(t(`stopped.${key}.done`));
		} catch (error) {
			ctx.say(problemText(error), "bad");
		}
	}, kind);
}

function decide(ctx, found) {
	const {address} = found;
	return card(t("stopped.decide"), h("p", {}, t("stopped.decide.text")), h("div.actions", {},
		action(ctx, address, "release", "release", {}, "primary"),
		action(ctx, address, "learn", "release", {learn: true}, "secondary"),
		found.outcome !== "kept" && action(ctx, address, "keep", "keep", {}, "danger-quiet")));
}

function factsCard(found) {
	return card(t("stopped.facts"), facts([
		[t("stopped.state"), stateBadge(found)],
		[t("staff.ban.since"), when(found.opened_at)],
		[t("stopped.by"), found.opened_by || t("stopped.by.policy")],
		[t("staff.ban.reason"), reasonsList(found)],
		found.is_repeat && [t("stopped.repeat"), t("stopped.repeat.text")],
		found.answer && [t("stopped.answer"), t(`stopped.answer.${found.answer}`, {when: when(found.answered_at)})],
		found.proof && [t("stopped.proof"), t(`sending.prove.${found.proof}`)],
		found.closed_at && [t("stopped.closed"), `${when(found.closed_at)}, ${found.closed_by}`],
	]));
}

async function casePage(ctx) {
	const address = ctx.args[1];
	const base = at`/accounts/${address}/sending`;
	const [found, messages] = await Promise.all([get(`${base}/case`), items(`${base}/messages?limit=${MESSAGES}`)]);
	return {
		title: found.address,
		body: [
			staffLinks(ctx.session, "sending"),
			found.needs_staff && note("warn", t("stopped.needs_staff.text")),
			factsCard(found),
			!found.closed_at && decide(ctx, found),
			sentCard(found, t("sent.title.account"), (source) => sourceLink(ctx.session, source)),
			messagesCard(messages, (before) => items(`${base}/messages?limit=${MESSAGES}&before=${before}`)),
			h("p", {}, accountLink(found.address)),
		],
	};
}

export function page(ctx) {
	return ctx.args[1] ? casePage(ctx) : listPage(ctx);
}
