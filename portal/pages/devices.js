// SPDX-License-Identifier: ISC
// Device passwords: one for each mail program, shown once, revoked alone.

import {at, get, items, post, remove} from "../api.js";
import {lastUse} from "../describe.js";
import {focus, h, speak} from "../dom.js";
import {field, form} from "../form.js";
import {settingsView} from "../settings.js";
import {list as words, t, tx} from "../text.js";
import {button, card, confirm, copyButton, empty, link, moment, note, problemText} from "../ui.js";

const SCOPES = ["imap", "pop3", "smtp"];
const FIRST = ["imap", "smtp"];
const MOST = 50;

function scopeWords(scopes) {
	return words(scopes.map((scope) => t(`scope.${scope}`)));
}

// The password leaves the page with the button, or with the page.
function shown(ctx, made, settings) {
	const node = h("section.card.fresh", {"aria-labelledby": "fresh"});
	node.append(
		h("h2", {id: "fresh", tabindex: "-1"}, t("devices.made", {name: made.name})),
		note("warn", t("devices.once")),
		h("p.secret", {}, h("code", {}, made.password), copyButton(made.password, t("devices.password"))),
		h("h3", {}, t("devices.enter", {name: made.name})),
		h("ol", {}, ["one", "two", "three"].map((step) => h("li", {}, t(`devices.step.${step}`)))),
		settingsView(settings, made.scopes),
		h("div.actions", {}, button(t("devices.entered"), async () => {
			node.replaceChildren();
			history.replaceState(null, "", ctx.query.get("then") === "twofactor" ? "#/twofactor" : "#/devices");
			await ctx.reload(t("devices.entered.done"));
		}, "primary")));
	return node;
}

function scopeBoxes() {
	const boxes = SCOPES.map((scope) => field({name: scope, type: "checkbox", label: t(`scope.${scope}`),
		hint: t(`scope.${scope}.hint`), checked: FIRST.includes(scope)}));
	boxes[0].test = () => boxes.some((box) => box.value) ? null : t("fault.scope");
	return boxes;
}

// list: what shows the device passwords that there are.
function createCard(ctx, settings, name, list) {
	const boxes = scopeBoxes();
	const group = h("fieldset", {}, h("legend", {}, t("devices.scopes")), boxes.map((box) => box.node));
	const fields = [field({name: "name", label: t("devices.name"), hint: t("devices.name.hint"), value: name,
		autocomplete: "off", maxlength: "60", "data-focus": name ? true : null}), ...boxes];
	const node = form({
		label: t("devices.new"), submit: t("devices.create"),
		fields: [fields[0], ...boxes.map((box) => ({...box, node: ""})), group],
		send: async (values) => {
			const scopes = SCOPES.filter((scope) => values[scope]);
			const made = await post("/self/devices", {name: values.name.trim(), scopes});
			const place = shown(ctx, {scopes, ...made}, settings);
			box.replaceWith(place);
			focus(place.querySelector("h2"));
			speak(t("devices.made", {name: made.name}));
			list.replaceChildren(listCard(ctx, await items("/self/devices")));
		},
	});
	const box = card(t("devices.new"), node);
	return box;
}

async function revoke(ctx, path, title, text) {
	if (!await confirm(title, h("p", {}, text), t("devices.revoke.yes")))
		return;
	try {
		await remove(path);
		await ctx.reload(t("devices.revoked"));
	} catch (error) {
		ctx.say(problemText(error), "bad");
	}
}

function deviceItem(ctx, row) {
	return h("li.device", {},
		h("div.device-head", {}, h("h3", {}, row.name), button(t("devices.revoke"), () => revoke(ctx,
			at`/self/devices/${row.id}`, t("devices.revoke.title", {name: row.name}),
			t("devices.revoke.text")), "danger-quiet")),
		h("p", {}, t("devices.may", {scopes: scopeWords(row.scopes)})),
		h("p.hint", {}, lastUse(row), " ", tx("devices.created", {when: moment(row.created_at)})));
}

function listCard(ctx, rows) {
	const all = rows.length > 1 && h("div.actions", {}, button(t("devices.revoke_all"), () => revoke(ctx,
		"/self/devices", t("devices.revoke_all.title"), t("devices.revoke_all.text", {count: rows.length})),
	"danger-quiet"));
	return card(t("devices.list", {count: rows.length}), rows.length
		? h("ul.plain", {}, rows.map((row) => deviceItem(ctx, row))) : empty(t("devices.none")), all);
}

export async function page(ctx) {
	const [rows, settings] = await Promise.all([items("/self/devices"), get("/self/settings")]);
	const name = ctx.query.get("name") ?? "";
	const list = h("div", {}, listCard(ctx, rows));
	const help = h("details.card", {open: ctx.query.has("settings")}, h("summary", {}, h("h2", {}, t("devices.settings"))),
		h("p", {}, t("devices.settings.text")), settingsView(settings));
	return {
		title: t("page.devices"),
		body: [
			h("p.lead", {}, t("devices.lead")),
			h("p", {}, link(t("devices.guide"), "#/setup")),
			ctx.query.has("settings") && help,
			rows.length < MOST ? createCard(ctx, settings, name, list) : note("warn", t("devices.full", {count: MOST})),
			list,
			!ctx.query.has("settings") && help,
		],
	};
}
