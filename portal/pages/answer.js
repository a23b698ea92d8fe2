// SPDX-License-Identifier: ISC
// The link of a notice asks: was that you? Opening it changes nothing; its secret came behind the # and left the
// address bar at once. A Yes to a question ends here; everything else goes on where one is signed in.

import {call} from "../api.js";
import {h} from "../dom.js";
import {icon} from "../icons.js";
import {t, tx} from "../text.js";
import {button, card, link, note, problemText} from "../ui.js";
import {sentCard} from "../sent.js";

function dead() {
	return [note("warn", h("p", {}, t("answer.dead"))),
		h("div.actions", {}, link(t("answer.portal"), "#/sending", "button.primary"))];
}

async function send(ctx, place, isMe) {
	try {
		const {next} = await call("POST", "/sending/link", {token: ctx.sendingToken, is_me: isMe}, true);
		if (next === "signin") {
			location.hash = "#/sending";
			return;
		}
		ctx.forgetToken();
		place.replaceChildren(h("div.answer.ok", {}, icon("ok"), h("div", {}, h("p.big", {}, t("answer.done")),
			h("p", {}, t("answer.done.text")))));
	} catch (error) {
		if (error.status === undefined)
			throw error;
		ctx.say(error.status === 404 ? t("answer.dead") : problemText(error), "bad");
	}
}

export async function page(ctx) {
	const title = t("page.answer");
	if (!ctx.sendingToken)
		return {title, body: dead()};
	let shown;
	try {
		shown = await call("POST", "/sending/link/show", {token: ctx.sendingToken}, true);
	} catch (error) {
		if (![400, 401, 403, 404].includes(error.status))
			throw error;
		return {title, body: dead()};
	}
	const place = h("div.stack");
	const isBlock = shown.kind === "block";
	place.append(sentCard(shown, t("sent.title.account")), card(t("sending.question"), h("div.choice-cards", {},
		h("div", {}, button(t("sending.no"), () => send(ctx, place, false), "danger", "shield"),
			h("p.hint", {}, t("answer.no.text"))),
		h("div", {}, button(t("sending.yes"), () => send(ctx, place, true), "secondary", "ok"),
			h("p.hint", {}, t(isBlock ? "answer.yes.block" : "answer.yes.text"))))));
	return {
		title,
		body: [note(isBlock ? "bad" : "warn", h("p", {}, tx(`answer.lead.${shown.kind}`,
			{address: h("strong", {}, shown.address)}))), place],
	};
}
