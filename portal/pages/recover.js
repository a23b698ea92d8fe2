// SPDX-License-Identifier: ISC
// Signed in with a recovery code: set up 2FA anew and change the password, nothing else, until both are done.

import {get} from "../api.js";
import {h} from "../dom.js";
import {enroll} from "../enroll.js";
import {t} from "../text.js";
import {badge, card} from "../ui.js";
import {passwordForm} from "./account.js";

export async function page(ctx) {
	const self = await get("/self");
	// What opens sending again mends the account, too.
	if (self.stopped)
		return (await import("./sending.js")).page(ctx);
	const must = new Set(self.must ?? []);
	const next = async (key) => {
		await ctx.refreshSession();
		await ctx.reload(t(key));
	};
	const done = h("p", {}, badge("ok", t("recover.step_done")));
	const twofactor = must.has("twofactor")
		? enroll(h("div.stack"), self.address, () => next("twofactor.done")) : done;
	const password = must.has("password") && !must.has("twofactor")
		? passwordForm(ctx, self, () => next("password.done"))
		: must.has("password") ? h("p", {}, t("recover.later")) : done.cloneNode(true);
	return {
		title: t("page.recover"),
		body: [h("p.lead", {}, t("recover.lead")), card(t("recover.twofactor"), twofactor),
			card(t("recover.password"), password)],
	};
}
