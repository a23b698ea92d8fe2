// SPDX-License-Identifier: ISC
// Chromium at the end of a pipe: browser.py sends {"code", "args"}, one JSON object a line, and gets {"value"} or
// {"error"}. The code is the body of an async function of page, context, seen and args. seen: {requests, problems,
// bytes}, filled as the browser goes about.

import {createInterface} from "node:readline";
import {createRequire} from "node:module";
import {join} from "node:path";

const {modules, profile, options} = JSON.parse(process.argv[2]);
const require = createRequire(join(modules, "x.js"));
const {chromium} = require("playwright-core");
const AsyncFunction = (async () => {}).constructor;
const CLOSED_NETWORK = ["--disable-background-networking", "--disable-component-update", "--disable-sync",
	"--no-first-run", "--disable-quic", "--disable-gpu", "--no-sandbox"];

const seen = {requests: [], problems: [], bytes: 0};
const context = await chromium.launchPersistentContext(profile, {
	executablePath: "/usr/bin/chromium", ignoreHTTPSErrors: true, acceptDownloads: true, locale: "en-GB",
	timezoneId: "UTC", reducedMotion: "reduce", permissions: ["clipboard-read", "clipboard-write"],
	...options, args: [...CLOSED_NETWORK, ...options.args ?? []],
});
context.setDefaultTimeout(15000);
const page = context.pages()[0];
const network = await context.newCDPSession(page);
await network.send("Network.enable");
network.on("Network.loadingFinished", (event) => { seen.bytes += event.encodedDataLength; });
context.on("request", (request) => seen.requests.push(request.url()));
page.on("pageerror", (error) => seen.problems.push(error.message));
page.on("console", (message) => {
	// What the server refuses is told by the browser too; the tests look at that themselves.
	if (message.type() === "error" && !/Failed to load resource/.test(message.text()))
		seen.problems.push(message.text());
});

process.stdout.write("{\"value\": \"ready\"}\n");
for await (const line of createInterface({input: process.stdin})) {
	const {code, args} = JSON.parse(line);
	let answer;
	try {
		answer = {value: await new AsyncFunction("page", "context", "seen", "require", "args", code)(
			page, context, seen, require, args) ?? null};
	} catch (error) {
		answer = {error: String(error.message ?? error)};
	}
	process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await context.close();
