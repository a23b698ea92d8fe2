// SPDX-License-Identifier: ISC
// The frame around the pages: who is signed in, which page is shown, in which language.
//
// An address is #/page/argument?name=value. When nobody is signed in, the sign-in page stands in for the
// page that was asked for, and the address stays: after signing in one is where one wanted to be.

import {get, post, call, watch} from "./api.js";
import {focus, h, speak} from "./dom.js";
import {icon} from "./icons.js";
import {LANGUAGES, getLanguage, guessLanguage, loadLanguage, rememberLanguage, t} from "./text.js";
import {button, closeDialogs, link, note, problemText} from "./ui.js";

const IDLE = 30 * 60000 + 5000; // after so long without a question the server has ended the session

// name: [module, least state or role that sees it, symbol in the menu]
const PAGES = {
	overview: ["overview", "user", "home"],
	account: ["account", "user", "user"],
	twofactor: ["twofactor", "user", "shield"],
	setup: ["setup", "user", "device"],
	devices: ["devices", "user", "key"],
	activity: ["activity", "user", "list"],
	blocked: ["blocked", "guest", "clock"],
	sending: ["sending", "recovery", null], // one is led there when it is needed
	staff: ["staff", "domain-admin", "staff"],
};
// What a link in a mail or a QR code begins with, and the page it leads to.
const LINKS = {reset: "reset", setup: "link", sending: "answer"};
const RANKS = ["guest", "pending", "recovery", "user", "domain-admin", "staff", "admin"];

const main = h("main", {id: "main", tabindex: "-1"});
const flash = h("div.flash", {role: "status"});
const header = h("header.top");
const footer = h("footer.bottom");
let session = {state: "guest", role: "guest"};
let showing = 0;       // number of the page that was asked for last
let tokens = {};       // page: secret of a link that was followed; taken out of the address at once
let farewell = null;   // key of what the sign-in page says first
let idleTimer = 0;

function rank() {
	return session.state === "signed_in" ? RANKS.indexOf(session.role) : RANKS.indexOf(session.state);
}

function may(page) {
	return rank() >= RANKS.indexOf(PAGES[page][1]);
}

function takeTokens() {
	const match = /^#(reset|setup|sending)=(.+)$/.exec(location.hash);
	if (!match)
		return;
	tokens[match[1]] = decodeURIComponent(match[2]);
	history.replaceState(null, "", `#/${LINKS[match[1]]}`);
}

function readAddress() {
	takeTokens();
	const match = /^#\/([a-z]*)((?:\/[^?]*)?)(?:\?(.*))?$/.exec(location.hash);
	const name = match?.[1] || "overview";
	return {name, args: (match?.[2] ?? "").split("/").slice(1).map(decodeURIComponent),
		query: new URLSearchParams(match?.[3] ?? "")};
}

// The module that is to be shown now, and the name it has in the menu.
function choose(address) {
	if (Object.values(LINKS).includes(address.name))
		return [address.name, null];
	if (session.state === "pending")
		return ["code", null];
	if (session.state === "recovery" && !["blocked", "sending"].includes(address.name))
		return ["recover", null];
	if (!Object.hasOwn(PAGES, address.name))
		return session.state === "guest" ? ["signin", null] : ["missing", null];
	if (session.state === "guest" && address.name !== "blocked")
		return ["signin", null];
	return may(address.name) ? [PAGES[address.name][0], address.name] : ["missing", null];
}

async function refreshSession() {
	session = await get("/session");
	return session;
}

// The language that the account was given, if it was given one, goes before the browser's.
async function takeLanguage() {
	const {language} = await get("/self");
	if (Object.hasOwn(LANGUAGES, language ?? "") && language !== getLanguage()) {
		await loadLanguage(language);
		rememberLanguage(language);
	}
}

function drawMenu(current) {
	const entries = Object.keys(PAGES).filter((name) => PAGES[name][2] !== null)
		.filter((name) => rank() > 2 ? may(name) : name === "blocked");
	const links = entries.map((name) => h("li", {}, h("a", {
		href: `#/${name}`, "aria-current": name === current ? "page" : null,
		onclick: () => toggleMenu(false),
	}, icon(PAGES[name][2]), h("span", {}, t(`page.${name}`)))));
	const isIn = session.state !== "guest";
	if (session.state === "guest") {
		links.unshift(h("li", {}, h("a", {href: "#/overview", onclick: () => toggleMenu(false),
			"aria-current": current === null ? "page" : null}, icon("user"), h("span", {}, t("page.signin")))));
	}
	const toggle = h("button.quiet.menu", {type: "button", "aria-expanded": "false", "aria-controls": "menu",
		onclick: () => toggleMenu(toggle.getAttribute("aria-expanded") !== "true")},
		icon("menu"), h("span", {}, t("menu")));
	const who = isIn && h("div.who", {}, h("span", {}, session.address ?? ""),
		button(t("signout"), () => signOut(), "quiet", "out"));
	header.replaceChildren(h("div.rail", {},
		h("a.brand", {href: "#/overview"}, icon("gate"), h("span", {}, session.hostname || "Gatepost")),
		toggle,
		h("div.drawer", {id: "menu"}, h("nav", {"aria-label": t("menu")}, h("ul", {}, links)), who)));
}

function toggleMenu(isOpen) {
	header.classList.toggle("open", isOpen);
	header.querySelector(".menu")?.setAttribute("aria-expanded", String(isOpen));
}

function drawFooter() {
	const select = h("select", {id: "language", onchange: () => changeLanguage(select.value)},
		Object.entries(LANGUAGES).map(([tag, name]) => h("option",
			{value: tag, lang: tag, selected: tag === getLanguage()}, name)));
	// Who is signed in has it under "My account", where it is kept.
	footer.replaceChildren(
		session.state === "signed_in" ? ""
			: h("div.language", {}, h("label", {for: "language"}, t("language")), select),
		h("p", {}, t("footer", {host: session.hostname || location.host})));
}

async function changeLanguage(tag) {
	await loadLanguage(tag);
	rememberLanguage(tag);
	if (session.state === "signed_in")
		post("/self/language", {language: tag}).catch(() => {}); // the page speaks it already
	await show({keepFocus: true});
	focus(document.querySelector("#language, input[name=account-language]:checked"));
}

function say(text, kind = "ok") {
	flash.replaceChildren(text ? note(kind, text) : "");
}

async function signOut() {
	closeDialogs();
	try {
		await call("DELETE", "/session", undefined, true);
	} catch (error) {
		if (error.status !== 401) {
			say(problemText(error), "bad");
			return;
		}
	}
	await left("bye");
}

// Nobody is signed in any more; why is said on the sign-in page. One comes back to the page one was on
// after a session that ran out, not after signing out.
async function left(why) {
	closeDialogs();
	session = {...session, state: "guest", role: "guest", address: null};
	farewell = why;
	if (why === "bye")
		history.replaceState(null, "", "#/overview");
	await show({});
}

function failure(error) {
	if (error.status === undefined)
		console.error(error);
	return {
		title: t("trouble"),
		body: [note("bad", problemText(error)), h("div.actions", {},
			button(t("again"), () => start(), "primary"))],
	};
}

// What a page's module gets; it returns {title, body}.
function context(address, mine) {
	return {
		...address, session, resetToken: tokens.reset, setupToken: tokens.setup, sendingToken: tokens.sending, farewell,
		isCurrent: () => mine === showing,
		// Shows the page anew after a change; says what was done; target: id of what gets the focus.
		reload: async (text, target) => {
			await show({keepFocus: true, keepFlash: true});
			say(text);
			focus(target ? document.getElementById(target) : flash.firstElementChild ?? main);
		},
		entered: async () => {
			farewell = null;
			await refreshSession();
			if (session.state === "signed_in")
				await takeLanguage();
			await show({});
		},
		refreshSession, changeLanguage, left, say, forgetToken: () => { tokens = {}; },
	};
}

async function build(module, address, mine) {
	try {
		const {page} = await import(`./pages/${module}.js`);
		return await page(context(address, mine));
	} catch (error) {
		return error.status === 401 ? null : failure(error);
	}
}

// keepFocus: the same page again, the reader stays where they are.
async function show({keepFocus = false, keepFlash = false}) {
	const address = readAddress();
	const [module, current] = choose(address);
	const mine = showing += 1;
	closeDialogs();
	toggleMenu(false);
	main.setAttribute("aria-busy", "true");
	const content = await build(module, address, mine);
	if (mine !== showing || content === null)
		return;
	const title = h("h1", {tabindex: "-1"}, content.title);
	if (!keepFlash)
		say("");
	drawMenu(current);
	drawFooter();
	main.className = `page-${module}`;
	main.replaceChildren(...[content.bare ? [] : title, flash, content.body].flat(Infinity).filter(Boolean));
	main.removeAttribute("aria-busy");
	document.title = `${content.title} – ${session.hostname || "Gatepost"}`;
	if (keepFocus)
		return;
	scrollTo(0, 0);
	focus(main.querySelector("[data-focus]") ?? title);
	speak(content.title);
}

async function recheck() {
	if (session.state === "guest")
		return;
	const before = session.state;
	try {
		await refreshSession();
	} catch {
		return; // no answer says nothing about the session
	}
	if (session.state === "guest" && before !== "guest")
		await left("expired");
}

function restartIdleTimer() {
	clearTimeout(idleTimer);
	idleTimer = setTimeout(recheck, IDLE);
}

async function start() {
	try {
		await refreshSession();
	} catch (error) {
		main.replaceChildren(...failureAtStart(error));
		return;
	}
	await show({});
}

function failureAtStart(error) {
	const {title, body} = failure(error);
	return [h("h1", {}, title), ...body];
}

const skip = link("", "#main", "skip");

async function boot() {
	watch(() => left("expired"), restartIdleTimer);
	skip.addEventListener("click", (event) => {
		event.preventDefault();
		main.focus();
	});
	document.getElementById("app").replaceWith(skip, header, main, footer);
	try {
		await loadLanguage(guessLanguage());
	} catch {
		main.append(h("h1", {}, "Gatepost"), h("p", {}, "The server cannot be reached. Please try again later."),
			h("p", {lang: "de"}, "Der Server ist nicht erreichbar. Bitte versuchen Sie es später noch einmal."));
		return;
	}
	skip.textContent = t("skip");
	addEventListener("hashchange", () => {
		farewell = null;
		if (/^(#\/|#(reset|setup|sending)=|$)/.test(location.hash))
			show({});
	});
	addEventListener("keydown", (event) => {
		if (event.key === "Escape" && header.classList.contains("open")) {
			toggleMenu(false);
			header.querySelector(".menu").focus();
		}
	});
	// A page out of the browser's memory, or one long not looked at: is one still signed in?
	addEventListener("pageshow", (event) => event.persisted && recheck());
	document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && recheck());
	await start();
}

boot();
