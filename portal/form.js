// SPDX-License-Identifier: ISC
// Forms: every field has a label, faults are listed above and told at the field, a form is sent once,
// and secrets leave the page as soon as they are sent.

import {focus, h, newId, speak} from "./dom.js";
import {icon} from "./icons.js";
import {t} from "./text.js";
import {problemText} from "./ui.js";

const MAX_SECRET = 1024; // bytes
const SHORT = 8;         // characters; the server takes no shorter ones
const GOOD = 14;
const STRONG = 20;

// A fault that belongs to one field: {name of the field: text}.
export class Faults extends Error {
	constructor(faults) {
		super("faults");
		this.faults = faults;
	}
}

// options: name, label, hint, check(value) -> text of a fault or nothing; the rest are attributes of the input.
export function field({name, label, hint, check, optional, after, ...attributes}) {
	const id = newId(name);
	const isBox = attributes.type === "checkbox";
	const hintNode = hint && h("p.hint", {id: `${id}-hint`}, hint);
	const faultNode = h("p.fault", {id: `${id}-fault`, hidden: true});
	const described = [hint && `${id}-hint`, `${id}-fault`].filter(Boolean).join(" ");
	const input = h("input", {id, name, type: "text", "aria-describedby": described,
		"aria-required": !isBox && !optional ? "true" : null, ...attributes});
	const labelNode = h("label", {for: id}, label);
	const node = isBox
		? h("div.field.box", {}, input, h("div", {}, labelNode, hintNode, faultNode))
		: h("div.field", {}, labelNode, hintNode, after ? after(input) : input, faultNode);

	function fault(text) {
		faultNode.replaceChildren(...text ? [icon("warn"), text] : []);
		faultNode.hidden = !text;
		if (text)
			input.setAttribute("aria-invalid", "true");
		else
			input.removeAttribute("aria-invalid");
	}
	function test() {
		const value = isBox ? input.checked : input.value;
		if (!isBox && !optional && value.trim() === "")
			return t("fault.empty", {label});
		return check?.(value) ?? null;
	}
	return {name, node, input, label, fault, test,
		get value() { return isBox ? input.checked : input.value; }};
}

function revealButton(input) {
	const node = h("button.quiet.reveal", {type: "button", "aria-pressed": "false"}, t("show"));
	node.setAttribute("aria-label", t("show.password"));
	node.addEventListener("click", () => {
		const isShown = input.type === "password";
		input.type = isShown ? "text" : "password";
		node.textContent = t(isShown ? "hide" : "show");
		node.setAttribute("aria-pressed", String(isShown));
		input.focus();
	});
	return node;
}

export function passwordField(options) {
	return field({
		type: "password", autocomplete: "current-password", spellcheck: "false",
		autocapitalize: "none", ...options,
		after: (input) => h("div.joined", {}, input, revealButton(input)),
	});
}

function strength(value) {
	const length = [...value].length;
	if (length < SHORT)
		return 1;
	if (length < GOOD || new Set(value).size < 6)
		return 2;
	return length < STRONG ? 3 : 4;
}

// Length is what makes a password strong; the meter says no more than that.
function meter(input) {
	const bars = [1, 2, 3, 4].map(() => h("span"));
	const words = h("span", {role: "status"});
	const node = h("div.meter", {"data-strength": "0"}, h("div.bars", {"aria-hidden": "true"}, bars), words);
	input.addEventListener("input", () => {
		const grade = input.value === "" ? 0 : strength(input.value);
		node.dataset.strength = grade;
		words.textContent = grade ? t(`strength.${grade}`) : "";
	});
	return node;
}

// Tells a password manager whose password it is.
export function owner(address) {
	return h("input", {type: "text", autocomplete: "username", value: address, readonly: true, hidden: true});
}

// A new password, twice; test() of the pair is done by the fields themselves.
export function newPasswordFields(first = "new", second = "again") {
	const one = field({
		name: first, label: t("password.new"), hint: t("password.new.hint"), type: "password",
		autocomplete: "new-password", spellcheck: "false", autocapitalize: "none",
		check: (value) => {
			if (new TextEncoder().encode(value).length > MAX_SECRET)
				return t("fault.long");
			return strength(value) < 2 ? t("fault.short", {count: SHORT}) : null;
		},
		after: (input) => [h("div.joined", {}, input, revealButton(input)), meter(input)],
	});
	const two = passwordField({
		name: second, label: t("password.again"), autocomplete: "new-password",
		check: (value) => value === one.value ? null : t("fault.differs"),
	});
	return [one, two];
}

export function codeField(options = {}) {
	return field({
		name: "code", label: t("code"), hint: t("code.hint"), autocomplete: "one-time-code",
		inputmode: "numeric", maxlength: "12", class: "code-input", ...options,
		check: (value) => /^\d{6}$/.test(digits(value)) ? null : t("fault.code"),
	});
}

export function digits(value) {
	return value.replace(/[\s-]/g, "");
}

function showFaults(summary, faults) {
	const links = faults.map(([one, text]) => h("li", {}, one === null ? text : h("a", {
		href: `#${one.input.id}`,
		onclick: (event) => {
			event.preventDefault();
			one.input.focus();
		},
	}, text)));
	// A form stands in a card with a heading of its own, or right below that of the page.
	const level = summary.closest("section, details, dialog")?.querySelector("h2") ? "h3" : "h2";
	summary.replaceChildren(icon("warn"), h("div", {}, h(level, {}, t("faults")), h("ul", {}, links)));
	summary.hidden = false;
	focus(summary);
}

// options: fields (also nodes), submit (text of the button), kind, more (nodes beside the button),
// send(values): a Problem or Faults that it throws is shown here.
export function form({fields, submit, kind = "primary", more = [], send, label}) {
	const inputs = fields.filter((one) => one.input);
	const summary = h("div.summary", {role: "alert", tabindex: "-1", hidden: true});
	const words = h("span", {}, submit);
	const press = h(`button.${kind}`, {type: "submit"}, words);
	const node = h("form", {novalidate: true, "aria-label": label}, summary,
		fields.map((one) => one.node ?? one), h("div.actions", {}, press, more));
	let isBusy = false;

	const clearSecrets = () => {
		for (const {input} of inputs) {
			if (input.autocomplete.includes("password") || input.autocomplete === "one-time-code")
				input.value = "";
			input.dispatchEvent(new Event("input"));
		}
	};
	function told(error) {
		if (error instanceof Faults) {
			const known = Object.entries(error.faults);
			for (const [name, text] of known)
				inputs.find((one) => one.name === name)?.fault(text);
			return known.map(([name, text]) => [inputs.find((one) => one.name === name) ?? null, text]);
		}
		if (error.status === undefined)
			throw error;
		return [[null, problemText(error)]];
	}
	async function submitted() {
		const values = Object.fromEntries(inputs.map((one) => [one.name, one.value]));
		for (const one of inputs)
			one.fault(null);
		summary.hidden = true;
		const faults = inputs.map((one) => [one, one.test()]).filter(([, text]) => text);
		faults.forEach(([one, text]) => one.fault(text));
		if (faults.length)
			return showFaults(summary, faults);
		words.textContent = t("working");
		speak(t("working"));
		try {
			await send(values);
			clearSecrets();
		} catch (error) {
			if (error.status !== 0 && error.status !== 503) // sending it again may help
				clearSecrets();
			showFaults(summary, told(error));
		} finally {
			words.textContent = submit;
		}
	}
	node.addEventListener("submit", async (event) => {
		event.preventDefault();
		if (isBusy)
			return;
		isBusy = true;
		press.setAttribute("aria-disabled", "true");
		try {
			await submitted();
		} finally {
			isBusy = false;
			press.removeAttribute("aria-disabled");
		}
	});
	return node;
}

// Runs work(); a Problem becomes Faults of the field that it is about. map: {code: [field, text key]}.
export async function blame(map, work) {
	try {
		return await work();
	} catch (error) {
		const found = map[error.code];
		if (!found)
			throw error;
		throw new Faults({[found[0]]: typeof found[1] === "string" ? t(found[1]) : found[1](error)});
	}
}

// Why the server does not take a new password.
const JUDGED = {password_common: "fault.common", password_simple: "fault.simple", password_address: "fault.address_inside",
	password_controls: "fault.controls", password_short: "fault.short", password_long: "fault.long",
	password_device: "fault.device_form", password_same: "fault.same"};

export function judgedPassword(problem) {
	const key = JUDGED[problem.fault];
	return key ? t(key, {count: SHORT}) : problem.detail;
}
