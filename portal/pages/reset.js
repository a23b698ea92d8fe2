// SPDX-License-Identifier: ISC
// A link from a mail. Its secret came behind the #, which no browser sends; it left the address bar at once.

import {call} from "../api.js";
import {h} from "../dom.js";
import {blame, form, judgedPassword, newPasswordFields, owner} from "../form.js";
import {t, tx} from "../text.js";
import {link, note} from "../ui.js";

function dead() {
	return [note("warn", h("p", {}, t("reset.dead"))),
		h("div.actions", {}, link(t("page.signin"), "#/overview", "button.primary"))];
}

export async function page(ctx) {
	const title = t("page.reset");
	if (!ctx.resetToken)
		return {title, body: dead()};
	let address;
	try {
		({address} = await call("POST", "/reset/show", {token: ctx.resetToken}, true));
	} catch (error) {
		if (![400, 401, 403, 404].includes(error.status))
			throw error;
		return {title, body: dead()};
	}
	const node = form({
		label: title, submit: t("reset.submit"), fields: [owner(address), ...newPasswordFields("password")],
		send: async (values) => {
			await blame({syntax: ["password", judgedPassword]}, () => call("POST", "/reset",
				{token: ctx.resetToken, password: values.password}, true));
			ctx.forgetToken();
			history.replaceState(null, "", "#/overview");
			await ctx.refreshSession();
			await ctx.left("reset");
		},
	});
	return {title, body: [h("div.entry", {}, h("div.card", {},
		h("p", {}, tx("reset.for", {address: h("strong", {}, address)})), node))]};
}
