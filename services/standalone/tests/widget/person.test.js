// Handing over to a person, and how the chat looks to people who see, hear and hold it otherwise.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const axe = require("axe-core");
const { APP } = require("./site.js");
const { Visitor } = require("./visitor.js");
const { ANSWER, arrive, converse, leave, picture, world } = require("./world.js");

const NOT_COVERED = "I could not find that in our documents. A person can help you.";

/** What the checker for accessibility has to complain about the chat. */
async function complaints(visitor, place = "echo-widget") {
  await visitor.page.evaluate(axe.source);
  const found = await visitor.page.evaluate((where) => window.axe.run(where, { resultTypes: ["violations"] }), place);
  return found.violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`)]);
}

test("what the documents do not say goes to a person, who gets the whole conversation", async () => {
  const visitor = await arrive();
  await visitor.open();
  await converse(visitor, "Can I return a kettle?", "Within 30 days [1].");
  await converse(visitor, "Do you buy old kettles?", NOT_COVERED, { verdict: "not_covered", sources: [] });
  assert.equal(await visitor.answer.locator(".strong").textContent(), "Talk to a person");
  await visitor.answer.locator(".strong").click();
  assert.equal(await visitor.page.getByLabel("Your message").inputValue(), "Do you buy old kettles?");

  const email = visitor.page.getByLabel("Your e-mail address");
  for (const wrong of ["", "you", "you@", "you@host"]) {
    await email.fill(wrong);
    await visitor.button("Pass it on").click();
    await visitor.sees("Please enter an e-mail address", visitor.page.locator(".person .problem"));
    assert.equal(await email.getAttribute("aria-invalid"), "true");
    assert.equal(await email.evaluate((field) => field.getRootNode().activeElement === field), true);
  }
  await email.fill("you@yourcompany.com");
  await visitor.button("Pass it on").click();
  const refused = await world.echo.next();
  refused.refuse(503, "unavailable");
  await visitor.sees("That could not be passed on.", visitor.page.locator(".person .problem"));
  await visitor.button("Pass it on").click();
  const asked = await world.echo.next();
  assert.equal(asked.what, `/api/${APP}/handover`);
  assert.deepEqual(asked.body, {
    email: "you@yourcompany.com",
    question: "Do you buy old kettles?",
    url: `${world.site.url}/`,
    history: [
      { role: "user", text: "Can I return a kettle?" },
      { role: "assistant", text: "Within 30 days [1]." },
      { role: "user", text: "Do you buy old kettles?" },
      { role: "assistant", text: NOT_COVERED },
    ],
    conversationId: "conversation-1",
  });
  asked.json(200, { success: true, ticketId: "tkt-4711" });
  await visitor.sees("tkt-4711", visitor.page.locator(".ticket"));
  await visitor.sees("Ticket: tkt-4711", visitor.status);
  assert.equal(await visitor.focused(), "Your question");
  await visitor.goTo(world.site.page());
  await visitor.open();
  await visitor.sees("tkt-4711", visitor.page.locator(".ticket"));
  await leave(visitor);
});

test("the form for a person can be given up, also by Escape, and knows who asks", async () => {
  const visitor = await arrive({ "user-email": "jane@example.com" });
  await visitor.open();
  await converse(visitor, "Can I return a kettle?", ANSWER);
  await visitor.button("Talk to a person", visitor.answer).click();
  assert.equal(await visitor.page.getByLabel("Your e-mail address").inputValue(), "jane@example.com");
  await visitor.button("Cancel").click();
  assert.equal(await visitor.focused(), "Your question");
  await visitor.button("Talk to a person", visitor.answer).click();
  await visitor.page.keyboard.press("Escape");
  assert.equal(await visitor.focused(), "Open the chat");
  await leave(visitor);
});

for (const [theme, primary] of [
  ["light", "#3b82f6"],
  ["dark", "#3b82f6"],
  ["light", "#facc15"],
  ["dark", "#0f172a"],
]) {
  test(`nothing shuts anybody out: ${theme}, ${primary}`, async () => {
    const attributes = { "primary-color": primary, ...(primary === "#3b82f6" ? {} : { theme }) };
    const visitor = await arrive(attributes, { bypassCSP: true, colorScheme: theme });
    assert.deepEqual(await complaints(visitor), []);
    await visitor.open();
    await converse(visitor, "Can I return a kettle that I have already used?", ANSWER);
    await visitor.button("This helped").click();
    (await world.echo.next()).json(204);
    await visitor.sees("Thank you", visitor.status);
    assert.deepEqual(await complaints(visitor), []);
    if (primary === "#3b82f6") await picture(visitor, theme);

    await converse(visitor, "Do you buy old kettles?", NOT_COVERED, { verdict: "not_covered", sources: [] });
    await visitor.input.fill("x".repeat(501));
    assert.deepEqual(await complaints(visitor), []);
    await visitor.input.fill("");
    await visitor.answer.locator(".strong").click();
    await visitor.button("Pass it on").click();
    await visitor.page.locator(".person .problem").waitFor();
    assert.deepEqual(await complaints(visitor), []);
    if (primary === "#3b82f6") await picture(visitor, `handover-${theme}`);
    await leave(visitor);
  });
}

test("a narrow phone shows all of it", async () => {
  const phone = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
  const visitor = await arrive({ lang: "de" }, phone);
  await picture(visitor, "phone-closed");
  await visitor.open();
  await converse(visitor, "Kann ich einen Wasserkocher zurückgeben?", `${ANSWER}\n\n\`${"x".repeat(80)}\``);
  await converse(visitor, "Kaufen Sie alte an?", "Dazu steht nichts in unseren Unterlagen.", { verdict: "not_covered", sources: [] });
  const box = await visitor.panel.boundingBox();
  assert.deepEqual(box, { x: 0, y: 0, width: 320, height: 640 });
  const wider = await visitor.page.locator(".log").evaluate((log) => log.scrollWidth - log.clientWidth);
  assert.equal(wider, 0);
  await picture(visitor, "phone");
  await visitor.answer.locator(".strong").click();
  await visitor.page.getByLabel("Ihre E-Mail-Adresse").waitFor();
  await picture(visitor, "phone-handover");
  await visitor.button("Abbrechen").click();
  await visitor.button("Chat schließen", visitor.panel).click();
  assert.equal(await visitor.focused(), "Chat öffnen");
  await leave(visitor);
});

test("who wants no motion sees none", async () => {
  const visitor = await arrive({}, { reducedMotion: "reduce" });
  await visitor.open();
  await visitor.ask("Can I return a kettle?");
  const asked = await world.echo.next();
  const moving = () => document.querySelector("echo-widget").shadowRoot.getAnimations().length;
  assert.equal(await visitor.page.evaluate(moving), 0);
  asked.begin().end("Yes.");
  await visitor.sees("Yes.");
  await leave(visitor);
});

test("the demo page carries the chat under a policy of its own", async () => {
  const page = `${process.env.ECHO}/demo/widget?app_id=${APP}`;
  const visitor = await Visitor.at(world.browser, page);
  await visitor.open();
  await picture(visitor, "demo");
  assert.deepEqual(await complaints(visitor, "html"), []);
  await visitor.page.goto(`${process.env.ECHO}/demo/widget`);
  assert.deepEqual(await complaints(visitor, "html"), []);
  await visitor.page.getByLabel("App id").fill(APP);
  await visitor.button("Show the chat").click();
  await visitor.launcher.waitFor();
  assert.equal(visitor.page.url(), page);
  await visitor.leave(process.env.ECHO);
});
