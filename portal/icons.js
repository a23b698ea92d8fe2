// SPDX-License-Identifier: ISC
// Symbols, drawn on 24 by 24 with a round pen. They never stand alone: a word is beside each.

const PATHS = {
	gate: "M6 20V9.5a6 6 0 0 1 12 0V20M3.5 20h17M12 12v4",
	ok: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12.4l2.8 2.8L16 9.6",
	warn: "M12 4 2.8 20h18.4zM12 10v4.4M12 17.2v.1",
	bad: "M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3zM9 9l6 6M15 9l-6 6",
	info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5.4M12 7.7v.1",
	send: "M21 3 10.5 13.5M21 3l-6.6 18-3.9-7.5L3 9.6z",
	receive: "M4 13.5V19a1.5 1.5 0 0 0 1.5 1.5h13A1.5 1.5 0 0 0 20 19v-5.5M4 13.5h4.5l1.5 2.5h4l1.5-2.5H20M12 3v8.5M8.5 8.2 12 11.7l3.5-3.5",
	shield: "M12 3 4.5 5.8v5.7c0 4.6 3.1 7.8 7.5 9.5 4.4-1.7 7.5-4.9 7.5-9.5V5.8zM8.7 11.9l2.4 2.4 4.3-4.6",
	key: "M8 11.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM11.3 12.7 20.5 3.5M16.5 7.5l3 3",
	device: "M8 2.5h8A1.5 1.5 0 0 1 17.5 4v16a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 20V4A1.5 1.5 0 0 1 8 2.5zM11 18.3h2",
	computer: "M5 4.5h14A1.5 1.5 0 0 1 20.5 6v8.5h-17V6A1.5 1.5 0 0 1 5 4.5zM2 19h20M9.5 14.5 9 19M14.5 14.5 15 19",
	tool: "M8 7l-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14",
	user: "M12 3.5a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4zM4 20.5c.6-4 3.8-6 8-6s7.4 2 8 6",
	clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7.5V12l3.2 2",
	copy: "M9 8.5h10.5v12H9zM5.5 15.5h-1v-12H15v1.5",
	globe: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3.5 12h17M12 3c-5.3 5.4-5.3 12.6 0 18M12 3c5.3 5.4 5.3 12.6 0 18",
	home: "M3.5 11.5 12 4l8.5 7.5M6 9.8V20h12V9.8M10 20v-5.5h4V20",
	search: "M10.5 3.5a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM15.6 15.6l5 5",
	staff: "M9 4a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2.5 19.5c.5-3.5 3-5.3 6.5-5.3s6 1.8 6.5 5.3M16 4.4a3.4 3.4 0 0 1 0 6.3M18.3 14.8c1.9.8 3 2.4 3.2 4.7",
	menu: "M4 7h16M4 12h16M4 17h16",
	close: "M6 6l12 12M18 6 6 18",
	out: "M14 4H6v16h8M10.5 12H21M17.5 8.5 21 12l-3.5 3.5",
	list: "M9 6.5h11M9 12h11M9 17.5h11M4.5 6.5v.1M4.5 12v.1M4.5 17.5v.1",
	print: "M7 8.5v-5h10v5M7 17H4V8.5h16V17h-3M7 14h10v6.5H7z",
	save: "M12 3.5v11M7.5 10.5 12 15l4.5-4.5M4 20h16",
};
const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
	const svg = document.createElementNS(SVG, "svg");
	const path = document.createElementNS(SVG, "path");
	svg.setAttribute("class", `icon icon-${name}`);
	svg.setAttribute("viewBox", "0 0 24 24");
	svg.setAttribute("aria-hidden", "true");
	svg.setAttribute("focusable", "false");
	path.setAttribute("d", PATHS[name]);
	svg.append(path);
	return svg;
}
