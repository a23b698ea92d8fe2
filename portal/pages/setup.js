// SPDX-License-Identifier: ISC
// Set up a device: choose the program, make it a password of its own, follow the steps, and watch it connect.

import {get, items, post} from "../api.js";
import {focus, h, speak} from "../dom.js";
import {field, form} from "../form.js";
import {givePassword, guideSteps, inLanguage, loadClients} from "../guide.js";
import {icon} from "../icons.js";
import {settingsView} from "../settings.js";
import {appleDevice, profileCard} from "../setup_profile.js";
import {testCard} from "../test_message.js";
import {t} from "../text.js";
import {badge, card, copyButton, empty, link, note, table} from "../ui.js";
import {watchView} from "../watch.js";

const KINDS = ["computer", "phone", "other"];
const ICONS = {computer: "computer", phone: "device", other: "tool"};
const MOST = 50;

// ---- which program? ----

function chooser(clients) {
	return [
		profileCard(),
		h("p.lead", {}, t("setup.lead")),
		KINDS.map((kind) => card(t(`setup.kind.${kind}`), h("ul.choices", {}, clients.programs
			.filter((program) => program.kind === kind)
			.map((program) => h("li", {}, h("a", {href: `#/setup/${program.id}`}, icon(ICONS[kind]),
				h("span", {}, inLanguage(program.name)))))))),
		h("p", {}, link(t("setup.old.find"), "#/setup/old")),
	];
}

// ---- programs of long ago ----

const OLD_COLUMNS = [
	["setup.old.program", (row) => [row.name, h("span.hint", {}, ` ${row.system}`)]],
	["setup.old.signin", (row) => badge(row.signin === "no" ? "bad" : row.signin === "yes" ? "ok" : "warn",
		t(`setup.old.signin.${row.signin}`))],
	["setup.old.login", (row) => row.login ? t(`setup.old.login.${row.login}`) : "–"],
	["setup.old.tls", (row) => t(`setup.old.tls.${row.tls}`)],
	["setup.old.advice", (row) => inLanguage(row.advice)],
];

function oldPrograms(clients) {
	const list = table(t("setup.old"), OLD_COLUMNS.map(([title, cell]) => [t(title), cell]), clients.old);
	const rows = [...list.querySelectorAll("tbody tr")];
	const none = empty(t("setup.old.none"));
	const search = field({name: "program", type: "search", label: t("setup.old.search"), optional: true,
		autocomplete: "off"});
	none.hidden = true;
	search.input.addEventListener("input", () => {
		const words = search.value.toLowerCase().split(/\s+/);
		for (const row of rows)
			row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
		none.hidden = rows.some((row) => !row.hidden);
	});
	return [
		h("p", {}, link(t("setup.other"), "#/setup", "back")),
		h("p.lead", {}, t("setup.old.lead")),
		note("warn", h("p", {}, t("setup.old.warn"))),
		card(t("setup.old.list"), search.node, list, none),
	];
}

// ---- one program ----

function passwordShown(made) {
	return h("div.stack", {},
		note("warn", t("devices.once")),
		h("p.secret", {}, h("code", {}, made.password), copyButton(made.password, t("devices.password"))));
}

// done(made): the password is there.
function passwordCard(program, devices, done) {
	const title = t("setup.password");
	if (devices.length >= MOST)
		return card(title, note("warn", t("devices.full", {count: MOST})));
	const node = form({
		label: title, submit: t("setup.make"),
		fields: [field({name: "name", label: t("devices.name"), value: inLanguage(program.name), autocomplete: "off",
			maxlength: "60"})],
		send: async ({name}) => {
			const made = await post("/self/devices", {name: name.trim(), scopes: program.scopes});
			const place = passwordShown(made);
			const words = t("devices.made", {name: made.name});
			const head = h("h3", {tabindex: "-1"}, words);
			node.replaceWith(h("div.stack", {}, head, place));
			focus(head);
			speak(words);
			done(made);
		},
	});
	return card(title, h("p", {}, t("setup.password.text")), node);
}

// By a profile or a code, for the programs of Apple; a Mac reads no code, so its page has to be opened there.
function withoutTyping(program) {
	if (program.id === "iphone" || (program.id === "apple-mac" && appleDevice()))
		return profileCard(inLanguage(program.name));
	return program.id === "apple-mac" && note("info", h("p", {}, t("profile.mac")));
}

function programPage(ctx, program, settings, devices) {
	const steps = guideSteps(program, settings);
	const watched = watchView(ctx, t("setup.watch"), settings.login, program.scopes);
	const isReader = program.scopes.includes("imap");
	return [
		h("p", {}, link(t("setup.other"), "#/setup", "back")),
		withoutTyping(program),
		passwordCard(program, devices, (made) => {
			watched.device = made.name;
			givePassword(steps, made.password);
		}),
		card(t("setup.steps", {name: inLanguage(program.name)}), steps,
			h("details", {}, h("summary", {}, t("setup.values")), settingsView(settings, program.scopes))),
		watched.node,
		isReader && testCard(ctx, t("setup.test")),
	];
}

export async function page(ctx) {
	const [clients, settings, devices] = await Promise.all([loadClients(), get("/self/settings"),
		items("/self/devices")]);
	const program = clients.programs.find(({id}) => id === ctx.args[0]);
	if (ctx.args[0] === "old")
		return {title: t("setup.old"), body: oldPrograms(clients)};
	return {
		title: program ? t("setup.title", {name: inLanguage(program.name)}) : t("page.setup"),
		body: program ? programPage(ctx, program, settings, devices) : chooser(clients),
	};
}
