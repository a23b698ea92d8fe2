// SPDX-License-Identifier: ISC
// Switching 2FA on, step by step: password, QR code, first code, recovery codes. Nothing of it goes into an
// address, and what was shown leaves the page when the step is done.

import {post} from "./api.js";
import {focus, h, qrFromText, speak} from "./dom.js";
import {blame, codeField, digits, form, passwordField} from "./form.js";
import {t} from "./text.js";
import {button, copyButton, note} from "./ui.js";

const STEPS = 3;

// number: of the step, 0 for something that stands alone.
function step(place, number, title, ...children) {
	const head = h("h3", {tabindex: "-1"}, title);
	place.replaceChildren(...[number > 0 && h("p.step", {}, t("enroll.step", {count: number, of: STEPS})), head,
		...children.flat(Infinity)].filter(Boolean));
	if (number !== 1) {
		focus(head);
		speak(title);
	}
}

function saveFile(codes, address) {
	const text = [t("codes.file", {address}), "", ...codes, "", t("codes.each"), ""].join("\r\n");
	const url = URL.createObjectURL(new Blob([text], {type: "text/plain;charset=utf-8"}));
	const node = h("a", {href: url, download: "recovery-codes.txt"});
	node.click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// Recovery codes, this once. done() when the reader says they are kept.
export function showCodes(place, codes, address, done, number = 0) {
	step(place, number, t("codes.title"),
		note("warn", t("codes.once")),
		h("div.codes", {id: "codes"}, h("p.print-only", {}, t("codes.file", {address})),
			h("ol", {}, codes.map((code) => h("li", {}, h("code", {}, code)))),
			h("p.print-only", {}, t("codes.each"))),
		h("div.actions", {},
			button(t("codes.print"), () => print(), "secondary", "print"),
			button(t("codes.save"), () => saveFile(codes, address), "secondary", "save"),
			copyButton(codes.join("\n"), t("codes"))),
		h("p", {}, t("codes.where")),
		h("div.actions", {}, button(t("codes.kept"), async () => {
			place.replaceChildren();
			await done();
		}, "primary")));
}

function secretStep(place, begun, address, done) {
	const qr = qrFromText(begun.svg, t("enroll.qr"));
	const compact = begun.secret.replace(/\s/g, "");
	step(place, 2, t("enroll.scan"),
		h("ol", {}, h("li", {}, t("enroll.scan.one")), h("li", {}, t("enroll.scan.two"))),
		h("div.enroll", {}, h("div.qr", {}, qr),
			h("div", {}, h("p", {}, t("enroll.by_hand")),
				h("p.secret", {}, h("code", {}, begun.secret), copyButton(compact, t("enroll.secret"))))),
		form({
			label: t("enroll.scan"), submit: t("enroll.submit"),
			fields: [codeField({label: t("enroll.code"), hint: t("enroll.code.hint")})],
			send: async (values) => {
				const {recovery_codes: codes} = await blame({wrong: ["code", "code.wrong"]},
					() => post("/self/twofactor/confirm", {code: digits(values.code)}));
				showCodes(place, codes, address, done, STEPS);
			},
		}));
}

// The whole way, in place.
export function enroll(place, address, done) {
	step(place, 1, t("enroll.password"), form({
		label: t("enroll.password"), submit: t("enroll.next"),
		fields: [passwordField({name: "password", label: t("password"), hint: t("enroll.password.hint")})],
		send: async (values) => {
			const begun = await blame({wrong: ["password", "fault.wrong"]},
				() => post("/self/twofactor", {password: values.password}));
			secretStep(place, begun, address, done);
		},
	}));
	return place;
}

