// SPDX-License-Identifier: ISC
// One glance: what works, what does not, and the one button that mends it.

import {get, items, post} from "../api.js";
import {banCauses, banText, deviceCard, deviceRemedy, explainBans, isStranger, liftButton, needsHelp, tiles}
	from "../describe.js";
import {h} from "../dom.js";
import {icon} from "../icons.js";
import {t, tx, when} from "../text.js";
import {button, card, link, moment, note, problemText} from "../ui.js";

const DAYS = 7;
const FEW_CODES = 3;

function problem(kind, title, text, action) {
	return h(`li.problem.${kind}`, {}, icon(kind === "bad" ? "bad" : "warn"),
		h("div", {}, h("h3", {}, title), h("div.stack", {}, text), action && h("div.actions", {}, action)));
}

function sendingProblem(self) {
	const isBlock = self.stopped === "block";
	const text = h("p", {}, isBlock ? tx("overview.blocked.text", {when: moment(self.blocked_at)}) : t("overview.asked.text"));
	return problem("bad", t(isBlock ? "overview.blocked" : "overview.asked"), text,
		link(t("overview.stopped.open"), "#/sending", "button.primary", "send"));
}

function removalProblem(self, ctx) {
	return problem("bad", t("twofactor.removal"), h("p", {}, t("twofactor.removal.text",
		{when: when(self.removal_due_at)})), button(t("twofactor.removal.keep"), async () => {
		await post("/self/twofactor/keep");
		await ctx.reload(t("twofactor.removal.kept"));
	}, "primary"));
}

function banProblem(ban, ctx) {
	return problem("bad", t(ban.is_here ? "overview.ban.here" : "overview.ban.elsewhere"),
		[h("p", {}, banText(ban)), banCauses(ban)], liftButton(ban, async (lift) => {
			try {
				await lift();
				await ctx.reload(t("ban.lifted", {source: ban.source}));
			} catch (error) {
				ctx.say(problemText(error), "bad");
			}
		}));
}

function problems(self, bans, ctx) {
	const found = [];
	if (self.stopped)
		found.push(sendingProblem(self));
	if (self.removal_due_at)
		found.push(removalProblem(self, ctx));
	found.push(...bans.map((ban) => banProblem(ban, ctx)));
	if (!self.twofactor_at && !self.stopped) {
		found.push(problem("warn", t("overview.no_twofactor"), h("p", {}, t("overview.no_twofactor.text")),
			link(t("twofactor.begin"), "#/twofactor", "button.primary", "shield")));
	}
	if (self.twofactor_at && self.recovery_codes_left <= FEW_CODES) {
		found.push(problem("warn", t("overview.few_codes", {count: self.recovery_codes_left}),
			h("p", {}, t("overview.few_codes.text")),
			link(t("twofactor.new_codes"), "#/twofactor", "button")));
	}
	return found;
}

function headline(count) {
	const kind = count ? "warn" : "ok";
	return h(`p.headline.${kind}`, {}, icon(kind), h("span", {},
		count ? t("overview.attention", {count}) : t("overview.fine")));
}

function devicesPart(self, rows) {
	const refused = rows.filter(needsHelp);
	return refused.length > 0 && card(t("overview.refused"), h("ul.plain", {}, refused.map((row) => {
		const [text, action] = deviceRemedy(row, Boolean(self.twofactor_at));
		return deviceCard(row, h("div.remedy", {}, h("p", {}, text), action));
	})));
}

function strangersPart(rows) {
	const strangers = rows.filter(isStranger);
	const tries = strangers.reduce((sum, row) => sum + row.failures, 0);
	return strangers.length > 0 && note("info", h("p", {}, t("overview.strangers", {count: tries}), " ",
		link(t("overview.strangers.more"), "#/activity")));
}

export async function page(ctx) {
	const [self, rows, banned] = await Promise.all([get("/self"), items(`/self/activity?days=${DAYS}`),
		items("/self/bans")]);
	const bans = explainBans(banned, rows);
	const found = problems(self, bans, ctx);
	const refused = devicesPart(self, rows);
	const count = found.filter((one) => one.matches(".bad")).length
		+ rows.filter(needsHelp).length;
	return {
		title: t("page.overview"),
		body: [
			headline(count),
			h("section", {"aria-labelledby": "glance"}, h("h2.unseen", {id: "glance"}, t("overview.glance")),
				tiles(self, rows, bans)),
			found.length > 0 && card(t("overview.problems"), h("ul.plain", {}, found)),
			refused,
			strangersPart(rows),
		],
	};
}
