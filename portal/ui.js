// SPDX-License-Identifier: ISC
// The pieces that pages are made of.

import {focus, h, newId, speak} from "./dom.js";
import {icon} from "./icons.js";
import {full, t, when} from "./text.js";

const STATUS_ICONS = {ok: "ok", warn: "warn", bad: "bad", info: "info", off: "info"};

// A word with a symbol and a colour, in this order of importance.
export function badge(kind, text) {
	return h(`span.badge.${kind}`, {}, icon(STATUS_ICONS[kind]), h("span", {}, text));
}

export function note(kind, ...children) {
	return h(`div.note.${kind}`, {}, icon(STATUS_ICONS[kind]), h("div", {}, children));
}

export function card(title, ...children) {
	const id = newId("card");
	return h("section.card", {"aria-labelledby": id}, h("h2", {id}, title), children);
}

export function button(text, onclick, kind = "", symbol = null) {
	const node = h(`button${kind && `.${kind}`}`, {type: "button"}, symbol && icon(symbol),
		h("span", {}, text));
	node.addEventListener("click", () => once(node, () => onclick(node)));
	return node;
}

// A second press while the first is at work does nothing.
export async function once(node, work) {
	if (node.getAttribute("aria-disabled") === "true")
		return;
	node.setAttribute("aria-disabled", "true");
	try {
		await work();
	} finally {
		node.removeAttribute("aria-disabled");
	}
}

export function link(text, href, kind = "", symbol = null) {
	return h(`a${kind && `.${kind}`}`, {href}, symbol && icon(symbol), h("span", {}, text));
}

// A moment in words; the exact one for who points at it.
export function moment(value) {
	return h("time", {datetime: value, title: full(value)}, when(value));
}

// what: what is copied, for those who hear "copied".
export function copyButton(text, what) {
	const words = h("span", {}, t("copy"));
	const node = h("button.quiet.copy", {type: "button", "aria-label": t("copy.what", {what})},
		icon("copy"), words);
	node.addEventListener("click", async () => {
		let key = "copy.done";
		try {
			await navigator.clipboard.writeText(text);
		} catch {
			key = "copy.failed";
		}
		words.textContent = t(key);
		speak(t(key));
		setTimeout(() => { words.textContent = t("copy"); }, 4000);
	});
	return node;
}

// Facts as label and value; each row is [label, value, text to copy or nothing].
export function facts(rows) {
	return h("dl.facts", {}, rows.filter(Boolean).map(([label, value, copied]) => h("div", {},
		h("dt", {}, label),
		h("dd", {}, h("span", {}, value), copied && copyButton(copied, label)))));
}

export function problemText(problem) {
	const key = `problem.${problem.code ?? "other"}`;
	const words = t(key);
	if (words === key || problem.code === "other")
		return problem.detail || t("problem.other");
	return words;
}

// An open dialog. fill(close) gives what stands in it; close(value) shuts it; resolves to the value.
export function openDialog(title, fill) {
	return new Promise((resolve) => {
		const id = newId("dialog");
		const opener = document.activeElement;
		let result;
		const close = (value) => {
			result = value;
			node.close();
		};
		const node = h("dialog", {"aria-labelledby": id}, h("h2", {id, tabindex: "-1"}, title));
		node.append(...[fill(close)].flat().filter(Boolean));
		node.addEventListener("close", () => {
			node.remove();
			if (opener?.isConnected)
				opener.focus();
			resolve(result);
		});
		document.body.append(node);
		node.showModal();
		focus(node.querySelector("h2"));
	});
}

export function closeDialogs() {
	for (const node of document.querySelectorAll("dialog[open]"))
		node.close();
}

// Asks before something that cannot be taken back. true, or undefined.
export function confirm(title, body, yes, kind = "danger") {
	return openDialog(title, (close) => [
		h("div.stack", {}, body),
		h("div.actions", {},
			h(`button.${kind}`, {type: "button", onclick: () => close(true)}, yes),
			h("button.quiet", {type: "button", onclick: () => close()}, t("cancel"))),
	]);
}

export function empty(text) {
	return h("p.empty", {}, text);
}

// A list that is a table where there is room and cards where there is none.
// columns: [title, (row) => cell]; the first names the row.
export function table(caption, columns, rows) {
	const head = columns.map(([title]) => h("th", {scope: "col"}, title));
	const body = rows.map((row) => h("tr", {role: "row"}, columns.map(([title, cell], index) => index === 0
		? h("th", {scope: "row", role: "rowheader"}, cell(row))
		: h("td", {role: "cell", "data-title": title}, cell(row)))));
	return h("table", {role: "table"}, h("caption.unseen", {}, caption),
		h("thead", {role: "rowgroup"}, h("tr", {role: "row"}, head)),
		h("tbody", {role: "rowgroup"}, body));
}
