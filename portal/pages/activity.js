// SPDX-License-Identifier: ISC
// Which device is it? What each program did, what refuses it and why, and every single attempt.

import {get, items} from "../api.js";
import {chart} from "../chart.js";
import {clientWords, deviceCard, deviceRemedy, isRefused, isStranger, isWorking, reasonWords, serviceShort} from "../describe.js";
import {h, speak} from "../dom.js";
import {t} from "../text.js";
import {badge, button, card, empty, moment, note, problemText, table} from "../ui.js";

const DAYS = 30;
const CHART_DAYS = 7;
const PAGE = 15;

const COLUMNS = [
	["events.when", (row) => moment(row.at)],
	["events.outcome", (row) => row.outcome === "ok"
		? badge("ok", t("events.ok")) : badge("bad", reasonWords(row))],
	["events.device", (row) => row.device_name || clientWords(row.client_name) || "–"],
	["events.service", (row) => serviceShort(row.service)],
	["events.source", (row) => h("span.source", {}, row.source)],
];

// Folded up: it is long, and the devices above say what it comes to.
export function eventsCard(rows, fetchRows) {
	return h("details.card.events", {}, h("summary", {}, h("h2", {}, t("events.title"))), eventsTable(rows, fetchRows));
}

// All attempts, some at a time. fetchRows(before) gives the next rows, newest first.
function eventsTable(rows, fetchRows) {
	const place = h("div");
	const all = [...rows];
	const draw = (isMore) => place.replaceChildren(
		table(t("events.title"), COLUMNS.map(([title, cell]) => [t(title), cell]), all),
		...isMore ? [h("div.actions", {}, more)] : []);
	const more = button(t("events.more"), async () => {
		try {
			const next = await fetchRows(all.at(-1).id);
			all.push(...next);
			draw(next.length === PAGE);
			speak(t("events.added", {count: next.length}));
		} catch (error) {
			more.after(note("bad", problemText(error)));
		}
	}, "secondary");
	if (rows.length === 0)
		return empty(t("events.none"));
	draw(rows.length === PAGE);
	return place;
}

function group(title, rows, kind, remedy) {
	return rows.length > 0 && card(title, kind && h("p", {}, kind),
		h("ul.plain", {}, rows.map((row) => deviceCard(row, remedy?.(row)))));
}

// The three kinds of devices; hasTwofactor null: staff looks, who has no button to press.
export function deviceGroups(rows, hasTwofactor) {
	const remedy = (row) => {
		const [text, action] = deviceRemedy(row, hasTwofactor);
		return h("div.remedy", {}, h("p", {}, text), action);
	};
	const refused = rows.filter(isRefused);
	return [
		group(t("activity.refused"), refused, null, hasTwofactor === null ? null : remedy),
		group(t("activity.working"), rows.filter(isWorking)),
		group(t("activity.strangers"), rows.filter(isStranger), t("activity.strangers.text")),
	];
}

export async function page() {
	const [self, rows, days, events] = await Promise.all([get("/self"), items(`/self/activity?days=${DAYS}`),
		items(`/self/chart?days=${CHART_DAYS}`), items(`/self/events?limit=${PAGE}`)]);
	return {
		title: t("page.activity"),
		body: [
			h("p.lead", {}, t("activity.lead")),
			card(t("chart.title"), chart(days)),
			rows.length === 0 && empty(t("activity.none")),
			deviceGroups(rows, Boolean(self.twofactor_at)),
			eventsCard(events, (before) => items(`/self/events?limit=${PAGE}&before=${before}`)),
		],
	};
}
