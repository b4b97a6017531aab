"use strict";

const at = (id) => document.getElementById(id);
const POLL_MS = 500;
const SHOWN = 20;
let people = [];
let chosen = null;

/** Asks the carrier; a problem is told at the top of the page. */
async function ask(path, options) {
  const answer = await fetch("/sandbox/v1/" + path, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || "The carrier answers " + answer.status + ".");
  return body;
}

async function attempt(work) {
  try {
    await work();
    at("problem").hidden = true;
  } catch (error) {
    at("problem").textContent = error instanceof TypeError ? "The sandbox carrier does not answer." : error.message;
    at("problem").hidden = false;
  }
}

function element(name, text, children) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  made.append(...(children || []));
  return made;
}

function row(cells) {
  return element("tr", undefined, cells.map((cell) => (cell instanceof Node ? element("td", undefined, [cell]) : element("td", cell))));
}

function option(value, text) {
  const made = element("option", text);
  made.value = value;
  return made;
}

async function showAccount() {
  const account = await ask("account");
  at("account-sid").textContent = account.account_sid;
  at("auth-token").textContent = account.auth_token;
  at("numbers").replaceChildren(...account.numbers.map((number) =>
    row([element("code", number.number), element("code", number.number_sid), number.voice_url || "nobody yet: it has no voice URL"])));
  const before = at("to").value;
  at("to").replaceChildren(...account.numbers.map((number) =>
    option(number.number, number.number + (number.answers ? "" : " (nobody answers)"))));
  const answers = account.numbers.find((number) => number.answers);
  at("to").value = before || (answers || account.numbers[0]).number;
}

async function showPeople() {
  people = (await ask("people")).people;
  at("people").replaceChildren(...people.map((person) => row([element("code", person.number), person.name, person.about])));
  at("from").replaceChildren(...people.map((person) => option(person.number, person.number + " " + person.name)));
  const caller = people.find((person) => person.name === "books_a_table");
  if (caller) at("from").value = caller.number;
  showAbout();
}

function showAbout() {
  const person = people.find((one) => one.number === at("from").value);
  at("about").textContent = person ? person.about : "";
}

function lineOf(line) {
  const made = element("li", undefined, [element("b", line.by === "agent" ? "Echo" : "Person")]);
  made.append(" " + (line.keys ? "presses " + line.text : line.text) + (line.interrupted ? " …" : ""));
  made.className = line.by;
  made.dataset.text = made.textContent;
  return made;
}

/** Only what is new is added or changed, so that a screen reader does not begin again. */
function showTranscript(lines) {
  const list = at("transcript");
  lines.forEach((line, index) => {
    const made = lineOf(line);
    const there = list.children[index];
    if (!there) list.append(made);
    else if (there.dataset.text !== made.dataset.text) there.replaceWith(made);
  });
}

const OVER = ["completed", "busy", "no-answer", "failed", "canceled"];

async function readAlong(sid) {
  if (chosen !== sid) return;
  let over = false;
  await attempt(async () => {
    const call = await ask("calls/" + sid);
    if (chosen !== sid) return;
    over = OVER.includes(call.status);
    const status = call.from + " → " + call.to + ": " + call.status;
    showTranscript(call.transcript);
    if (at("call-status").textContent !== status) {
      at("call-status").textContent = status;
      await showCalls();
    }
  });
  if (!over && chosen === sid) setTimeout(readAlong, POLL_MS, sid);
}

function choose(sid) {
  chosen = sid;
  at("transcript").replaceChildren();
  at("call-status").textContent = "…";
  readAlong(sid);
}

async function showCalls() {
  const calls = await ask("calls?limit=" + SHOWN);
  const focused = document.activeElement;
  const before = new Map([...at("calls").children].map((item) => [item.dataset.sid, item]));
  at("calls").replaceChildren(...calls.map((call) => {
    const text = call.from + " → " + call.to + ", " + call.status;
    const known = before.get(call.sid);
    if (known) {
      known.firstChild.textContent = text;
      return known;
    }
    const button = element("button", text);
    button.type = "button";
    button.addEventListener("click", () => choose(call.sid));
    const item = element("li", undefined, [button]);
    item.dataset.sid = call.sid;
    return item;
  }));
  // Whoever stands on a call with the keyboard stays there.
  if (at("calls").contains(focused)) focused.focus();
}

at("ring-form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const wanted = { from: at("from").value, to: at("to").value, hidden: at("hidden").checked };
    const headers = { "content-type": "application/json" };
    const call = await ask("incoming", { method: "POST", headers, body: JSON.stringify(wanted) });
    choose(call.call_sid);
    await showCalls();
  });
});
at("from").addEventListener("change", showAbout);
at("refresh").addEventListener("click", () => attempt(async () => { await showAccount(); await showCalls(); }));
attempt(async () => { await showAccount(); await showPeople(); await showCalls(); });
