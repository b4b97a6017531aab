// A conversation on somebody else's page, as long as all goes well.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const { APP } = require("./site.js");
const { ANSWER, SOURCES, arrive, converse, leave, world } = require("./world.js");

test("the keyboard opens the window, asks, and closes it", async () => {
  const visitor = await arrive();
  assert.equal(await visitor.panel.count(), 0);
  await visitor.page.keyboard.press("Tab");
  await visitor.page.keyboard.press("Tab");
  assert.equal(await visitor.focused(), "Open the chat");
  await visitor.page.keyboard.press("Enter");
  assert.equal(await visitor.panel.getAttribute("aria-labelledby"), "title");
  assert.equal(await visitor.page.getByRole("dialog", { name: "Chat with us" }).count(), 1);
  assert.equal(await visitor.focused(), "Your question");
  assert.equal(await visitor.launcher.getAttribute("aria-expanded"), "true");

  await visitor.page.keyboard.type("One line");
  await visitor.page.keyboard.press("Shift+Enter");
  await visitor.page.keyboard.type("and another");
  await visitor.page.keyboard.press("Enter");
  const asked = await world.echo.next();
  assert.deepEqual(asked.body, { question: "One line\nand another" });
  assert.equal(asked.what, `/api/${APP}/query`);
  asked.begin().end("Yes.");
  await visitor.sees("Yes.");

  await visitor.page.keyboard.press("Escape");
  assert.equal(await visitor.panel.count(), 0);
  assert.equal(await visitor.focused(), "Open the chat");
  const heard = (await visitor.heard()).map(([what]) => what);
  assert.deepEqual(heard, ["opened", "asked", "answered", "closed"]);
  await leave(visitor);
});

test("an answer is seen as it comes, and read out when it is whole", async () => {
  const visitor = await arrive();
  await visitor.open();
  await visitor.ask("Can I return a kettle?");
  const asked = await world.echo.next();
  assert.equal(await visitor.status.textContent(), "Looking for an answer…");
  asked.begin({ sources: SOURCES }).write("You can send it back **with");
  await visitor.sees("You can send it back **with");
  assert.equal(await visitor.status.textContent(), "Looking for an answer…");
  assert.equal(await visitor.button("Send").isDisabled(), true);
  asked.write("in 30 days** [1]");
  await visitor.sees("within 30 days", visitor.answer.locator("strong"));
  asked.end(".");
  await visitor.sees("within 30 days", visitor.status);
  assert.equal(await visitor.button("Send").isDisabled(), false);
  await leave(visitor);
});

test("sources stand below, and a mark leads to its own", async () => {
  const visitor = await arrive();
  await visitor.open();
  await converse(visitor, "Can I return a kettle?", `${ANSWER} [3] and [4] and [0]`);
  const listed = visitor.answer.locator(".sources li");
  assert.deepEqual(await listed.allTextContents(), [
    "1Returns and refunds",
    "2Grüße aus der Werkstatt",
    "3Notes without an address",
  ]);
  assert.equal(await listed.locator("a").count(), 2);
  assert.equal(await listed.first().locator("a").getAttribute("href"), "https://help.example.com/returns");
  await visitor.sees("[4] and [0]");

  await visitor.button("Source 2: Grüße aus der Werkstatt", visitor.answer).click();
  assert.equal(await visitor.focused(), "Grüße aus der Werkstatt");
  await visitor.button("Source 3: Notes without an address", visitor.answer).click();
  assert.equal(await visitor.focused(), "3Notes without an address");
  assert.equal(await visitor.answer.locator("ol:not(.sources ol) li").count(), 2);
  assert.equal(await visitor.answer.locator("code").textContent(), "order number");
  await leave(visitor);
});

test("the conversation goes on: in the next question, after a reload, and for this app alone", async () => {
  const visitor = await arrive();
  await visitor.open();
  await converse(visitor, "Can I return a kettle?", ANSWER);
  const second = await converse(visitor, "And a lid?", "A lid, too [1].");
  assert.equal(second.body.conversationId, "conversation-1");

  await visitor.goTo(world.site.page());
  await visitor.open();
  assert.equal(await visitor.page.locator(".question").count(), 2);
  await visitor.sees("A lid, too");
  assert.equal(await visitor.answer.locator(".sources li").count(), 3);
  assert.equal(await visitor.button("Source 1: Returns and refunds", visitor.answer).count(), 1);

  await visitor.goTo(world.site.page({ "app-id": "app_another" }));
  await visitor.open();
  assert.equal(await visitor.page.locator(".question").count(), 0);

  await visitor.goTo(world.site.page());
  await visitor.open();
  await visitor.button("Clear the conversation").click();
  assert.equal(await visitor.page.locator(".question").count(), 0);
  assert.equal(await visitor.page.evaluate(() => localStorage.length), 0);
  const anew = await converse(visitor, "Hello?", "Hello.");
  assert.equal(anew.body.conversationId, undefined);
  await leave(visitor);
});

test("a question has at most 500 characters, as people count them", async () => {
  const visitor = await arrive();
  await visitor.open();
  await visitor.input.fill("😀".repeat(501));
  await visitor.sees("501 of 500 characters", visitor.page.locator(".counter.over"));
  await visitor.input.press("Enter");
  await visitor.sees("Please ask in at most 500 characters.", visitor.status);
  assert.equal(await visitor.page.locator(".question").count(), 0);
  const longest = "😀".repeat(500);
  const asked = await converse(visitor, longest, "Well.");
  assert.equal(asked.body.question, longest);
  await leave(visitor);
});

test("an answer is rated, and what was chosen is seen", async () => {
  const visitor = await arrive();
  await visitor.open();
  await converse(visitor, "Can I return a kettle?", ANSWER, { id: "answer-7" });
  await visitor.button("This helped").click();
  const rated = await world.echo.next();
  assert.equal(rated.what, `/api/${APP}/feedback`);
  assert.deepEqual(rated.body, { messageId: "answer-7", helpful: true });
  rated.json(204);
  await visitor.sees("Thank you for telling us.", visitor.status);
  assert.equal(await visitor.button("This helped").getAttribute("aria-pressed"), "true");
  assert.equal(await visitor.button("This did not help").getAttribute("aria-pressed"), "false");
  await leave(visitor);
});

test("it speaks the page's language, or the one that its tag names", async () => {
  const german = await arrive({ lang: "de-AT", "user-name": "Jana" });
  assert.equal(await german.launcher.getAttribute("aria-label"), "Chat öffnen");
  await german.open();
  await german.sees("Hallo Jana!", german.page.locator(".hello"));
  await leave(german);
  const named = await arrive({ lang: "de", language: "en", greeting: "Ask the workshop" });
  await named.open();
  assert.equal(await named.page.getByRole("dialog", { name: "Ask the workshop" }).count(), 1);
  await leave(named);
});

test("the page's own scripts can open it and ask", async () => {
  const visitor = await arrive({ position: "top-left" });
  await visitor.page.evaluate(() => window.EchoWidget.ask("Where are you?"));
  const asked = await world.echo.next();
  assert.equal(asked.body.question, "Where are you?");
  asked.begin({ verdict: "partial" }).end("In the mill.");
  await visitor.sees("In the mill.");
  const [left, top] = await visitor.launcher.evaluate((node) => [node.getBoundingClientRect().left, node.getBoundingClientRect().top]);
  assert.deepEqual([left, top], [20, 20]);
  await visitor.page.evaluate(() => window.EchoWidget.close());
  assert.equal(await visitor.panel.count(), 0);
  assert.deepEqual((await visitor.heard())[2], ["answered", { verdict: "partial", sources: 0 }]);
  await leave(visitor);
});
