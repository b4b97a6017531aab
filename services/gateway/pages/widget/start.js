// The conversation: what happens when somebody asks, rates, wants a person. And the door for the page's own scripts:
// `EchoWidget.open()`, `.close()`, `.ask(question)`, `.clear()`, and the events `echo:opened`, `echo:closed`, `echo:asked`,
// `echo:answered`, `echo:rated`, `echo:handed-over`, `echo:failed`, which bubble up to the document.

class Chat {
  constructor(settings) {
    this.settings = settings;
    this.texts = TEXTS[settings.language];
    this.client = new Client(settings.base, settings.app);
    this.memory = new Memory(settings.base, settings.app);
    this.window = new ChatWindow(settings, this.texts, {
      ask: (question, failed) => this.ask(question, failed),
      rate: (entry, helpful) => this.rate(entry, helpful),
      handOver: (question) => this.wantPerson(question),
      clear: () => this.clear(),
      toggled: (open) => this.tell(open ? "opened" : "closed", {}),
    });
    this.recall();
  }

  /** Draws what was said on the page before. */
  recall() {
    let question = "";
    for (const entry of this.memory.entries) {
      if (entry.kind === "question") {
        question = entry.text;
        this.window.add(questionLine(this.texts, question));
      } else if (entry.kind === "answer") {
        const line = this.answerLine(question);
        line.begin(sourcesIn(JSON.stringify(entry.sources)));
        line.end(entry, entry.broken ? this.texts.brokeOff : "", 0);
      } else if (entry.kind === "ticket") {
        this.window.add(ticketLine(this.texts, entry));
      }
    }
  }

  answerLine(question) {
    const acts = { ask: (...of) => this.ask(...of), rate: (...of) => this.rate(...of), handOver: (of) => this.wantPerson(of) };
    const line = new AnswerLine(this.texts, acts, question);
    this.window.add(line.node);
    return line;
  }

  /** Asks; `failed` is the line of an attempt that this one replaces. */
  async ask(question, failed) {
    if (this.window.busy) return;
    if (failed) {
      this.forget(failed);
    } else {
      this.window.add(questionLine(this.texts, question));
      this.memory.add({ kind: "question", text: question });
    }
    this.tell("asked", { question });
    this.window.work(true);
    this.window.input.focus();
    this.window.say(this.texts.working);
    this.asking = new AbortController();
    await this.answer(question, this.answerLine(question), this.asking.signal);
  }

  /** Lets the answer come, whole or not. */
  async answer(question, line, signal) {
    const entry = { kind: "answer", text: "", id: "", verdict: "", sources: [], broken: false };
    let problem = "";
    let wait = 0;
    try {
      await this.client.ask(question, this.memory.conversation, {
        signal,
        onBegin: ({ conversation, ...known }) => {
          Object.assign(entry, known);
          this.memory.conversation = conversation || this.memory.conversation;
          line.begin(entry.sources);
        },
        onText: (text) => {
          entry.text += text;
          this.draw(line, entry);
        },
      });
      if (entry.text.trim() === "") throw new Refusal(200, "empty", 0);
    } catch (error) {
      // The conversation was cleared: nobody waits for the rest.
      if (signal.aborted) return;
      problem = problemText(this.texts, error);
      wait = error.wait || 0;
      this.tell("failed", { status: error.status || 0, code: error.code || "broke_off" });
    }
    this.settle(line, entry, problem, wait);
  }

  /** Draws once for all pieces that come before the screen is next painted. */
  draw(line, entry) {
    if (line.painting) return;
    line.painting = requestAnimationFrame(() => {
      line.painting = 0;
      this.window.growing(() => line.show(entry.text));
    });
  }

  settle(line, entry, problem, wait) {
    cancelAnimationFrame(line.painting);
    entry.broken = problem !== "";
    line.entry = entry;
    this.window.growing(() => line.end(entry, problem, wait));
    // What was refused outright is no part of the conversation.
    if (entry.text) this.memory.add(entry);
    this.window.work(false);
    this.window.say(`${line.bubble.textContent} ${problem}`.trim());
    if (!problem) this.tell("answered", { verdict: entry.verdict, sources: entry.sources.length });
  }

  /** Takes away an attempt that failed. */
  forget(line) {
    line.node.remove();
    this.memory.entries = this.memory.entries.filter((entry) => entry !== line.entry);
  }

  async rate(entry, helpful) {
    await this.client.rate(entry.id, helpful);
    entry.helpful = helpful;
    this.memory.keep();
    this.window.say(this.texts.thanks);
    this.tell("rated", { answer: entry.id, helpful });
  }

  wantPerson(question) {
    this.window.askForPerson({
      email: this.settings.userEmail,
      question,
      send: (filled) => this.handOver(filled),
    });
  }

  async handOver({ email, question }) {
    const { conversation } = this.memory;
    const ticket = await this.client.handOver({
      email,
      question,
      // Without what stands behind it: that may be a secret of the visitor.
      url: (location.origin + location.pathname).slice(0, 2048),
      history: this.memory.history(),
      ...(conversation && { conversationId: conversation }),
    });
    const entry = { kind: "ticket", email, ticket };
    this.memory.add(entry);
    this.window.add(ticketLine(this.texts, entry));
    this.window.say(`${this.texts.passed(email)} ${this.texts.ticket}: ${ticket}`);
    this.tell("handed-over", { ticket });
  }

  clear() {
    this.asking?.abort();
    this.window.work(false);
    this.memory.clear();
    this.window.hello(this.settings.userName);
    this.window.leavePerson();
    this.window.say(this.texts.cleared);
  }

  /** Tells the page. */
  tell(what, detail) {
    this.window.host.dispatchEvent(new CustomEvent(`echo:${what}`, { detail, bubbles: true, composed: true }));
  }
}

/** The page's own door. A question from there is bounded like one that was typed. */
function door(chat) {
  return Object.freeze({
    open: () => chat.window.toggle(true),
    close: () => chat.window.toggle(false),
    clear: () => chat.clear(),
    ask: (question) => {
      chat.window.toggle(true);
      chat.window.input.value = String(question);
      chat.window.count();
      chat.window.submit();
    },
  });
}

function start(tag) {
  const settings = settingsOf(tag);
  if (!settings.app) {
    console.error("Echo's chat needs the id of an app: <script src=\"…/widget.js\" data-app-id=\"app_…\" async></script>");
    return;
  }
  const chat = new Chat(settings);
  document.body.append(chat.window.host);
  window.EchoWidget = door(chat);
}

// Only now is it known which tag this is; the page's body may come later. A second tag changes nothing.
const tag = document.currentScript;
if (tag && !window.EchoWidget) {
  if (document.body) start(tag);
  else document.addEventListener("DOMContentLoaded", () => window.EchoWidget || start(tag), { once: true });
}
