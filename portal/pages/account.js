// SPDX-License-Identifier: ISC
// My account: password, recovery address, language, and where one is signed in.

import {at, call, get, items, post, remove} from "../api.js";
import {clientWords, stoppedNote} from "../describe.js";
import {h} from "../dom.js";
import {blame, codeField, digits, field, form, judgedPassword, newPasswordFields, owner, passwordField} from "../form.js";
import {LANGUAGES, date, getLanguage, t, tx} from "../text.js";
import {badge, button, card, moment, problemText} from "../ui.js";

const WRONG = {wrong: ["old", "fault.wrong"], syntax: ["new", judgedPassword]};

// endsAll: device passwords go, whatever one wishes.
export function passwordForm(ctx, self, done, endsAll = false) {
	const fresh = newPasswordFields();
	return form({
		label: t("password.change"), submit: t("password.change"),
		fields: [owner(self.address), passwordField({name: "old", label: t("password.old")}), ...fresh,
			...endsAll ? [] : [field({name: "end_devices", type: "checkbox", label: t("password.end_devices"),
				hint: t("password.end_devices.hint"), checked: true})]],
		send: async (values) => {
			await blame(WRONG, () => post("/self/password",
				{old: values.old, new: values.new, end_devices: endsAll || values.end_devices}));
			await done(values);
		},
	});
}

function passwordCard(ctx, self) {
	return card(t("password"), h("p", {}, self.password_at
		? tx("password.since", {when: moment(self.password_at)}) : t("password.lead")),
	passwordForm(ctx, self, (values) => ctx.reload(t(values.end_devices ? "password.done.devices" : "password.done"))));
}

function confirmForm(ctx, address) {
	return [h("p", {}, t("recovery.sent", {address})), form({
		label: t("recovery.confirm"), submit: t("recovery.confirm"),
		fields: [field({name: "code", label: t("recovery.code"), hint: t("recovery.code.hint"),
			autocomplete: "one-time-code", autocapitalize: "none", spellcheck: "false", class: "code-input"})],
		send: async (values) => {
			await blame({wrong: ["code", "code.wrong"]},
				() => post("/self/recovery-address/confirm", {code: values.code.trim()}));
			await ctx.reload(t("recovery.done"));
		},
	})];
}

// The former one, which a change leaves in force for a week.
function formerText(self) {
	return tx("recovery.former", {date: date(self.recovery_address_former_until),
		address: h("strong", {}, self.recovery_address_former)});
}

// Where 2FA is on, a code is asked for, too.
function recoveryFault(self) {
	return {wrong: self.twofactor_at ? ["code", "fault.wrong_either"] : ["password", "fault.wrong"],
		syntax: ["address", "fault.address_here"]};
}

function recoveryCard(ctx, self) {
	const place = h("div");
	const current = self.recovery_address;
	const node = form({
		label: t("recovery"), submit: t("recovery.submit"), kind: "secondary",
		fields: [
			field({name: "address", label: t("recovery.address"), hint: t("recovery.hint"), type: "email",
				autocomplete: "email", value: current ?? "", optional: true,
				check: (value) => value.trim() === "" || /^[^@\s]+@[^@\s]+$/.test(value.trim())
					? null : t("fault.address")}),
			passwordField({name: "password", label: t("password.confirm")}),
			...self.twofactor_at ? [codeField()] : [],
		],
		send: async (values) => {
			const address = values.address.trim();
			const code = self.twofactor_at ? {code: digits(values.code)} : {};
			await blame(recoveryFault(self),
				() => post("/self/recovery-address", {password: values.password, address, ...code}));
			if (address === "")
				return ctx.reload(t("recovery.removed"));
			place.replaceChildren(...confirmForm(ctx, address));
			place.querySelector("input").focus();
		},
	});
	place.append(...self.recovery_address_pending ? confirmForm(ctx, self.recovery_address_pending) : [node]);
	return card(t("recovery"), h("p", {}, t("recovery.lead")),
		h("p", {}, current ? tx("recovery.current", {address: h("strong", {}, current)}) : t("recovery.none")),
	self.recovery_address_former && h("p.hint", {}, formerText(self)), place);
}

function languageCard(ctx) {
	const chosen = getLanguage();
	const boxes = Object.entries(LANGUAGES).map(([tag, name]) => h("label.choice", {},
		h("input", {type: "radio", name: "account-language", value: tag, checked: tag === chosen,
			onchange: () => ctx.changeLanguage(tag)}), h("span", {lang: tag}, name)));
	return card(t("language"), h("fieldset.choices", {}, h("legend", {}, t("language.legend")), boxes));
}

function sessionItem(ctx, row) {
	const end = button(t("sessions.end"), async () => {
		try {
			await remove(at`/sessions/${row.id}`);
			await ctx.reload(t("sessions.ended"), "sessions");
		} catch (error) {
			ctx.say(problemText(error), "bad");
		}
	}, "danger-quiet");
	return h("li.device", {},
		h("div.device-head", {}, h("h3", {}, clientWords(row.client_name) || t("sessions.browser")),
			row.is_this ? badge("ok", t("sessions.this")) : end),
		h("p.hint", {}, tx("sessions.text", {since: moment(row.since), source: h("span.source", {}, row.source),
			used: moment(row.used_at)})));
}

function sessionsCard(ctx, rows) {
	const everywhere = form({
		label: t("sessions.all"), submit: t("sessions.all"), kind: "danger",
		fields: [field({name: "mail", type: "checkbox", label: t("sessions.mail"), hint: t("sessions.mail.hint")})],
		send: async (values) => {
			await call("POST", "/session/end-all", {mail: values.mail});
			await ctx.left("ended");
		},
	});
	const node = card(t("sessions"), h("ul.plain", {}, rows.map((row) => sessionItem(ctx, row))), everywhere);
	node.querySelector("h2").id = "sessions";
	node.setAttribute("aria-labelledby", "sessions");
	return node;
}

export async function page(ctx) {
	const [self, rows] = await Promise.all([get("/self"), items("/sessions")]);
	return {
		title: t("page.account"),
		body: [
			h("p.lead", {}, tx("account.lead", {address: h("strong", {}, self.address)})),
			self.stopped ? stoppedNote(self) : [passwordCard(ctx, self), recoveryCard(ctx, self)],
			sessionsCard(ctx, rows),
			languageCard(ctx),
		],
	};
}
