// SPDX-License-Identifier: ISC
// Words, numbers and dates in the reader's language. A language is one file, text/xx.json: key to
// sentence, {name} for what is filled in. A sentence that counts is an object with one entry for
// each plural form of Intl.PluralRules, chosen by {count}.

export const LANGUAGES = {en: "English", de: "Deutsch"};
const STORED = "gatepost.language";

const loaded = new Map();
let language = "en";
let locale = "en"; // with the region, if the browser says one: dates and numbers follow it
let messages = {};

export function getLanguage() {
	return language;
}

// The reader's choice at this browser, else the first of the browser's languages that is there.
export function guessLanguage() {
	let stored = null;
	try {
		stored = localStorage.getItem(STORED);
	} catch {
		// A browser that keeps nothing.
	}
	const wanted = [stored, ...(navigator.languages ?? [])].filter(Boolean);
	const found = wanted.map((tag) => tag.split("-")[0].toLowerCase())
		.find((tag) => Object.hasOwn(LANGUAGES, tag));
	return found ?? "en";
}

export function rememberLanguage(tag) {
	try {
		localStorage.setItem(STORED, tag);
	} catch {
		// It will be asked again.
	}
}

export async function loadLanguage(tag) {
	if (!loaded.has(tag)) {
		const answer = await fetch(`/text/${tag}.json`, {credentials: "omit"});
		if (!answer.ok)
			throw new Error(`text/${tag}.json: ${answer.status}`);
		loaded.set(tag, await answer.json());
	}
	language = tag;
	locale = (navigator.languages ?? []).find((one) => one.toLowerCase().startsWith(`${tag}-`)) ?? tag;
	messages = loaded.get(tag);
	document.documentElement.lang = tag;
}

export function hasText(key) {
	return Object.hasOwn(messages, key);
}

function sentence(key, values) {
	const message = messages[key];
	if (typeof message === "object")
		return message[new Intl.PluralRules(locale).select(values.count)] ?? message.other;
	return message ?? key;
}

// The sentence in pieces; values may be elements.
export function tx(key, values = {}) {
	return sentence(key, values).split(/\{(\w+)\}/).map((piece, index) => {
		if (index % 2 === 0)
			return piece;
		const value = values[piece];
		return typeof value === "number" ? number(value) : value ?? "";
	});
}

export function t(key, values) {
	return tx(key, values).join("");
}

export function number(value) {
	return new Intl.NumberFormat(locale).format(value);
}

// Of a code of two letters.
export function country(code) {
	return new Intl.DisplayNames(locale, {type: "region", fallback: "code"}).of(code);
}

export function list(items) {
	return new Intl.ListFormat(locale, {type: "conjunction"}).format(items);
}

function format(value, options) {
	return new Intl.DateTimeFormat(locale, options).format(new Date(value));
}

export function day(value) {
	return format(value, {weekday: "long", day: "numeric", month: "long"});
}

export function date(value) {
	const isThisYear = new Date(value).getFullYear() === new Date().getFullYear();
	return format(value, {day: "numeric", month: "long", year: isThisYear ? undefined : "numeric"});
}

export function time(value) {
	return format(value, {hour: "numeric", minute: "2-digit"});
}

export function timeWithSeconds(value) {
	return format(value, {hour: "numeric", minute: "2-digit", second: "2-digit"});
}

export function full(value) {
	return format(value, {dateStyle: "long", timeStyle: "medium"});
}

export function shortDay(value) {
	return format(value, {weekday: "short", timeZone: "UTC"});
}

export function longDay(value) {
	return format(value, {weekday: "long", day: "numeric", month: "long", timeZone: "UTC"});
}

// Midnights between then and now, in the reader's time.
function daysAgo(value) {
	const midnight = (when) => new Date(when.getFullYear(), when.getMonth(), when.getDate());
	return Math.round((midnight(new Date()) - midnight(new Date(value))) / 86400000);
}

// "5 minutes ago", "today at 14:02", "yesterday at 9:00", "Tuesday at 9:00", "3 March".
export function when(value) {
	const minutes = Math.round((Date.now() - new Date(value)) / 60000);
	const days = daysAgo(value);
	if (minutes >= -1 && minutes < 1)
		return t("when.now");
	if (minutes >= 1 && minutes < 60)
		return t("when.minutes", {count: minutes});
	if (days === 0)
		return t("when.today", {time: time(value)});
	if (days === 1)
		return t("when.yesterday", {time: time(value)});
	if (days === -1)
		return t("when.tomorrow", {time: time(value)});
	if (days > 1 && days < 7)
		return t("when.weekday", {day: format(value, {weekday: "long"}), time: time(value)});
	return t("when.date", {date: date(value)});
}

// For "since ...".
export function since(value) {
	const days = daysAgo(value);
	if (days === 0)
		return time(value);
	if (days === 1)
		return t("when.since_yesterday");
	return days > 1 && days < 7 ? format(value, {weekday: "long"}) : date(value);
}

export function minutes(count) {
	if (count >= 2880)
		return t("span.days", {count: Math.round(count / 1440)});
	if (count >= 120)
		return t("span.hours", {count: Math.round(count / 60)});
	return t("span.minutes", {count});
}
