// SPDX-License-Identifier: ISC
// What a set-up link opens on the device itself, where nobody is signed in. Its secret came behind the #, which no
// browser sends, and left the address bar at once.

import {call} from "../api.js";
import {focus, h, speak} from "../dom.js";
import {settingsView} from "../settings.js";
import {appleDevice, installSteps, openProfile} from "../setup_profile.js";
import {t, tx} from "../text.js";
import {button, card, copyButton, note, problemText} from "../ui.js";

function dead() {
	return [note("warn", h("p", {}, t("link.dead")))];
}

function valuesView(made) {
	const head = h("h2", {tabindex: "-1"}, t("devices.made", {name: made.name}));
	return {head, nodes: [head, note("warn", h("p", {}, t("devices.once"))),
		h("p.secret", {}, h("code", {}, made.password), copyButton(made.password, t("devices.password"))),
		h("h3", {}, t("devices.enter", {name: made.name})), settingsView(made, made.scopes),
		h("p", {}, t("link.more"))]};
}

// Either way uses the link up.
function choice(ctx, place) {
	const apple = appleDevice();
	const install = apple && button(t("profile.install", {device: apple}), () => {
		openProfile(ctx.setupToken);
		ctx.forgetToken();
		place.replaceChildren(h("div.stack", {}, installSteps()));
		speak(t("profile.loaded"));
	}, "primary", "save");
	const show = button(t("link.values"), async () => {
		try {
			const made = await call("POST", "/setup", {token: ctx.setupToken}, true);
			const view = valuesView(made);
			ctx.forgetToken();
			place.replaceChildren(h("div.stack", {}, view.nodes));
			focus(view.head);
			speak(view.head.textContent);
		} catch (error) {
			place.replaceChildren(...[403, 404].includes(error.status) ? dead()
				: [note("bad", h("p", {}, problemText(error)))]);
		}
	}, apple ? "secondary" : "primary", "list");
	return h("div.actions", {}, install, show);
}

export async function page(ctx) {
	const title = t("page.link");
	let link;
	if (!ctx.setupToken)
		return {title, body: dead()};
	try {
		link = await call("POST", "/setup/show", {token: ctx.setupToken}, true);
	} catch (error) {
		if (![400, 403, 404].includes(error.status))
			throw error;
		return {title, body: dead()};
	}
	const place = h("div.stack");
	place.append(h("p", {}, tx("link.for", {address: h("strong", {}, link.address), name: h("strong", {}, link.name)})),
		h("p", {}, t("link.how")), choice(ctx, place));
	return {title, body: [card(t("link.card"), place)]};
}
