// SPDX-License-Identifier: ISC
// The portal's pages over answers that are made up: states that real servers reach seldom or slowly. Rows have
// the keys of the real ones (tests/integration/test_portal.py compares them).
//
//	node fake.mjs PORTAL_FOLDER      prints its port; POST /fake {scenario} sets the scene, GET /fake says
//	                                 what was asked since then

import {createServer} from "node:http";
import {readFile} from "node:fs/promises";
import {join, normalize, sep} from "node:path";

const ROOT = normalize(process.argv[2]);
const TYPES = {html: "text/html; charset=utf-8", js: "text/javascript", css: "text/css", json: "application/json",
	svg: "image/svg+xml"};
const HEADERS = {
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
		+ "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
};
const QR = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29"><script>alert(1)</script>'
	+ '<rect width="29" height="29" fill="#fff" onclick="alert(1)"/><path d="M4 4h7v7h-7zM18 4h7v7h-7zM4 18h7v7h-7z'
	+ 'M13 5h2v2h-2zM13 9h3v3h-3zM17 14h4v2h-4zM13 15h2v6h-2zM18 19h3v3h-3zM23 22h2v3h-2z"/></svg>';

const ago = (minutes) => new Date(Date.now() - minutes * 60000).toISOString();
const DAY = 1440;
const ADDRESS = "anna@example.test";

function device(key, more) {
	return {key, client: "other", client_says: null, client_name: null, device: null, device_name: null, services: ["imaps"], source: "203.0.113.9",
		network: "203.0.113.0/24", first_at: ago(9 * DAY), last_at: ago(12), every_minutes: null, successes: 0,
		failures: 0, last_outcome: "ok", reason: "ok", why: "ok", old_password_at: null, secret: "main",
		is_stranger: false, is_others: false, ...more};
}

const PHONE = device("a", {client_name: "Apple iPhone Mail", successes: 212, services: ["imaps", "submissions"]});
const THUNDERBIRD = device("b", {client_name: "Thunderbird", successes: 48, device: 3, device_name: "Thunderbird at home",
	secret: "device", last_at: ago(200)});
const OUTLOOK = device("c", {client_name: "Outlook", services: ["imap"], successes: 30, failures: 610,
	every_minutes: 5, first_at: ago(4 * DAY), last_at: ago(3), last_outcome: "denied", reason: "wrong_password",
	why: "old_password", old_password_at: ago(19 * DAY), source: "198.51.100.24"});
const TABLET = device("d", {client_name: "Samsung Email", failures: 14, every_minutes: 15, last_outcome: "denied",
	reason: "twofactor", why: "twofactor", first_at: ago(300)});
const STRANGER = device("e", {client_name: null, services: ["submission"], failures: 23, last_outcome: "denied",
	reason: "wrong_password", why: "wrong_password", source: "192.0.2.77", network: "192.0.2.0/24", last_at: ago(400),
	is_stranger: true});
const OTHERS = device("f", {client_name: null, services: ["imap", "submission"], failures: 310, last_outcome: "denied",
	reason: "wrong_password", why: "wrong_password", source: null, network: null, is_stranger: true, is_others: true});
const BAN = {source: "203.0.113.9", since: ago(7), until: ago(-23), minutes_left: 23, is_here: true,
	reference: "7K2M9QXA", devices: [{source: "198.51.100.24", client_name: "Outlook", service: "imap",
		why: "wrong_password"}]};

function sight(id, more) {
	return {kind: "sight", id, at: ago(0), service: "submission", tls: "TLSv1.3", source: "203.0.113.9", is_here: true,
		what: "ok", login: "anna", name_form: "local", mechanism: "plain", device: "Thunderbird",
		client_name: "Thunderbird", old_password_at: null, ...more};
}

const LETTER = {id: "5f0c1a2b3d4e6f70", at: ago(0), state: "waiting", done_at: null, said: null};

const SELF = {address: ADDRESS, role: "user", language: null, may_send: true, blocked_at: null, block_reason: null,
	twofactor_at: ago(40 * DAY), password_at: ago(60 * DAY), recovery_codes_left: 9, devices: 2,
	recovery_address: "anna@example.net", recovery_address_pending: "", recovery_address_former: "",
	recovery_address_former_until: null, stopped: "", removal_due_at: null, must: []};
const IN = {state: "signed_in", address: ADDRESS, role: "user", language: null, source: "203.0.113.9",
	hostname: "mail.example.test", portal_url: "https://mail.example.test/"};
const GUEST = {...IN, state: "guest", address: null, role: "guest"};
const STAFF = {...IN, role: "staff", address: "support@example.test"};
const SOURCE = {source: "203.0.113.9", is_banned: false, since: null, until: null, minutes_left: null, why: null, reason_code: null,
	reference: null, lifts_left: 3};
const BANNED = {...SOURCE, is_banned: true, since: ago(7), until: ago(-23), minutes_left: 23,
	why: "too many failed sign-ins", reason_code: "failures", reference: "7K2M9QXA"};

const SUMS = {messages: 214, recipients: 1893, strangers: 1877, stopped: 31};
const SENT = {...SUMS, networks: [
	{source: "192.0.2.140", country: "BR", client_name: "", first_at: ago(170), last_at: ago(95), took_part: true, is_known: false,
		messages: 211, recipients: 1880, strangers: 1876, stopped: 31},
	{source: "203.0.113.9", country: "DE", client_name: "Thunderbird", first_at: ago(180), last_at: ago(100), took_part: false,
		is_known: true, messages: 2, recipients: 2, strangers: 0, stopped: 0},
	{source: "2001:db8:4:7::/64", country: "", client_name: "", first_at: ago(120), last_at: ago(120), took_part: false,
		is_known: false, messages: 1, recipients: 11, strangers: 1, stopped: 0}]};
const MESSAGES = Array.from({length: 20}, (_, n) => ({id: 700 - n, at: ago(95 + n * 4), source: n % 6 ? "192.0.2.140" : "203.0.113.9",
	country: n % 6 ? "BR" : "DE", client_name: n % 6 ? "" : "Thunderbird", sender: ADDRESS,
	subject: n % 6 ? "Your invoice is overdue – pay now" : "Re: Sunday", recipients: n % 6 ? 9 : 1, strangers: n % 6 ? 9 : 0, size: 4100,
	outcome: n < 3 ? "blocked" : n === 5 ? "refused" : "accepted"}));
const CASE = {id: 31, address: ADDRESS, kind: "block", opened_at: ago(95), began_at: ago(190),
	reason: "128 points: first-time recipients from a new network 84, many first-time recipients 34, a new network 10",
	points: 128, reasons: [{reason: "strangers", why: "many first-time recipients", points: 34},
		{reason: "elsewhere", why: "first-time recipients from a new network", points: 84},
		{reason: "network", why: "a new network", points: 10}],
	opened_by: "", is_repeat: true, needs_staff: true, answer: "no", answered_at: ago(50), proof: "recovery", proof_at: ago(48),
	closed_at: null, closed_by: "", outcome: "", ...SUMS};
const STOPPED = {kind: "block", next: "answer", may_say_yes: false, is_trusted: false, opened_at: CASE.opened_at, began_at: CASE.began_at,
	reason: CASE.reason, points: CASE.points, reasons: CASE.reasons, answer: "", is_repeat: false, proofs: ["address", "recovery"], address_hint: "a***@example.net", ...SENT};

const ASKED = {...SELF, stopped: "ask"};
const BLOCKED = {...SELF, stopped: "block", may_send: false, blocked_at: ago(95)};
const BASE = {session: IN, self: SELF, source: SOURCE, bans: [], activity: [PHONE, THUNDERBIRD], unready: [], sights: [], sending: {kind: "", next: "none"},
	letters: [LETTER, {...LETTER, state: "taken", done_at: "2026-03-01T12:03:05Z"}],
	fail: null, code: "123456"};
const SCENES = {
	guest: {session: GUEST},
	guest_banned: {session: GUEST, source: BANNED},
	pending: {session: {...IN, state: "pending"}},
	recovery: {session: {...IN, state: "recovery"}, self: {...SELF, must: ["twofactor", "password"]}},
	healthy: {},
	fresh: {self: {...SELF, twofactor_at: null, recovery_codes_left: 0, recovery_address: ""},
		activity: [PHONE, STRANGER], unready: [PHONE, device("f", {client_name: "Outlook", services: ["imap", "submission"],
			successes: 9, last_at: ago(900), source: "198.51.100.24"})]},
	troubled: {self: {...SELF, may_send: false, stopped: "block", blocked_at: ago(3 * DAY), block_reason: "2,400 messages in an hour"},
		source: BANNED, bans: [BAN], activity: [OUTLOOK, TABLET, PHONE, STRANGER, OTHERS]},
	stopped_asked: {self: ASKED, sending: {...STOPPED, kind: "ask", may_say_yes: true, is_trusted: true}},
	stopped: {self: BLOCKED, sending: STOPPED},
	stopped_prove: {self: BLOCKED, sending: {...STOPPED, answer: "no", next: "prove"}},
	stopped_noproof: {self: BLOCKED, sending: {...STOPPED, answer: "no", next: "prove", proofs: [], address_hint: ""}},
	stopped_password: {self: BLOCKED, sending: {...STOPPED, answer: "no", next: "password"}},
	stopped_twofactor: {self: BLOCKED, sending: {...STOPPED, answer: "no", next: "twofactor"}},
	stopped_staff: {self: BLOCKED, sending: {...STOPPED, is_repeat: true, next: "staff", proofs: []}},
	moved: {self: {...SELF, recovery_address: "t.hief@example.org", recovery_address_former: "anna@example.net",
		recovery_address_former_until: ago(-6 * DAY)}},
	removal: {self: {...SELF, removal_due_at: ago(-20 * 60), recovery_codes_left: 2}},
	staff: {session: STAFF, self: {...SELF, address: STAFF.address, role: "staff"}, bans: [],
		activity: [OUTLOOK, TABLET, PHONE, THUNDERBIRD, STRANGER]},
	domain_admin: {session: {...STAFF, role: "domain-admin"}, self: {...SELF, role: "domain-admin"}},
	connecting: {sights: [
		sight(907, {service: "imaps"}),
		sight(906, {service: "imaps"}),
		sight(905, {what: "other_name", login: "anna@exmaple.test", name_form: "other", mechanism: null, device: null,
			client_name: null}),
		sight(904, {what: "wrong_password", login: "anna", old_password_at: ago(19 * DAY), device: null,
			source: "198.51.100.24", is_here: false}),
		sight(903, {what: "mechanism", tls: null, login: null, name_form: null, mechanism: "NTLM", device: null,
			client_name: null}),
		sight(899, {what: "left_plain", service: "pop3", tls: null, login: null, name_form: null, mechanism: null,
			device: null, client_name: null}),
		sight(898, {what: "left", service: "imap", login: null, name_form: null, mechanism: null, device: null,
			client_name: null}),
		sight(902, {what: "no_tls", tls: null, login: null, name_form: null, mechanism: null, device: null,
			client_name: null}),
		sight(901, {what: "ok", service: "submissions", device: null})]},
	undelivered: {letters: [LETTER, {...LETTER, state: "refused", done_at: ago(0),
		said: "<anna@example.test> Quota exceeded (mailbox for user is full) " + "x".repeat(150)}]},
	letter_waits: {letters: [LETTER]},
	busy: {fail: 503},
	lapsed: {fail: 401},
};

const DEVICES = [
	{id: 3, name: "Thunderbird at home", scopes: ["imap", "smtp"], created_at: ago(50 * DAY), used_at: ago(200),
		used_from: "203.0.113.9", used_service: "imaps", used_client: "Thunderbird"},
	{id: 4, name: "Anna’s phone", scopes: ["imap", "pop3", "smtp"], created_at: ago(2 * DAY), used_at: null,
		used_from: null, used_service: null, used_client: null},
];
const SETTINGS = {login: ADDRESS, hostname: "mail.example.test", services: [
	{service: "submission", protocol: "SMTP", port: 587, tls: "starttls"},
	{service: "submissions", protocol: "SMTP", port: 465, tls: "tls"},
	{service: "imap", protocol: "IMAP", port: 143, tls: "starttls"},
	{service: "imaps", protocol: "IMAP", port: 993, tls: "tls"},
	{service: "pop3s", protocol: "POP3", port: 995, tls: "tls"}]};
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1";
const SESSIONS = [
	{id: 12, since: ago(14), used_at: ago(0), source: "203.0.113.9", client_name: FIREFOX, is_this: true},
	{id: 11, since: ago(300), used_at: ago(280), source: "198.51.100.24", client_name: SAFARI, is_this: false}];
const EVENTS = Array.from({length: 15}, (_, n) => {
	const from = [OUTLOOK, PHONE, TABLET, THUNDERBIRD][n % 4];
	return {id: 900 - n, at: ago(3 + n * 47), session: "00000000000000aa", client: from.source, port: 993,
		source: from.source, service: from.services[0], mechanism: "plain", login: ADDRESS, account: ADDRESS,
		device: from.device, device_name: from.device_name, outcome: from.last_outcome, reason: from.reason,
		why: from.why, counted: from.last_outcome !== "ok", client_name: from.client_name, tls: "TLSv1.3", detail: "",
		reference: from.last_outcome === "ok" ? null : "7K2M9QXA"};
});
const CHART = Array.from({length: 7}, (_, n) => ({day: ago((6 - n) * DAY).slice(0, 10),
	ok: [31, 28, 35, 30, 0, 22, 12][n], failed: [0, 0, 0, 4, 96, 140, 61][n]}));
const AUDIT = [
	{id: 41, at: ago(4 * DAY), actor: "support@example.test", operation: "account.block", account: ADDRESS,
		detail: {}},
	{id: 40, at: ago(60 * DAY), actor: ADDRESS, operation: "self.password", account: ADDRESS, detail: {}}];
const CODES = Array.from({length: 10}, (_, n) => `k${n}wm-4xqp-7h2d`);
const ACCOUNT = {id: 7, address: ADDRESS, role: "user", route: null, created_at: ago(700 * DAY), has_password: true,
	password_at: ago(60 * DAY), is_off: false, blocked_at: ago(3 * DAY), block_reason: "2,400 messages in an hour",
	twofactor_at: ago(40 * DAY), aliases: ["a.smith@example.test"], alias_count: 1, devices: []};
const FOUND = [
	{kind: "account", address: ADDRESS, role: "user", is_off: false, blocked_at: ago(3 * DAY), twofactor_at: ago(40 * DAY)},
	{kind: "ban", source: "198.51.100.24", since: ago(7), until: ago(-23), reason: "too many failed sign-ins",
		reason_code: "failures", reference: "7K2M9QXA"},
	{kind: "event", ...EVENTS[0]},
	{kind: "reference", ...EVENTS[2]}];

let scene = {...BASE, ...SCENES.guest};
let asked = [];

const list = (items) => [200, {items, next: null}];
const none = [204, null];
const refusal = (status, code) => [status, {type: "about:blank", title: code, status, code, detail: code}];
const checked = (isRight, answer) => isRight ? answer : refusal(403, "wrong");

function sendingNext(next) {
	scene = {...scene, sending: {...scene.sending, next}, self: {...scene.self, stopped: next === "none" ? "" : scene.self.stopped}};
	return [200, {next, may_say_yes: false, is_trusted: false}];
}

// "METHOD path" -> (body, query, argument) => [status, body]; * is one piece of the path.
const ROUTES = {
	"GET /session": () => [200, scene.session],
	"POST /session": ({login, password}) => {
		if (password !== "right password here")
			return refusal(403, "wrong");
		scene = {...scene, session: {...IN, state: login.startsWith("two") ? "pending" : "signed_in"}};
		return [200, {state: scene.session.state}];
	},
	"POST /session/code": ({code}) => {
		if (code !== scene.code)
			return refusal(403, "wrong");
		scene = {...scene, session: IN};
		return [200, {state: "signed_in"}];
	},
	"DELETE /session": () => { scene = {...scene, session: GUEST}; return none; },
	"POST /session/end-all": () => { scene = {...scene, session: GUEST}; return none; },
	"GET /sessions": () => list(SESSIONS),
	"DELETE /sessions/*": () => none,
	"GET /source": () => [200, scene.source],
	"GET /self": () => [200, scene.self],
	"POST /self/password": ({old}) => checked(old === "right password here", none),
	"GET /self/settings": () => [200, SETTINGS],
	"POST /self/twofactor": ({password}) => checked(password === "right password here",
		[200, {secret: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP", uri: "otpauth://totp/x", svg: QR}]),
	"POST /self/twofactor/confirm": ({code}) => checked(code === scene.code, [200, {recovery_codes: CODES}]),
	"POST /self/twofactor/off": ({code}) => checked(code === scene.code, none),
	"POST /self/twofactor/keep": () => { scene = {...scene, self: {...scene.self, removal_due_at: null}}; return none; },
	"POST /self/recovery-codes": ({code}) => checked(code === scene.code, [200, {recovery_codes: CODES}]),
	"GET /self/devices": () => list(DEVICES),
	"POST /self/devices": ({name, scopes}) => [201, {id: 5, name, scopes, password: "abcd-efgh-jkmn-pqrs-tuvw-xyz2"}],
	"DELETE /self/devices": () => none,
	"DELETE /self/devices/*": () => none,
	"GET /self/activity": () => list(scene.activity),
	"GET /self/chart": () => list(CHART),
	"GET /self/events": (_, query) => list(query.get("before") ? EVENTS.slice(0, 3) : EVENTS),
	"GET /self/unready": () => list(scene.unready),
	"GET /self/watch": (_, query) => list([{kind: "now", id: 900}, ...query.has("after") ? scene.sights : []]),
	"POST /self/test-message": () => [200, {id: LETTER.id}],
	// One answer after the other, the last one for good.
	"GET /self/test-message": () => {
		const [first, ...others] = scene.letters;
		scene = {...scene, letters: others.length ? others : [first]};
		return [200, first];
	},
	"GET /self/bans": () => list(scene.bans),
	"DELETE /self/bans/*": () => { scene = {...scene, bans: [], source: SOURCE}; return none; },
	"POST /self/language": () => none,
	"POST /self/recovery-address": ({password}) => checked(password === "right password here", none),
	"POST /self/recovery-address/confirm": ({code}) => checked(code === scene.code, none),
	"POST /self/setup": () => [200, {token: "GOOD", url: "https://mail.example.test/#setup=GOOD", svg: QR, expires_at: ago(-5)}],
	"POST /setup/show": ({token}) => token === "GOOD" ? [200, {address: ADDRESS, name: "Phone", expires_at: ago(-5)}]
		: refusal(404, "not_found"),
	"POST /setup": ({token}) => token === "GOOD" ? [200, {id: 6, address: ADDRESS, name: "Phone", scopes: ["imap", "smtp"],
		password: "abcd-efgh-jkmn-pqrs-tuvw-xyz2", ...SETTINGS}] : refusal(404, "not_found"),
	"POST /reset/show": ({token}) => token === "GOOD" ? [200, {address: ADDRESS}] : refusal(404, "not_found"),
	"POST /reset": () => none,
	"POST /sending/link/show": ({token}) => token === "GOOD" ? [200, {address: ADDRESS, kind: "ask", began_at: ago(190),
		needs_staff: false, ...SENT}] : refusal(404, "not_found"),
	"POST /sending/link": ({is_me: isMe}) => [200, {next: isMe ? "done" : "signin"}],
	"GET /self/sending": () => [200, scene.sending],
	"GET /self/sending/messages": (_, query) => list(query.get("before") ? MESSAGES.slice(0, 2) : MESSAGES),
	"POST /self/sending/answer": ({is_me: isMe}) => sendingNext(isMe ? "none" : "prove"),
	"POST /self/sending/code": () => none,
	"POST /self/sending/proof": ({code}) => code === "abcd-efgh-ijkl" ? sendingNext("password") : refusal(403, "wrong"),
	"GET /sending/cases": () => list([CASE, {...CASE, id: 30, address: "shop@example.test", kind: "ask", needs_staff: true, is_repeat: false,
		answer: "yes", reason: "64 points: many first-time recipients 50, a new network 10"}]),
	"GET /accounts/*/sending/case": () => [200, {...CASE, networks: SENT.networks}],
	"GET /accounts/*/sending/messages": () => list(MESSAGES),
	"POST /accounts/*/sending/release": () => none,
	"POST /accounts/*/sending/keep": () => none,
	"GET /search": () => list(FOUND),
	"GET /accounts/*": () => [200, ACCOUNT],
	"GET /accounts/*/activity": () => list([OUTLOOK, TABLET, PHONE, THUNDERBIRD, STRANGER]),
	"GET /accounts/*/chart": () => list(CHART),
	"GET /accounts/*/events": () => list(EVENTS),
	"GET /accounts/*/devices": () => list(DEVICES),
	"GET /accounts/*/twofactor": () => [200, {address: ADDRESS, on: true, is_stopped: false, since: ago(40 * DAY), removal_due_at: null}],
	"POST /accounts/*/block": () => none,
	"POST /accounts/*/unblock": () => none,
	"POST /accounts/*/reset-link": () => none,
	"POST /accounts/*/twofactor/remove": () => none,
	"POST /mail-sessions/end": () => none,
	"GET /bans": () => list([{source: "198.51.100.24", since: ago(7), until: ago(-23), minutes_left: 23,
		reason: "too many failed sign-ins", reason_code: "failures"}, {source: "2001:db8:0:7::/64", since: ago(20), until: ago(-10), minutes_left: 10,
		reason: "banned by hand", reason_code: "hand"}]),
	"DELETE /bans/*": () => none,
	"GET /events": () => list(EVENTS.slice(0, 6)),
	"GET /audit": () => list(AUDIT),
};
const PATTERNS = Object.entries(ROUTES).map(([key, answer]) =>
	[new RegExp(`^${key.replaceAll("*", "[^/]+")}$`), answer]);

async function bodyOf(request) {
	let text = "";
	for await (const piece of request)
		text += piece;
	return text === "" ? {} : JSON.parse(text);
}

function send(response, status, body, type = "application/json") {
	const isProblem = status >= 400;
	response.writeHead(status, {...HEADERS, "Content-Type": isProblem ? "application/problem+json" : type});
	response.end(body === null || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

async function answerApi(request, response, url) {
	const path = url.pathname.slice("/api/v1".length);
	const body = await bodyOf(request);
	asked.push({method: request.method, path: path + url.search, body});
	if (scene.fail === 401 && path !== "/session") {
		scene = {...BASE, session: GUEST};
		return send(response, ...refusal(401, "signin"));
	}
	if (scene.fail === 503 && path !== "/session")
		return send(response, ...refusal(503, "busy"));
	const found = PATTERNS.find(([pattern]) => pattern.test(`${request.method} ${path}`));
	return send(response, ...found ? found[1](body, url.searchParams) : refusal(404, "not_found"));
}

async function answerScene(request, response) {
	if (request.method === "POST") {
		const {scenario} = await bodyOf(request);
		scene = {...BASE, ...SCENES[scenario]};
		asked = [];
	}
	return send(response, 200, {asked});
}

async function answerFile(response, url) {
	const path = join(ROOT, normalize(url.pathname === "/" ? "/index.html" : url.pathname));
	if (!path.startsWith(ROOT + sep))
		return send(response, 404, "", "text/plain");
	try {
		return send(response, 200, await readFile(path), TYPES[path.split(".").at(-1)]);
	} catch {
		return send(response, 404, "", "text/plain");
	}
}

const server = createServer((request, response) => {
	const url = new URL(request.url, "http://x");
	if (url.pathname === "/fake")
		return answerScene(request, response);
	return url.pathname.startsWith("/api/v1/") ? answerApi(request, response, url) : answerFile(response, url);
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => console.log(server.address().port));
