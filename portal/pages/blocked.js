// SPDX-License-Identifier: ISC
// Am I blocked? For everybody, signed in or not.

import {get, items} from "../api.js";
import {banCauses, banReason, banText, explainBans, liftButton} from "../describe.js";
import {h} from "../dom.js";
import {icon} from "../icons.js";
import {minutes, t, time, tx} from "../text.js";
import {card, facts, link, note, problemText} from "../ui.js";

const DAYS = 7;

function answer(source) {
	const kind = source.is_banned ? "bad" : "ok";
	return h(`div.answer.${kind}`, {}, icon(kind), h("div", {},
		h("p.big", {}, t(source.is_banned ? "blocked.yes" : "blocked.no")),
		h("p", {}, tx("blocked.address", {source: h("strong.source", {}, source.source)}))));
}

function details(source) {
	return card(t("blocked.why"),
		h("p", {}, banReason(source, source.why)),
		facts([
			[t("blocked.until"), t("blocked.until.text", {time: time(source.until), span: minutes(source.minutes_left)})],
			source.since && [t("blocked.since"), time(source.since)],
			source.reference && [t("blocked.reference"), source.reference, source.reference],
		]),
		h("p", {}, t("blocked.others")));
}

function whatToDo(ctx, bans) {
	if (ctx.session.state === "guest") {
		return card(t("blocked.do"), h("p", {}, t("blocked.do.signin")),
			h("div.actions", {}, link(t("page.signin"), "#/overview", "button.primary")));
	}
	return bans.length === 0 && note("info", t("blocked.none_yours"));
}

function banItem(ctx, ban, lifts) {
	const isLeft = lifts === undefined || lifts === null || lifts > 0;
	return h("li.device", {}, h("h3", {}, banText(ban)), banCauses(ban),
		isLeft ? h("div.actions", {}, liftButton(ban, async (lift) => {
			try {
				await lift();
				await ctx.reload(t("ban.lifted", {source: ban.source}));
			} catch (error) {
				ctx.say(problemText(error), "bad");
			}
		})) : note("warn", t("problem.lifts")));
}

export async function page(ctx) {
	const isIn = ctx.session.state === "signed_in";
	const [source, banned, rows] = await Promise.all([get("/source"), isIn ? items("/self/bans") : [],
		isIn ? items(`/self/activity?days=${DAYS}`) : []]);
	const bans = explainBans(banned, rows);
	return {
		title: t("page.blocked"),
		body: [
			answer(source),
			source.is_banned && details(source),
			bans.length > 0 && card(t("blocked.yours", {count: bans.length}),
				h("ul.plain", {}, bans.map((ban) => banItem(ctx, ban, source.lifts_left)))),
			source.is_banned && whatToDo(ctx, bans),
			!source.is_banned && bans.length === 0 && h("div.stack", {}, h("p", {}, t("blocked.no.text")),
				isIn ? link(t("blocked.no.activity"), "#/activity") : link(t("page.signin"), "#/overview")),
		],
	};
}
