// What goes wrong: answers that break off or are refused, and answers that mean harm.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const { SOURCES, arrive, converse, leave, world } = require("./world.js");

test("what came of a broken answer stays, is said to be broken, and can be asked for again", async () => {
  const visitor = await arrive();
  await visitor.open();
  await visitor.ask("Can I return a kettle?");
  const asked = await world.echo.next();
  asked.begin({ sources: SOURCES }).write("You can send it");
  await visitor.sees("You can send it");
  asked.breakOff();
  await visitor.sees("The answer broke off.");
  await visitor.sees("You can send it");
  await visitor.sees("You can send it The answer broke off.", visitor.status);

  await visitor.button("Try again", visitor.answer).click();
  const again = await world.echo.next();
  assert.equal(again.body.question, "Can I return a kettle?");
  again.begin({ sources: SOURCES }).end("You can send it back.");
  await visitor.sees("You can send it back.");
  assert.equal(await visitor.page.locator(".answer").count(), 1);
  assert.equal(await visitor.page.locator(".question").count(), 1);
  await visitor.goTo(world.site.page());
  await visitor.open();
  assert.equal(await visitor.page.locator(".answer").count(), 1);
  await visitor.sees("You can send it back.");
  await leave(visitor);
});

test("who asks too often is told when to ask again, and cannot before", async () => {
  const visitor = await arrive();
  await visitor.page.clock.install();
  await visitor.open();
  await visitor.ask("And now?");
  (await world.echo.next()).refuse(429, "rate_limited", { "retry-after": "17" });
  await visitor.sees("Please try again in 17 s.");
  assert.equal(await visitor.button("Try again").isDisabled(), true);
  await visitor.page.clock.fastForward(17_000);
  await visitor.button("Try again").click();
  (await world.echo.next()).begin().end("Now.");
  await visitor.sees("Now.");
  const failed = (await visitor.heard()).filter(([what]) => what === "failed");
  assert.deepEqual(failed, [["failed", { status: 429, code: "rate_limited" }]]);
  await leave(visitor);
});

test("each refusal has its own words", async () => {
  const visitor = await arrive();
  await visitor.open();
  for (const [status, code, words] of [
    [403, "origin_not_allowed", "This chat is not set up for this site."],
    [404, "not_found", "This chat is not set up for this site."],
    [400, "invalid_request", "This could not be answered."],
    [503, "unavailable", "We cannot be reached at the moment."],
  ]) {
    await visitor.ask(`What of ${status}?`);
    (await world.echo.next()).refuse(status, code);
    await visitor.sees(words);
  }
  await visitor.context.setOffline(true);
  await visitor.ask("Anybody there?");
  await visitor.sees("You are offline.");
  await leave(visitor);
});

test("an answer without a word, and one with headers that are none, harm nothing", async () => {
  const visitor = await arrive();
  await visitor.open();
  await visitor.ask("Anything?");
  (await world.echo.next()).begin().end("  ");
  await visitor.sees("This could not be answered.");
  await converse(visitor, "And now?", "A [1] mark.", { sources: { not: "a list" } });
  await visitor.sees("A [1] mark.");
  await converse(visitor, "And now?", "More.", { sources: [null, 7, { title: 5, url: "javascript:alert(1)" }] });
  assert.equal(await visitor.answer.locator("a").count(), 0);
  assert.equal(await visitor.answer.locator(".sources li").count(), 3);
  await leave(visitor);
});

test("of a hostile answer nothing runs, nothing loads, and no link leads astray", async () => {
  const hostile = [
    "<img src=x onerror=\"alert(1)\"> <script>alert(2)</script> <b>bold?</b>",
    "![pixel](https://help.example.com/p.png) ![far](https://evil.example/p.png)",
    "[x](javascript:alert(3)) [y](https://evil.example/?q=1) [z](data:text/html,<script>alert(4)</script>)",
    "[port](https://help.example.com:8443/a) [under](https://help.example.com.evil.example/a)",
    "[user](https://help.example.com@evil.example/)",
    "https://evil.example/bare and https://help.example.com/fine. **[bold](https://help.example.com/in)**",
    "[[3]3] !<b>[x](https://shop.example.com/ok)</b> [![in](https://evil.example/i.png)](https://help.example.com/img)",
  ].join("\n\n");
  const visitor = await arrive();
  await visitor.open();
  await visitor.ask("Harm me");
  const asked = await world.echo.next();
  asked.begin({ sources: SOURCES });
  for (const piece of hostile.match(/[\s\S]{1,7}/g)) asked.write(piece);
  asked.end();
  await visitor.answer.locator(".actions").waitFor();

  const bubble = visitor.answer.locator(".bubble");
  await visitor.sees('<img src=x onerror="alert(1)"> <script>alert(2)</script> <b>bold?</b>', bubble);
  const names = await bubble.evaluate((node) => [...new Set([...node.querySelectorAll("*")].map((each) => each.localName))].sort());
  assert.deepEqual(names, ["a", "button", "p", "strong"]);
  const links = await bubble.locator("a").evaluateAll((found) => found.map((link) => link.href));
  const harmless = ["help.example.com/fine", "help.example.com/in", "shop.example.com/ok", "help.example.com/img"];
  assert.deepEqual(links, harmless.map((address) => `https://${address}`));
  const safe = await bubble.locator("a").evaluateAll((found) => found.every((link) => link.rel.includes("noopener")));
  assert.equal(safe, true);
  await leave(visitor);
});
