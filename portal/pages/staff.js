// SPDX-License-Identifier: ISC
// For staff: one search for everything, and the way to the lists.

import {at, items} from "../api.js";
import {banReason, clientWords, reasonWords, serviceWords} from "../describe.js";
import {focus, h, speak} from "../dom.js";
import {field, form} from "../form.js";
import {icon} from "../icons.js";
import {t, tx, when} from "../text.js";
import {badge, empty, link, moment, problemText} from "../ui.js";

const MOST = 25;
const INNER = {account: "account", sending: "sending", source: "lists", bans: "lists", audit: "lists"};

export function isOverAll(session) {
	return session.role === "staff" || session.role === "admin";
}

export function staffLinks(session, current) {
	const names = isOverAll(session) ? ["search", "sending", "bans", "audit"] : ["search", "sending"];
	return h("nav.tabs", {"aria-label": t("page.staff")}, h("ul", {}, names.map((name) =>
		h("li", {}, h("a", {href: name === "search" ? "#/staff" : `#/staff/${name}`,
			"aria-current": name === current ? "page" : null}, t(`staff.${name}`))))));
}

export function accountLink(address) {
	return link(address, `#/staff/account/${encodeURIComponent(address)}`);
}

// Who helps in some domains only has no page of an address.
export function sourceLink(session, source) {
	return isOverAll(session) ? link(source, `#/staff/source/${encodeURIComponent(source)}`, "source")
		: h("span.source", {}, source);
}

// A failed or good attempt in short.
export function eventLine(session, row) {
	return [
		h("p", {}, row.outcome === "ok" ? badge("ok", t("events.ok")) : badge("bad", reasonWords(row)), " ",
			moment(row.at)),
		h("p.hint", {}, tx("staff.event", {
			login: row.account ? accountLink(row.account) : h("strong", {}, row.login || "–"),
			service: serviceWords(row.service), source: sourceLink(session, row.source),
			client: clientWords(row.client_name) || t("device.unnamed")}),
		row.reference && ` ${t("staff.reference", {reference: row.reference})}`)];
}

function accountLine(session, row) {
	return h("div.device-head", {}, h("h3", {}, accountLink(row.address)),
		row.blocked_at ? badge("bad", t("overview.send.blocked"))
			: row.is_off ? badge("off", t("staff.off")) : badge("ok", t("overview.send.ok")));
}

function banLine(session, row) {
	return [h("div.device-head", {}, h("h3", {}, sourceLink(session, row.source)), badge("bad", t("staff.banned"))),
		h("p.hint", {}, t("staff.ban.until", {when: when(row.until)}), " ", banReason(row, row.reason), " ",
			t("staff.reference", {reference: row.reference}))];
}

// kind: [symbol, (session, row) => what is shown]
const LINES = {
	account: ["user", accountLine], ban: ["globe", banLine], source: ["list", eventLine],
	event: ["list", eventLine], reference: ["search", eventLine],
};

function resultItem(session, row) {
	const [symbol, line] = LINES[row.kind] ?? LINES.event;
	return h("li.result", {}, icon(symbol), h("div", {}, line(session, row)));
}

async function search(session, query, place) {
	try {
		const rows = await items(at`/search?query=${query}&limit=${MOST}`);
		const title = h("h2", {tabindex: "-1"}, t("staff.found", {count: rows.length}));
		place.replaceChildren(title, h("div.card", {}, rows.length
			? h("ul.plain", {}, rows.map((row) => resultItem(session, row))) : empty(t("staff.nothing"))));
		speak(t("staff.found", {count: rows.length}));
		focus(title);
	} catch (error) {
		if (error.status === undefined)
			throw error;
		place.replaceChildren(empty(problemText(error)));
	}
}

export async function page(ctx) {
	const [inner] = ctx.args;
	if (Object.hasOwn(INNER, inner ?? ""))
		return (await import(`./staff_${INNER[inner]}.js`)).page(ctx);
	const place = h("section", {"aria-label": t("staff.results")});
	const asked = ctx.query.get("query") ?? "";
	const node = form({
		label: t("staff.search"), submit: t("staff.search"),
		fields: [field({name: "query", type: "search", label: t("staff.query"), hint: t("staff.query.hint"),
			value: asked, autocomplete: "off", autocapitalize: "none", spellcheck: "false", "data-focus": true})],
		send: async ({query}) => {
			const words = query.trim();
			history.replaceState(null, "", `#/staff?query=${encodeURIComponent(words)}`);
			await search(ctx.session, words, place);
		},
	});
	if (asked)
		await search(ctx.session, asked, place);
	return {title: t("page.staff"), body: [staffLinks(ctx.session, "search"), h("div.card", {}, node), place]};
}
