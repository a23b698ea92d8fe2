// SPDX-License-Identifier: ISC
// Set up a device without typing: a link that is good once, as a QR code for a phone or as a profile for this very
// iPhone, iPad or Mac. The link leaves the page when it is over.

import {post} from "./api.js";
import {focus, h, qrFromText, speak} from "./dom.js";
import {field, form} from "./form.js";
import {t, time} from "./text.js";
import {button, card, note, problemText} from "./ui.js";

// "iPhone", "iPad" or "Mac", or null.
export function appleDevice() {
	const found = /iPhone|iPad|Mac/.exec(`${navigator.platform} ${navigator.userAgent}`);
	return found && (found[0] === "Mac" && navigator.maxTouchPoints > 1 ? "iPad" : found[0]);
}

// One tap: the browser takes the profile, the page stays.
export function openProfile(token) {
	location.assign(`/setup/${token}.mobileconfig`);
}

function profileSteps() {
	return h("ol.steps", {}, ["one", "two", "three"].map((step) => h("li", {}, t(`profile.step.${step}`))));
}

export function installSteps() {
	return [h("p", {}, t("profile.loaded")), profileSteps()];
}

function codeView(link, done) {
	const head = h("h3", {tabindex: "-1"}, t("profile.scan"));
	const node = h("div.enroll", {},
		h("div.qr", {}, qrFromText(link.svg, t("profile.qr"))),
		h("div", {}, head, h("ol.steps", {}, h("li", {}, t("profile.scan.one")), h("li", {}, t("profile.scan.two"))),
			note("warn", h("p", {}, t("profile.once", {time: time(link.expires_at)}))),
			h("div.actions", {}, button(t("profile.done"), done, "secondary"))));
	return {node, head};
}

// name: what the device is called to begin with. A profile is of use on what Apple makes, and is offered there alone.
export function profileCard(name = "") {
	const apple = appleDevice();
	const place = h("div.stack", {"aria-live": "polite"});
	const named = field({name: "device", label: t("devices.name"), value: name || apple || t("profile.phone"),
		autocomplete: "off", maxlength: "60"});
	let timer = 0;

	const clear = () => {
		clearTimeout(timer);
		place.replaceChildren();
	};
	const begin = (device) => post("/self/setup", {name: device.trim()});
	async function install({device}) {
		clear();
		openProfile((await begin(device)).token);
		place.replaceChildren(h("div.stack", {}, installSteps()));
	}
	async function showCode({device}) {
		const link = await begin(device);
		const shown = codeView(link, clear);
		clear();
		place.replaceChildren(shown.node);
		focus(shown.head);
		speak(t("profile.scan"));
		timer = setTimeout(() => place.replaceChildren(note("info", h("p", {}, t("profile.over")))),
			new Date(link.expires_at) - Date.now());
	}
	const code = button(t("profile.code"), () => showCode({device: named.value}).catch((error) => {
		place.replaceChildren(note("bad", h("p", {}, problemText(error))));
	}), "secondary");
	const node = form({label: t("profile.title"), fields: [named],
		submit: apple ? t("profile.install", {device: apple}) : t("profile.code"),
		more: apple ? [code] : [], send: apple ? install : showCode});
	return card(t("profile.title"),
		h("p", {}, apple ? t("profile.text.apple", {device: apple}) : t("profile.text")), node, place);
}
