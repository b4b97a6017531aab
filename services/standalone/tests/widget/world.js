// What each test begins with: an Echo that says what it is told, a page with the chat, a browser. The tests of one program share them.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { after, before } = require("node:test");
const { Site } = require("./site.js");
const { Stub } = require("./stub.js");
const { Visitor, startBrowser } = require("./visitor.js");

const SOURCES = [
  { id: "s1", title: "Returns and refunds", url: "https://help.example.com/returns", score: 0.91 },
  { id: "s2", title: "Grüße aus der Werkstatt", url: "https://shop.example.com/care", score: 0.64 },
  { id: "s3", title: "Notes without an address", url: null, score: 0.4 },
];

const ANSWER =
  "You can send a kettle back **within 30 days** [1].\n\n1. Print the label from [your orders](https://help.example.com/returns).\n" +
  "2. Pack it with `order number` on the outside.\n\nWe refund you two days after it arrives, and descale it before that [2].";

const world = {};

before(async () => {
  const script = await (await fetch(`${process.env.ECHO}/widget.js`)).text();
  world.echo = await Stub.start(script);
  world.site = await Site.start(world.echo.url);
  world.browser = await startBrowser();
});

after(async () => {
  await world.browser?.close();
  world.site?.stop();
  world.echo?.stop();
});

/** Somebody on the page whose tag has these attributes. */
async function arrive(attributes = {}, options = {}) {
  return Visitor.at(world.browser, world.site.page(attributes), options);
}

/** They leave, and have asked nobody else. */
async function leave(visitor) {
  await visitor.leave(world.site.url, world.echo.url);
}

/** Asks and is answered. Answers what was asked of Echo. */
async function converse(visitor, question, text, head = {}) {
  await visitor.ask(question);
  const asked = await world.echo.next();
  asked.begin({ sources: SOURCES, ...head }).end(text);
  await visitor.answer.locator(".actions").waitFor();
  return asked;
}

/** A picture for people who look at what the tests saw. */
async function picture(visitor, name) {
  fs.mkdirSync(process.env.PICTURES, { recursive: true });
  await visitor.page.screenshot({ path: path.join(process.env.PICTURES, `widget-${name}.png`), animations: "disabled" });
}

module.exports = { ANSWER, SOURCES, arrive, converse, leave, picture, world };
