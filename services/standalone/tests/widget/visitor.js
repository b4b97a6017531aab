// Somebody in a browser: what they see, press and type. Whatever a page loads from elsewhere, and whatever its policy forbade, is
// noted.
"use strict";

const assert = require("node:assert/strict");
const { chromium } = require("playwright-core");

/** Longer than anything takes on a busy machine. */
const PATIENCE = 30_000;

async function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    // Nothing but this machine is ever asked for.
    args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"],
  });
}

class Visitor {
  static async at(browser, url, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1180, height: 780 }, locale: "en-GB", ...options });
    context.setDefaultTimeout(PATIENCE);
    const visitor = new Visitor();
    visitor.context = context;
    visitor.page = await context.newPage();
    visitor.asked = [];
    visitor.complaints = [];
    visitor.page.on("request", (request) => visitor.asked.push(request.url()));
    visitor.page.on("pageerror", (error) => visitor.complaints.push(String(error)));
    visitor.page.on("console", (line) => {
      if (/Content Security Policy|Trusted Type/i.test(line.text())) visitor.complaints.push(line.text());
    });
    visitor.page.on("dialog", (dialog) => {
      visitor.complaints.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    await context.addInitScript(() => {
      window.heard = [];
      for (const what of ["opened", "closed", "asked", "answered", "rated", "handed-over", "failed"]) {
        document.addEventListener(`echo:${what}`, (event) => window.heard.push([what, event.detail]));
      }
    });
    await visitor.goTo(url);
    return visitor;
  }

  async goTo(url) {
    await this.page.goto(url);
    await this.launcher.waitFor();
  }

  get launcher() {
    return this.page.locator(".launcher");
  }

  get panel() {
    return this.page.getByRole("dialog");
  }

  get input() {
    return this.page.locator(".composer textarea");
  }

  get answer() {
    return this.page.locator(".answer").last();
  }

  get status() {
    return this.page.locator(".unseen[role=status]");
  }

  button(name, within = this.page) {
    return within.getByRole("button", { name, exact: true });
  }

  async open() {
    await this.launcher.click();
    await this.panel.waitFor();
  }

  /** Types a question and presses Enter. */
  async ask(question) {
    await this.input.fill(question);
    await this.input.press("Enter");
  }

  /** Waits until this text is in that place. */
  async sees(text, within = this.answer) {
    await within.filter({ hasText: text }).waitFor();
  }

  /** What has the focus, inside the shadow. */
  async focused() {
    return this.page.evaluate(() => {
      const deep = (root) => (root.activeElement?.shadowRoot ? deep(root.activeElement.shadowRoot) : root.activeElement);
      const found = deep(document);
      return found.getAttribute("aria-label") || found.textContent || found.tagName;
    });
  }

  /** The events that the page has heard. */
  async heard() {
    return this.page.evaluate(() => window.heard);
  }

  /** Leaves. Nothing was forbidden, and nobody else was asked but these. */
  async leave(...allowed) {
    const strangers = this.asked.filter((url) => !url.startsWith("data:") && !allowed.some((known) => url.startsWith(known)));
    assert.deepEqual(strangers, []);
    assert.deepEqual(this.complaints, []);
    await this.context.close();
  }
}

module.exports = { Visitor, startBrowser };
