// SPDX-License-Identifier: ISC
// Two-factor sign-in: on, off, recovery codes, lost phone. Before it is switched on, the programs that would stop
// working are named, and a device password is offered for each.

import {get, items, post} from "../api.js";
import {deviceName, makePasswordLink, serviceWords, stoppedNote} from "../describe.js";
import {h} from "../dom.js";
import {enroll, showCodes} from "../enroll.js";
import {blame, codeField, digits, form, passwordField} from "../form.js";
import {t, tx, when} from "../text.js";
import {badge, button, card, moment, note} from "../ui.js";

const WRONG = {wrong: ["code", "fault.wrong_either"]};

function unreadyItem(row, names) {
	const name = deviceName(row);
	return h("li.device", {},
		h("div.device-head", {}, h("h3", {}, name),
			names.has(name) ? badge("ok", t("unready.ready")) : makePasswordLink(row, "twofactor")),
		h("p.hint", {}, tx("unready.seen", {services: serviceWords(row.services),
			when: moment(row.last_at), source: h("span.source", {}, row.source)})));
}

// devices: the device passwords there are; one of the program's name is taken for the program's.
function unreadyCard(rows, devices) {
	if (rows.length === 0)
		return card(t("unready.title"), note("ok", t("unready.none")));
	const names = new Set(devices.map((one) => one.name));
	return card(t("unready.title"), h("p", {}, t("unready.text", {count: rows.length})),
		h("ul.plain", {}, rows.map((row) => unreadyItem(row, names))), h("p", {}, t("unready.after")));
}

async function offBody(ctx, self) {
	const [unready, devices] = await Promise.all([items("/self/unready"), items("/self/devices")]);
	const place = h("div.stack");
	const begin = button(t("twofactor.begin"), () => {
		enroll(place, self.address, () => ctx.reload(t("twofactor.done")));
		place.querySelector("input").focus();
	}, "primary", "shield");
	place.append(h("p", {}, t("twofactor.how")), h("div.actions", {}, begin));
	return [
		h("p.lead", {}, t("twofactor.lead")),
		h("p", {}, badge("warn", t("overview.twofactor.off"))),
		unreadyCard(unready, devices),
		card(t("twofactor.switch_on"), place),
	];
}

function bothFields() {
	return [passwordField({name: "password", label: t("password")}), codeField()];
}

function codesCard(ctx, self) {
	const place = h("div.stack");
	place.append(h("p", {}, t("codes.left", {count: self.recovery_codes_left})), h("p", {}, t("codes.new.text")),
		form({
			label: t("twofactor.new_codes"), submit: t("twofactor.new_codes"), kind: "secondary", fields: bothFields(),
			send: async (values) => {
				const {recovery_codes: codes} = await blame(WRONG, () => post("/self/recovery-codes",
					{password: values.password, code: digits(values.code)}));
				showCodes(place, codes, self.address, () => ctx.reload(t("codes.new.done")));
			},
		}));
	return card(t("codes"), place);
}

function offCard(ctx) {
	return h("details.card", {}, h("summary", {}, h("h2", {}, t("twofactor.off"))), h("p", {}, t("twofactor.off.text")), form({
		label: t("twofactor.off"), submit: t("twofactor.off"), kind: "danger", fields: bothFields(),
		send: async (values) => {
			await blame(WRONG, () => post("/self/twofactor/off",
				{password: values.password, code: digits(values.code)}));
			await ctx.reload(t("twofactor.off.done"));
		},
	}));
}

function removalCard(ctx, self) {
	return card(t("twofactor.removal"), note("bad", t("twofactor.removal.text", {when: when(self.removal_due_at)})),
		h("div.actions", {}, button(t("twofactor.removal.keep"), async () => {
			await post("/self/twofactor/keep");
			await ctx.reload(t("twofactor.removal.kept"));
		}, "primary")));
}

function onBody(ctx, self) {
	return [
		h("p", {}, badge("ok", t("twofactor.on")), " ", tx("twofactor.since", {when: moment(self.twofactor_at)})),
		h("p.lead", {}, t("twofactor.on.text")),
		self.removal_due_at && removalCard(ctx, self),
		codesCard(ctx, self),
		card(t("twofactor.lost"), h("p", {}, t("twofactor.lost.text"))),
		offCard(ctx),
	];
}

export async function page(ctx) {
	const self = await get("/self");
	const body = self.stopped ? stoppedNote(self) : self.twofactor_at ? onBody(ctx, self) : await offBody(ctx, self);
	return {title: t("page.twofactor"), body};
}
