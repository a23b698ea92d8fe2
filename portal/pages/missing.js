// SPDX-License-Identifier: ISC
import {h} from "../dom.js";
import {t} from "../text.js";
import {link} from "../ui.js";

export async function page() {
	return {title: t("page.missing"), body: [h("p", {}, t("missing.text")),
		h("div.actions", {}, link(t("page.overview"), "#/overview", "button.primary"))]};
}
