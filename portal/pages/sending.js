// SPDX-License-Identifier: ISC
// "Was this you?": for the owner of an account that is stopped from sending. What was sent, the question, and then one
// step after the other until sending is open again.

import {call, get, items, post} from "../api.js";
import {h} from "../dom.js";
import {enroll} from "../enroll.js";
import {blame, field, form} from "../form.js";
import {icon} from "../icons.js";
import {t, tx} from "../text.js";
import {badge, button, card, link, moment, note, problemText} from "../ui.js";
import {MESSAGES, messagesCard, reasonsList, sentCard} from "../sent.js";
import {passwordForm} from "./account.js";

const STEPS = ["answer", "prove", "password", "twofactor"];

let wantsYes = false; // said, but first to be proved

async function act(ctx, work) {
	try {
		await work();
	} catch (error) {
		ctx.say(problemText(error), "bad");
	}
}

async function answer(ctx, isMe) {
	const {next} = await call("POST", "/self/sending/answer", {is_me: isMe});
	wantsYes = false;
	await ctx.refreshSession();
	await ctx.reload(t(!isMe ? "sending.no.done" : next === "none" ? "sending.yes.done" : "sending.yes.staff"));
}

// ---- the question ----

function question(ctx, self) {
	return card(t("sending.question"),
		h("p", {}, t("sending.question.text")),
		h("div.choice-cards", {},
			h("div", {}, button(t("sending.no"), () => act(ctx, () => answer(ctx, false)), "danger", "shield"),
				h("p.hint", {}, t("sending.no.text"))),
			h("div", {}, button(t("sending.yes"), () => act(ctx, async () => {
				if (self.may_say_yes)
					return answer(ctx, true);
				wantsYes = true;
				return ctx.reload("");
			}), "secondary", "ok"), h("p.hint", {}, t("sending.yes.text")))));
}

// ---- the proof ----

async function proved(ctx, kind, code) {
	const {may_say_yes: mayYes} = await blame({wrong: ["code", "code.wrong"], limit: ["code", "sending.tries"]},
		() => post("/self/sending/proof", {kind, code}));
	if (wantsYes && mayYes)
		return answer(ctx, true);
	return ctx.reload(t("sending.proved"));
}

function codeForm(ctx, kind, label, hint) {
	return form({
		label, submit: t("sending.prove"),
		fields: [field({name: "code", label, hint, autocomplete: "one-time-code", autocapitalize: "none",
			spellcheck: "false", class: "code-input"})],
		send: (values) => proved(ctx, kind, values.code.trim()),
	});
}

function addressWay(ctx, self) {
	const place = h("div.stack");
	place.append(h("p", {}, tx("sending.prove.address.text", {address: h("strong", {}, self.address_hint)})),
		h("div.actions", {}, button(t("sending.prove.address.send"), () => act(ctx, async () => {
			await post("/self/sending/code");
			place.replaceChildren(note("ok", t("sending.prove.address.sent")),
				codeForm(ctx, "address", t("recovery.code"), t("recovery.code.hint")));
			place.querySelector("input").focus();
		}), "secondary")));
	return place;
}

const WAYS = {
	address: addressWay,
	recovery: (ctx) => codeForm(ctx, "recovery", t("code.recovery"), t("code.recovery.hint")),
	panel: (ctx) => codeForm(ctx, "panel", t("sending.prove.panel.code"), t("recovery.code.hint")),
};

function proof(ctx, self) {
	const ways = self.proofs.map((kind) => h("section.way", {},
		h("h3", {}, t(`sending.prove.${kind}`)), WAYS[kind](ctx, self)));
	return card(t("sending.prove.title"),
		h("p", {}, t("sending.prove.why")),
		ways.length > 0 ? ways : note("warn", t("sending.prove.none")),
		h("section.way", {}, h("h3", {}, t("sending.prove.home")), h("p", {}, t("sending.prove.home.text"))),
		h("section.way", {}, h("h3", {}, t("sending.prove.staff")), h("p", {}, t("sending.prove.staff.text"))),
		wantsYes && h("div.actions", {}, button(t("cancel"), async () => {
			wantsYes = false;
			await ctx.reload("");
		}, "quiet")));
}

// ---- locking others out ----

function password(ctx, self, account) {
	return card(t("sending.password"), h("p", {}, t("sending.password.text")),
		passwordForm(ctx, account, async () => {
			await ctx.refreshSession();
			await ctx.reload(t("password.done.devices"));
		}, true));
}

function twofactor(ctx, self, account) {
	const place = enroll(h("div.stack"), account.address, async () => {
		await ctx.refreshSession();
		await ctx.reload(t("sending.released"));
	});
	return card(t("sending.twofactor"), h("p", {}, t("sending.twofactor.text")), place);
}

// ---- the frame ----

const CARDS = {
	answer: question, prove: proof, password, twofactor,
	staff: () => card(t("sending.staff"), note("info", t("sending.staff.text"))),
};

function stepItem(step, current, index) {
	const state = index < current ? "done" : index === current ? "now" : "later";
	return h(`li.${state}`, {"aria-current": state === "now" ? "step" : null},
		state === "done" ? icon("ok") : h("span.number", {"aria-hidden": "true"}, index + 1),
		h("span", {}, t(`sending.step.${step}`), state === "done" && h("span.unseen", {}, ` – ${t("recover.step_done")}`)));
}

function stepsList(next) {
	const current = STEPS.indexOf(next);
	return current >= 0 && h("ol.release", {"aria-label": t("sending.steps")},
		STEPS.map((step, index) => stepItem(step, current, index)));
}

function openBody() {
	return [h("div.answer.ok", {}, icon("ok"), h("div", {}, h("p.big", {}, t("sending.open")),
		h("p", {}, t("sending.open.text")))),
	h("p", {}, link(t("page.overview"), "#/overview"))];
}

function reasonPart(self) {
	return self.reason && h("details.card", {}, h("summary", {}, h("h2", {},
		t(self.reasons.length > 0 ? "sending.reason" : "sending.reason.staff"))),
		self.reasons.length > 0 && h("p", {}, t("sending.reason.text")), reasonsList(self));
}

// The link of a notice is the proof, once one is signed in.
async function useLink(ctx) {
	const token = ctx.sendingToken;
	ctx.forgetToken();
	try {
		await call("POST", "/self/sending/proof", {kind: "link", code: token});
		return null;
	} catch (error) {
		if (error.status === 401)
			throw error;
		return note("warn", t("answer.dead"));
	}
}

export async function page(ctx) {
	const said = ctx.sendingToken ? await useLink(ctx) : null;
	const self = await get("/self/sending");
	const title = t("page.sending");
	if (self.next === "none")
		return {title, body: openBody()};
	const next = wantsYes && self.next === "answer" && !self.may_say_yes ? "prove" : self.next;
	const [messages, account] = await Promise.all([items(`/self/sending/messages?limit=${MESSAGES}`), get("/self")]);
	return {
		title,
		body: [
			said,
			note(self.kind === "block" ? "bad" : "warn", h("p", {}, tx(`sending.lead.${next === "staff" ? next : self.kind}`,
				{when: moment(self.opened_at)}))),
			stepsList(next),
			next !== "answer" && CARDS[next](ctx, self, account),
			sentCard(self),
			next === "answer" && CARDS.answer(ctx, self),
			messagesCard(messages, (before) => items(`/self/sending/messages?limit=${MESSAGES}&before=${before}`)),
			reasonPart(self),
		],
	};
}
