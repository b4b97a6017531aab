// The chat over a whole Echo: a document is brought, a page asks, rates and hands over, and the owner finds what came of it.
"use strict";

const assert = require("node:assert/strict");
const { after, before, test } = require("node:test");
const { Site } = require("./site.js");
const { Visitor, startBrowser } = require("./visitor.js");

const ECHO = process.env.ECHO;
const RETURNS = "Returns. A kettle can be sent back within 30 days. We refund the price two days after it has arrived.";

let site;
let browser;
let key;

/** Asks Echo as the owner's program. */
async function asOwner(path, body, method = body ? "POST" : "GET") {
  const headers = { "content-type": "application/json", ...(key && { "x-api-key": key }) };
  const response = await fetch(ECHO + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

/** An app for these sites that knows about returns. Answers its id. */
async function app(...sites) {
  const { id } = await asOwner("/v1/apps", { name: "Help", allowed_domains: sites });
  await asOwner(`/api/${id}/ingest`, { text: RETURNS, url: "https://help.example.com/returns" });
  return id;
}

before(async () => {
  const account = await asOwner("/auth/signup", {
    email: "jane@kettles.example",
    password: "a long pass phrase",
    first_name: "Jane",
    last_name: "Doe",
    business_name: "Kettles",
    business_summary: "Sells kettles",
    industry: "Retail",
  });
  key = account.default_project.api_key;
  site = await Site.start(ECHO);
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  site?.stop();
});

test("a page's visitor is answered with a source, rates it, and is handed over with the whole conversation", async () => {
  const id = await app("localhost");
  const visitor = await Visitor.at(browser, site.page({ "app-id": id }));
  await visitor.open();
  await visitor.ask("How long can I send a kettle back?");
  await visitor.sees("within 30 days");
  await visitor.answer.locator(".actions").waitFor();
  assert.equal(await visitor.answer.locator("a[href='https://help.example.com/returns']").count() > 0, true);
  await visitor.button("This helped").click();
  await visitor.sees("Thank you", visitor.status);

  await visitor.ask("Do you buy old kettles from Norway?");
  await visitor.answer.locator(".strong").click();
  await visitor.page.getByLabel("Your e-mail address").fill("joe@example.com");
  await visitor.button("Pass it on").click();
  await visitor.sees("joe@example.com", visitor.page.locator(".ticket"));

  const [ticket] = await asOwner(`/api/apps/tickets?appId=${id}`);
  const whole = await asOwner(`/api/apps/tickets/${ticket.id}?appId=${id}`);
  assert.equal(whole.email, "joe@example.com");
  assert.equal(whole.question, "Do you buy old kettles from Norway?");
  assert.equal(new URL(whole.url).origin, site.url);
  const said = whole.transcript.map(({ role }) => role);
  assert.deepEqual(said, ["user", "assistant", "user", "assistant"]);
  await visitor.sees(ticket.id, visitor.page.locator(".ticket"));
  const insights = await asOwner(`/api/apps/insights?appId=${id}`);
  assert.deepEqual([insights.questions, insights.unanswered, insights.helpful], [2, 1, 1]);
  await visitor.leave(site.url, ECHO);
});

test("a site that the app does not allow learns nothing, and one that is allowed later is answered", async () => {
  const id = await app();
  const visitor = await Visitor.at(browser, site.page({ "app-id": id }));
  await visitor.open();
  await visitor.ask("How long can I send a kettle back?");
  // The browser keeps a refusal from a page that may not ask.
  await visitor.sees("We cannot be reached at the moment.");
  await asOwner(`/v1/apps/${id}`, { allowed_domains: ["localhost"] }, "PATCH");
  await visitor.ask("How long can I send a kettle back?");
  await visitor.sees("within 30 days");
  await visitor.leave(site.url, ECHO);
});

test("the demo page asks its own Echo", async () => {
  const id = await app("127.0.0.1");
  const visitor = await Visitor.at(browser, `${ECHO}/demo/widget?app_id=${id}`);
  await visitor.open();
  await visitor.ask("How long can I send a kettle back?");
  await visitor.sees("within 30 days");
  await visitor.leave(ECHO, ECHO);
});
