// SPDX-License-Identifier: ISC
// Elements are made here and nowhere else. Text always becomes a text node: there is no way from a
// string to markup, so what a stranger wrote into a log cannot become a part of the page.

const SVG = "http://www.w3.org/2000/svg";
const QR_ELEMENTS = new Set(["svg", "g", "rect", "path"]);
const QR_ATTRIBUTES = new Set(["viewBox", "width", "height", "x", "y", "d", "fill", "stroke",
	"stroke-width", "shape-rendering", "fill-rule", "transform"]);

function append(node, children) {
	for (const child of children.flat(Infinity)) {
		if (child !== null && child !== undefined && child !== false)
			node.append(child);
	}
	return node;
}

function set(node, name, value) {
	if (name.startsWith("on"))
		node.addEventListener(name.slice(2), value);
	else if (value === true)
		node.setAttribute(name, "");
	else if (value !== false && value !== null && value !== undefined)
		node.setAttribute(name, value);
}

// h("button.quiet", {type: "button", onclick: f}, "text", node, [nodes])
export function h(spec, attributes, ...children) {
	const [name, ...classes] = spec.split(".");
	const node = document.createElement(name);
	if (classes.length)
		node.className = classes.join(" ");
	for (const [key, value] of Object.entries(attributes ?? {}))
		set(node, key, value);
	return append(node, children);
}

export function s(name, attributes, ...children) {
	const node = document.createElementNS(SVG, name);
	for (const [key, value] of Object.entries(attributes ?? {}))
		set(node, key, value);
	return append(node, children);
}

function copyQr(from) {
	if (from.namespaceURI !== SVG || !QR_ELEMENTS.has(from.localName))
		return null;
	const to = document.createElementNS(SVG, from.localName);
	for (const {name, value} of from.attributes) {
		if (QR_ATTRIBUTES.has(name))
			to.setAttribute(name, value);
	}
	return append(to, [...from.children].map(copyQr));
}

// The drawing of a QR code, rebuilt from the few elements it needs; null if the text is none.
export function qrFromText(text, label) {
	const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
	const svg = copyQr(parsed);
	if (svg === null || svg.localName !== "svg")
		return null;
	if (!svg.hasAttribute("viewBox"))
		svg.setAttribute("viewBox", `0 0 ${parseFloat(svg.getAttribute("width"))} `
			+ `${parseFloat(svg.getAttribute("height"))}`);
	svg.removeAttribute("width");
	svg.removeAttribute("height");
	svg.setAttribute("role", "img");
	svg.setAttribute("aria-label", label);
	return svg;
}

// Says a thing to people who listen instead of look.
export function speak(text) {
	const node = document.getElementById("spoken");
	node.textContent = "";
	setTimeout(() => { node.textContent = text; }, 60);
}

export function focus(node) {
	if (node === null || node === undefined)
		return;
	if (!node.matches("a[href],button,input,select,textarea,summary,[tabindex]"))
		node.setAttribute("tabindex", "-1");
	node.focus({preventScroll: false});
}

let last = 0;

export function newId(prefix) {
	last += 1;
	return `${prefix}-${last}`;
}
