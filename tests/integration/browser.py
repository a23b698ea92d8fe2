# SPDX-License-Identifier: ISC
"""A real browser for the tests: Debian's Chromium, driven through playwright-core (browser.mjs). People's words are
used to find things: a button or a field that has no name cannot be pressed or filled."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODULES = pathlib.Path(os.environ.get("GATEPOST_NODE_MODULES", HERE / "node_modules"))
SHOTS = os.environ.get("GATEPOST_SCREENSHOTS")
WIDTHS = (360, 768, 1280)
SCHEMES = ("light", "dark")

AXE = """
if (!await page.evaluate(() => Boolean(window.axe)))
    await page.evaluate(require("fs").readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
const {violations} = await page.evaluate(() => window.axe.run(document, {resultTypes: ["violations"]}));
return violations.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.target.join(" ")} ${node.failureSummary}`));
"""
# The page that was asked for is there, and nothing on it moves any more.
SETTLED = """
await page.waitForFunction(() => document.querySelector("h1") && !document.querySelector("main[aria-busy]"));
"""


class BrowserError(Exception):
    pass


class Browser:
    def __init__(self, base, **options):
        self.base = base
        self.profile = tempfile.mkdtemp(prefix="gatepost-browser-")
        setup = {"modules": str(MODULES), "profile": self.profile, "options": options}
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(["node", HERE / "browser.mjs", json.dumps(setup)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise BrowserError("the browser is gone: " + self.errors.read().decode(errors="replace")[-2000:])
        answer = json.loads(line)
        if "error" in answer:
            raise BrowserError(answer["error"])
        return answer["value"]

    def run(self, code, **args):
        self.process.stdin.write(json.dumps({"code": code, "args": args}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    # Going about.

    def go(self, path=""):
        """A fresh load of the page, as from a bookmark."""
        self.run("await page.goto('about:blank'); await page.goto(args.url);" + SETTLED, url=self.base + path)

    def follow(self, path):
        """Within the page, as by a link."""
        self.run("await page.evaluate((path) => { location.hash = path; }, args.path);"
                 "await page.waitForTimeout(0);" + SETTLED, path=path)

    def fill(self, label, text):
        self.run("await page.getByLabel(args.label, {exact: true}).and(page.locator('input')).fill(args.text)",
                 label=label, text=text)

    def press(self, name, within="body"):
        self.run("await page.locator(args.within).getByRole('button', {name: args.name, exact: true}).first().click()",
                 name=name, within=within)

    def click(self, name, within="main"):
        self.run("await page.locator(args.within).getByRole('link', {name: args.name, exact: true}).first().click();"
                 + SETTLED, name=name, within=within)

    def tick(self, label, is_on=True):
        self.run("await page.getByLabel(args.label, {exact: true}).setChecked(args.on)", label=label, on=is_on)

    def key(self, name):
        self.run("await page.keyboard.press(args.name)", name=name)

    # Looking.

    def see(self, *texts):
        """Waits until each of them can be read."""
        for text in texts:
            self.run("await page.locator('body').getByText(args.text).filter({visible: true}).first().waitFor()", text=text)

    def heading(self, text):
        self.run("await page.getByRole('heading', {level: 1, name: args.text, exact: true}).waitFor();" + SETTLED, text=text)

    def text(self, selector="main"):
        return self.run("return await page.locator(args.selector).first().innerText()", selector=selector)

    def count(self, selector):
        return self.run("return await page.locator(args.selector).count()", selector=selector)

    def focused(self):
        """What has the focus: its text, label or name."""
        return self.run("return await page.evaluate(() => { const node = document.activeElement;"
                        "return node.labels?.[0]?.textContent || node.textContent || node.name || node.localName; })")

    def title(self):
        return self.run("return await page.title()")

    def url(self):
        return self.run("return page.url()")

    def violations(self):
        return self.run(AXE)

    def problems(self):
        """What the page complained of since the last question: scripts that failed, what the policy stopped."""
        return self.run("return seen.problems.splice(0)")

    def look(self, scheme, width):
        self.run("await page.emulateMedia({colorScheme: args.scheme, reducedMotion: 'reduce'});"
                 "await page.setViewportSize({width: args.width, height: args.width < 500 ? 740 : 900});",
                 scheme=scheme, width=width)

    def is_too_wide(self):
        return self.run("return await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)")

    def shot(self, name, selector=None, folder=SHOTS):
        """A picture of the whole page, or of one thing on it, if a folder is wanted; its path."""
        if not folder:
            return None
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        path = str(pathlib.Path(folder) / f"{name}.png")
        self.run("const what = args.selector ? page.locator(args.selector).first() : page;"
                 "await what.screenshot({path: args.path, fullPage: !args.selector});", path=path, selector=selector)
        return path

    def inspect(self, name):
        """Faults of the page as it is, in light and dark and at three widths: what axe finds, and what does not fit."""
        faults = []
        for scheme in SCHEMES:
            for width in WIDTHS:
                self.look(scheme, width)
                if self.is_too_wide():
                    faults.append(f"{name}: wider than {width}")
                if (scheme, width) in (("light", 1280), ("dark", 360)):  # between them all there is to judge
                    faults += [f"{name}, {scheme}, {width}: {fault}" for fault in self.violations()]
                self.shot(f"{name}-{width}-{scheme}")
        self.look(SCHEMES[0], WIDTHS[-1])
        return faults
