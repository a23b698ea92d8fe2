// SPDX-License-Identifier: ISC
// A letter to oneself, which proves the way back to the inbox: sent, and followed until the mail server has it.

import {get, post} from "./api.js";
import {h} from "./dom.js";
import {full, t, timeWithSeconds} from "./text.js";
import {button, card, note, problemText} from "./ui.js";

const PATH = "/self/test-message";
const PAUSE = 1500;      // milliseconds between an answer and the next question
const PATIENCE = 60000;  // then it is late

const pause = () => new Promise((done) => { setTimeout(done, PAUSE); });

function taken(row) {
	const moment = h("time", {datetime: row.done_at, title: full(row.done_at)}, timeWithSeconds(row.done_at));
	return note("ok", h("p", {}, h("strong", {}, t("setup.test.taken")), " (", moment, ")"),
		h("p", {}, t("setup.test.look", {subject: t("notice.test_message.subject")})));
}

function refused(row) {
	return note("bad", h("p", {}, h("strong", {}, t("setup.test.refused"))),
		row.said && h("p", {}, t("setup.test.said"), " ", h("code", {}, row.said)),
		h("p", {}, t("setup.test.tell")));
}

// ctx: as a page gets it.
export function testCard(ctx, title) {
	const place = h("div", {role: "status"});
	let round = 0;

	async function follow() {
		const mine = ++round;
		const until = Date.now() + PATIENCE;
		const isMine = () => mine === round && ctx.isCurrent();
		while (isMine() && Date.now() < until) {
			const row = await get(PATH).catch((error) => {
				if (error.status === 401)
					throw error;
				return null; // as after any failure, the next question may do better
			});
			if (!isMine())
				return;
			if (row && row.state !== "waiting") {
				place.replaceChildren(row.state === "taken" ? taken(row) : refused(row));
				return;
			}
			await pause();
		}
		if (isMine())
			place.replaceChildren(note("warn", h("p", {}, t("setup.test.late"))));
	}

	const send = button(t("setup.test.send"), async () => {
		round++;
		try {
			await post(PATH);
			place.replaceChildren(note("info", h("p", {}, t("setup.test.sent"))));
			follow().catch(() => {}); // signed out: the sign-in page says so
		} catch (error) {
			place.replaceChildren(note("bad", h("p", {}, error.code === "limit" ? t("setup.test.limit")
				: problemText(error))));
		}
	}, "secondary", "send");
	return card(title, h("p", {}, t("setup.test.text")), h("div.actions", {}, send), place);
}
