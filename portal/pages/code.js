// SPDX-License-Identifier: ISC
// The second step in: the code of the phone, or a recovery code.

import {call} from "../api.js";
import {h} from "../dom.js";
import {blame, codeField, digits, field, form} from "../form.js";
import {t} from "../text.js";
import {button} from "../ui.js";

async function send(ctx, code) {
	await blame({wrong: ["code", "code.wrong"], limit: ["code", "code.stopped"]},
		() => call("POST", "/session/code", {code}));
	await ctx.entered();
}

function codeForm(ctx) {
	return form({
		label: t("page.code"), submit: t("signin.submit"),
		fields: [codeField({"data-focus": true})],
		send: (values) => send(ctx, digits(values.code)),
	});
}

function recoveryForm(ctx) {
	return form({
		label: t("page.code"), submit: t("signin.submit"),
		fields: [field({name: "code", label: t("code.recovery"), hint: t("code.recovery.hint"),
			autocomplete: "one-time-code", autocapitalize: "none", spellcheck: "false", class: "code-input"})],
		send: (values) => send(ctx, values.code.trim()),
	});
}

export async function page(ctx) {
	const place = h("div.card", {});
	let isRecovery = false;
	const swap = button("", () => {
		isRecovery = !isRecovery;
		draw();
		place.querySelector("input").focus();
	}, "quiet");
	function draw() {
		place.replaceChildren(isRecovery ? recoveryForm(ctx) : codeForm(ctx));
		swap.querySelector("span").textContent = t(isRecovery ? "code.use_phone" : "code.use_recovery");
	}
	draw();
	return {
		title: t("page.code"),
		body: [h("div.entry", {}, place, h("div.aside", {}, swap, h("p", {}, t("code.lost"))))],
	};
}
