// SPDX-License-Identifier: ISC
// One account as its owner sees it, and why; and what staff may do about it. No secret is shown or chosen here.

import {at, get, items, post, remove} from "../api.js";
import {chart} from "../chart.js";
import {lastUse, tiles} from "../describe.js";
import {h} from "../dom.js";
import {field, form} from "../form.js";
import {list, since, t, tx, when} from "../text.js";
import {badge, button, card, confirm, empty, facts, moment, note, openDialog, problemText} from "../ui.js";
import {deviceGroups, eventsCard} from "./activity.js";
import {auditTable} from "./staff_lists.js";
import {isOverAll, sourceLink, staffLinks} from "./staff.js";

const DAYS = 30;
const CHART_DAYS = 7;
const PAGE = 15;

// Does work(), says that it is done, and shows the page anew.
async function act(ctx, work, said) {
	try {
		await work();
		await ctx.reload(said);
	} catch (error) {
		ctx.say(error.key ? t(error.key) : problemText(error), "bad");
	}
}

async function sendResetLink(address) {
	try {
		await post(at`/accounts/${address}/reset-link`);
	} catch (error) {
		if (error.status === 404)
			error.key = "staff.reset_link.none";
		throw error;
	}
}

// That there are none is as good as that they are ended.
async function endSessions(address) {
	try {
		await post("/mail-sessions/end", {account: address});
	} catch (error) {
		if (error.status !== 404)
			throw error;
	}
}

function asked(ctx, label, address, key, work, kind = "danger-quiet") {
	return button(label, async () => {
		if (await confirm(t(`staff.${key}.title`, {address}), h("p", {}, t(`staff.${key}.text`)), label,
			kind === "danger-quiet" ? "danger" : "primary"))
			await act(ctx, work, t(`staff.${key}.done`));
	}, kind);
}

async function block(ctx, address) {
	const reason = await openDialog(t("staff.block.title", {address}), (close) => [
		h("p", {}, t("staff.block.text")),
		form({
			label: t("staff.block"), submit: t("staff.block"), kind: "danger",
			fields: [field({name: "reason", label: t("staff.block.reason"), hint: t("staff.block.reason.hint"),
				maxlength: "200", autocomplete: "off"})],
			more: [h("button.quiet", {type: "button", onclick: () => close()}, t("cancel"))],
			send: async (values) => close(values.reason.trim()),
		}),
	]);
	if (reason)
		await act(ctx, () => post(at`/accounts/${address}/block`, {reason}), t("staff.block.done"));
}

function sendingRow(ctx, account) {
	const {address} = account;
	return [t("overview.send"), account.blocked_at
		? [badge("bad", t("overview.send.blocked")), " ", t("staff.since", {since: since(account.blocked_at)}), " ",
			account.block_reason, " ", h("a", {href: `#/staff/sending/${encodeURIComponent(address)}`}, t("stopped.look"))]
		: badge("ok", t("overview.send.ok")), account.blocked_at
		? asked(ctx, t("staff.unblock"), address, "unblock", () => post(at`/accounts/${address}/unblock`), "secondary")
		: button(t("staff.block"), () => block(ctx, address), "danger-quiet")];
}

function twofactorRow(ctx, account) {
	const {address} = account;
	const due = account.removal_due_at;
	const state = account.twofactor_at
		? [badge("ok", t("twofactor.on")), " ", t("staff.since", {since: since(account.twofactor_at)}),
			due && h("p", {}, t("staff.removal.due", {when: when(due)})),
			account.is_stopped && h("p", {}, t("staff.code_stopped"))]
		: badge("warn", t("overview.twofactor.off"));
	const action = !account.twofactor_at ? null : due
		? asked(ctx, t("staff.removal.stop"), address, "keep", () => post(at`/accounts/${address}/twofactor/keep`),
			"secondary")
		: asked(ctx, t("staff.removal"), address, "removal", () => post(at`/accounts/${address}/twofactor/remove`));
	return [t("overview.twofactor"), state, action];
}

function actionRows(ctx, account) {
	const {address} = account;
	return [
		sendingRow(ctx, account),
		twofactorRow(ctx, account),
		[t("password"), account.password_at ? tx("password.since", {when: moment(account.password_at)}) : "–",
			asked(ctx, t("staff.reset_link"), address, "reset_link",
				() => sendResetLink(address), "secondary")],
		// A domain-admin has no say in sessions.
		...isOverAll(ctx.session) ? [[t("staff.sessions"), t("staff.sessions.text"), asked(ctx, t("staff.end_sessions"),
			address, "end_sessions", () => endSessions(address))]] : [],
	];
}

function actionsCard(ctx, account) {
	return card(t("staff.state"), h("ul.plain.rows", {}, actionRows(ctx, account).map(([label, state, action]) =>
		h("li", {}, h("h3", {}, label), h("div.state", {}, state), action))));
}

function bansCard(ctx, bans) {
	return bans.length > 0 && card(t("staff.bans_here"), h("ul.plain.rows", {}, bans.map((ban) => h("li", {},
		h("h3", {}, sourceLink(ctx.session, ban.source)), h("div.state", {}, t("staff.ban.until", {when: when(ban.until)})),
		asked(ctx, t("ban.lift"), ban.source, "lift", () => remove(at`/bans/${ban.source}`), "secondary")))));
}

function devicesCard(ctx, address, rows) {
	return card(t("devices.list", {count: rows.length}), rows.length ? h("ul.plain.rows", {}, rows.map((row) =>
		h("li", {}, h("h3", {}, row.name), h("div.state", {}, list(row.scopes.map((scope) => t(`scope.${scope}`))),
			h("p.hint", {}, lastUse(row))),
		asked(ctx, t("devices.revoke"), address, "revoke",
			() => remove(at`/accounts/${address}/devices/${row.id}`))))) : empty(t("devices.none")));
}

async function load(ctx, address) {
	const base = at`/accounts/${address}`;
	const isAll = isOverAll(ctx.session);
	const [account, twofactor, rows, days, events, devices, bans, audit] = await Promise.all([
		get(base), get(`${base}/twofactor`), items(`${base}/activity?days=${DAYS}`),
		items(`${base}/chart?days=${CHART_DAYS}`), items(`${base}/events?limit=${PAGE}`), items(`${base}/devices`),
		isAll ? items("/bans") : [], isAll ? items(at`/audit?account=${address}&limit=${PAGE}`) : []]);
	const sources = new Set([...rows, ...events].map((row) => row.source));
	return {account: {...account, ...twofactor, may_send: !account.blocked_at}, rows, days, events, devices,
		bans: bans.filter((ban) => sources.has(ban.source)), audit, base};
}

export async function page(ctx) {
	const address = ctx.args[1] ?? "";
	const {account, rows, days, events, devices, bans, audit, base} = await load(ctx, address);
	const seen = new Date(Date.now() - CHART_DAYS * 86400000).toISOString();
	return {
		title: account.address,
		body: [
			staffLinks(ctx.session, null),
			account.is_off && note("warn", t("staff.off.text")),
			h("section", {"aria-label": t("staff.sees")}, h("h2", {}, t("staff.sees")),
				tiles(account, rows.filter((row) => row.last_at > seen), [])),
			actionsCard(ctx, account),
			bansCard(ctx, bans),
			deviceGroups(rows, null),
			devicesCard(ctx, account.address, devices),
			card(t("chart.title"), chart(days)),
			eventsCard(events, (before) => items(`${base}/events?limit=${PAGE}&before=${before}`)),
			audit.length > 0 && card(t("staff.audit"), auditTable(audit)),
			card(t("staff.facts"), facts([
				[t("staff.role"), t(`role.${account.role}`)],
				[t("staff.created"), moment(account.created_at)],
				[t("staff.aliases"), account.aliases?.length ? list(account.aliases) : "–"],
			])),
		],
	};
}
