// SPDX-License-Identifier: ISC
// Sign-ins of the last days as bars: right ones and failed ones beside each other, numbers on top, and the same
// as a table for those who do not see it.

import {h, s} from "./dom.js";
import {longDay, number, shortDay, t} from "./text.js";
import {table} from "./ui.js";

const WIDTH = 560;
const HEIGHT = 170;
const TOP = 22;
const FOOT = 26;

function bar(kind, x, width, value, most) {
	const room = HEIGHT - TOP - FOOT;
	const height = value ? Math.max(3, room * value / most) : 0;
	const y = HEIGHT - FOOT - height;
	return value > 0 && s("g", {}, s("rect", {class: `bar ${kind}`, x, y, width, height, rx: 2}),
		s("text", {class: "bar-number", x: x + width / 2, y: y - 5, "text-anchor": "middle"}, number(value)));
}

function drawing(rows) {
	const most = Math.max(1, ...rows.flatMap((row) => [row.ok, row.failed]));
	const slot = WIDTH / rows.length;
	const width = Math.min(28, slot / 2 - 5);
	const svg = s("svg", {class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true"},
		s("line", {class: "axis", x1: 0, x2: WIDTH, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT}));
	rows.forEach((row, index) => {
		const middle = slot * (index + 0.5);
		svg.append(...[bar("ok", middle - width - 2, width, row.ok, most),
			bar("failed", middle + 2, width, row.failed, most),
			s("text", {class: "day", x: middle, y: HEIGHT - 8, "text-anchor": "middle"}, shortDay(row.day))]
			.filter(Boolean));
	});
	return svg;
}

export function chart(rows) {
	const legend = h("p.legend", {"aria-hidden": "true"}, h("span.key.ok", {}, t("chart.ok")),
		h("span.key.failed", {}, t("chart.failed")));
	const numbers = table(t("chart.title"), [
		[t("chart.day"), (row) => longDay(row.day)],
		[t("chart.ok"), (row) => number(row.ok)],
		[t("chart.failed"), (row) => number(row.failed)],
	], rows);
	return h("figure", {}, h("figcaption.unseen", {}, t("chart.title")), legend, drawing(rows),
		h("div.unseen", {}, numbers));
}
