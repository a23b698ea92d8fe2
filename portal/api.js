// SPDX-License-Identifier: ISC
// The only door to the server: /api/v1, JSON both ways. Answers are never kept by the browser.

const BASE = "/api/v1";
const PATIENCE = 20000; // milliseconds

// What went wrong, by a code that has words in the texts (problem.CODE).
export class Problem extends Error {
	constructor(status, code, detail, fault) {
		super(`${status} ${code}`);
		this.status = status;
		this.code = code;
		this.detail = detail ?? "";
		this.fault = fault ?? ""; // which of several, a code
	}
}

const CODES = {400: "syntax", 401: "signin", 403: "role", 404: "not_found", 409: "exists",
	413: "size", 429: "limit", 501: "unsupported"};

let onSignedOut = () => {};
let onAnswer = () => {};

// signedOut is called when the server knows this browser no more; answered after every answer.
export function watch(signedOut, answered) {
	onSignedOut = signedOut;
	onAnswer = answered;
}

async function problemOf(answer) {
	let body = {};
	try {
		body = await answer.json();
	} catch {
		// A proxy's own page, perhaps.
	}
	const code = CODES[answer.status] ?? (answer.status >= 500 ? "busy" : "other");
	return new Problem(answer.status, body.code ?? code, body.detail, body.fault);
}

async function exchange(method, path, body) {
	const isChange = method !== "GET";
	try {
		return await fetch(BASE + path, {
			method,
			headers: isChange ? {"Content-Type": "application/json"} : {},
			body: body === undefined ? undefined : JSON.stringify(body),
			cache: "no-store", credentials: "same-origin", redirect: "error",
			referrerPolicy: "no-referrer", signal: AbortSignal.timeout(PATIENCE),
		});
	} catch {
		throw new Problem(0, "offline");
	}
}

// isEntry: a 401 is no news to someone on the way in.
export async function call(method, path, body, isEntry = false) {
	const answer = await exchange(method, path, body);
	onAnswer();
	if (!answer.ok) {
		const problem = await problemOf(answer);
		if (problem.status === 401 && !isEntry)
			onSignedOut();
		throw problem;
	}
	if (answer.status === 204)
		return null;
	try {
		return await answer.json();
	} catch {
		throw new Problem(answer.status, "offline");
	}
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}) => call("POST", path, body);
export const remove = (path) => call("DELETE", path);

export async function items(path) {
	return (await get(path)).items;
}

// A path with its pieces made safe: at`/accounts/${address}/block`
export function at(strings, ...values) {
	return String.raw({raw: strings}, ...values.map((value) => encodeURIComponent(value)));
}
