// SPDX-License-Identifier: ISC
// The first step in: address and password.

import {call} from "../api.js";
import {h} from "../dom.js";
import {blame, field, form, passwordField} from "../form.js";
import {t} from "../text.js";
import {link, note} from "../ui.js";

const KINDS = {expired: "info", bye: "ok", reset: "ok", ended: "ok"};

export async function page(ctx) {
	const login = field({name: "login", label: t("signin.login"), hint: t("signin.login.hint"),
		autocomplete: "username", inputmode: "email", autocapitalize: "none", spellcheck: "false",
		"data-focus": true});
	const password = passwordField({name: "password", label: t("password")});
	const node = form({
		label: t("page.signin"), fields: [login, password], submit: t("signin.submit"),
		send: async (values) => {
			await blame({wrong: ["password", "signin.wrong"]},
				() => call("POST", "/session", {login: values.login.trim(), password: values.password}, true));
			await ctx.entered();
		},
	});
	return {
		title: t("page.signin"),
		body: [h("div.entry", {},
			ctx.farewell && note(KINDS[ctx.farewell], t(`farewell.${ctx.farewell}`)),
			h("div.card", {}, node),
			h("div.aside", {},
				h("p", {}, t("signin.blocked"), " ", link(t("page.blocked"), "#/blocked")),
				h("p", {}, t("signin.forgot"))))],
	};
}
