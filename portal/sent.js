// SPDX-License-Identifier: ISC
// What was sent in an account's name: in numbers, by network, message by message. For its owner and for staff.

import {clientWords} from "./describe.js";
import {h, speak} from "./dom.js";
import {country, full, number, t, tx} from "./text.js";
import {badge, button, card, empty, note, problemText, table} from "./ui.js";

export const MESSAGES = 20;
const OUTCOMES = {accepted: "warn", refused: "off", limited: "off", slowed: "off", asked: "off", blocked: "off"};

function figure(key, value) {
	return h("div", {}, h("dt", {}, t(`sent.${key}`, {count: value})), h("dd", {}, number(value)));
}

// With its time however long ago: it is to be compared with what one did oneself.
function stamp(value) {
	return h("time.exact", {datetime: value}, full(value));
}

function placeBadge(row) {
	if (row.took_part)
		return badge("bad", t("sent.place.took_part"));
	return row.is_known ? badge("ok", t("sent.place.known")) : badge("warn", t("sent.place.new"));
}

// source: how an address is shown.
function networkItem(row, source) {
	const client = clientWords(row.client_name);
	return h("li.device", {},
		h("div.device-head", {}, h("h3.source", {}, source(row.source), row.country && ` (${country(row.country)})`),
			placeBadge(row)),
		h("p", {}, t("sent.network", {messages: t("sent.messages.of", {count: row.messages}),
			recipients: t("sent.recipients.of", {count: row.recipients})}),
		row.stopped > 0 && [" ", t("sent.stopped.of", {count: row.stopped})]),
		h("p.hint", {}, tx(row.first_at === row.last_at ? "sent.at" : "sent.between",
			{first: stamp(row.first_at), last: stamp(row.last_at)}), client && ` ${t("sent.client", {client})}`));
}

// Staff and a guest are no "you".
export function sentCard(shown, title = t("sent.title"), source = (text) => text) {
	return card(title,
		h("p", {}, tx("sent.since", {when: stamp(shown.began_at)})),
		h("dl.figures", {}, figure("messages", shown.messages), figure("recipients", shown.recipients),
			figure("strangers", shown.strangers), figure("stopped", shown.stopped)),
		shown.networks.length > 0 && [h("h3", {}, t("sent.networks")),
			h("ul.plain", {}, shown.networks.map((row) => networkItem(row, source)))]);
}

// What the rules for sending saw, with the points of each; of staff's own words there are no points.
export function reasonsList(shown) {
	if (shown.reasons.length === 0)
		return shown.reason || "–";
	const rows = [...shown.reasons].sort((a, b) => b.points - a.points);
	return h("ul.points", {}, rows.map((row) => h("li", {}, `${t(`points.${row.reason}`)}: ${number(row.points)}`)),
		h("li", {}, h("strong", {}, `${t("points.sum")}: ${number(shown.points)}`)));
}

const COLUMNS = [
	["sent.subject", (row) => row.subject || t("sent.no_subject")],
	["events.when", (row) => stamp(row.at)],
	["sent.to", (row) => t("sent.recipients.of", {count: row.recipients})],
	["events.source", (row) => h("span.source", {}, row.source)],
	["events.outcome", (row) => badge(OUTCOMES[row.outcome] ?? "off", t(`sent.outcome.${row.outcome}`))],
];

// Message by message. fetchRows(before) gives the next ones, the newest first.
export function messagesCard(rows, fetchRows) {
	const place = h("div");
	const all = [...rows];
	const draw = (isMore) => place.replaceChildren(
		table(t("sent.list"), COLUMNS.map(([title, cell]) => [t(title), cell]), all),
		...isMore ? [h("div.actions", {}, more)] : []);
	const more = button(t("events.more"), async () => {
		try {
			const next = await fetchRows(all.at(-1).id);
			all.push(...next);
			draw(next.length === MESSAGES);
			speak(t("events.added", {count: next.length}));
		} catch (error) {
			more.after(note("bad", problemText(error)));
		}
	}, "secondary");
	if (rows.length > 0)
		draw(rows.length === MESSAGES);
	else
		place.append(empty(t("sent.none")));
	return h("details.card.events", {}, h("summary", {}, h("h2", {}, t("sent.list"))), place);
}
