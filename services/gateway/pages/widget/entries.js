// The lines of a conversation: a question, an answer with all that belongs to it, a ticket. They draw; what is to be done is told
// to `acts`: `ask(question)`, `rate(answer, helpful)`, `handOver(question)`.

function questionLine(texts, text) {
  return element("div", { className: "question" }, element("span", { className: "unseen" }, `${texts.you}: `), text);
}

function ticketLine(texts, { email, ticket }) {
  const number = element("p", {}, `${texts.ticket}: `, element("code", {}, ticket));
  return element("div", { className: "ticket" }, element("div", { className: "bubble" }, element("p", {}, texts.passed(email)), number));
}

/** An answer, from the moment of the question on. */
class AnswerLine {
  constructor(texts, acts, question) {
    this.texts = texts;
    this.acts = acts;
    this.question = question;
    this.bubble = element("div", { className: "bubble" }, waiting());
    this.below = element("div", {});
    this.node = element("div", { className: "answer" }, element("span", { className: "unseen" }, `${texts.us}: `), this.bubble, this.below);
    this.begin([]);
  }

  /** The sources are known. */
  begin(sources) {
    this.sources = sources;
    this.markdown = new Markdown(sources, (number) => this.mark(number));
  }

  /** So much of the text is there. */
  show(text) {
    this.bubble.replaceChildren(...this.markdown.read(text));
  }

  /** The answer is complete, or has ended with a `problem`. */
  end(entry, problem, wait) {
    this.show(entry.text);
    this.bubble.hidden = entry.text === "";
    this.items = this.sources.map((source, at) => sourceItem(this.texts, source, at + 1));
    const parts = [];
    if (entry.text && this.items.length > 0) parts.push(this.sourceList());
    if (problem) parts.push(element("p", { className: "problem" }, problem));
    parts.push(this.actions(entry, problem, wait));
    this.below.replaceChildren(...parts);
  }

  sourceList() {
    const heading = element("h3", {}, this.texts.sources);
    return element("div", { className: "sources" }, heading, element("ol", {}, ...this.items));
  }

  /** `[n]` in the text leads to the n-th source below it. */
  mark(number) {
    const name = this.texts.source(number, this.sources[number - 1].title || this.texts.untitled);
    const show = () => {
      const chosen = this.items?.[number - 1];
      this.items?.forEach((item) => item.classList.toggle("shown", item === chosen));
      chosen?.scrollIntoView({ block: "nearest" });
      (chosen?.querySelector("a") || chosen)?.focus({ preventScroll: true });
    };
    return element("button", { type: "button", className: "mark", title: name, "aria-label": name, onclick: show }, String(number));
  }

  actions(entry, problem, wait) {
    const row = element("div", { className: "actions" });
    if (problem) row.append(this.againButton(wait));
    else if (entry.id) row.append(...this.rateButtons(entry));
    const wanted = entry.verdict === "not_covered" || entry.verdict === "needs_human";
    const className = wanted && !problem ? "strong" : "quiet";
    const person = element("button", { type: "button", className, onclick: () => this.acts.handOver(this.question) });
    person.append(...(className === "strong" ? [icon("person")] : []), this.texts.person);
    row.append(person);
    return row;
  }

  /** Asks once more, but not before the time that Echo asked for. */
  againButton(wait) {
    const again = () => this.acts.ask(this.question, this);
    const button = element("button", { type: "button", className: "quiet", disabled: wait > 0, onclick: again }, this.texts.again);
    if (wait > 0) setTimeout(() => (button.disabled = false), wait * 1000);
    return button;
  }

  rateButtons(entry) {
    const buttons = [
      ["up", this.texts.helpful, true],
      ["down", this.texts.unhelpful, false],
    ].map(([name, label, helpful]) => {
      const button = iconButton(name, label, "rate", () => {
        buttons.forEach((other) => other.setAttribute("aria-pressed", other === button));
        this.acts.rate(entry, helpful).catch(() => button.setAttribute("aria-pressed", false));
      });
      button.setAttribute("aria-pressed", entry.helpful === helpful);
      return button;
    });
    return buttons;
  }
}

function sourceItem(texts, { title, url }, number) {
  const name = title || (url ? new URL(url).host : texts.untitled);
  return element("li", { tabIndex: -1 }, element("span", {}, String(number)), url ? linkTo(url, name) : name);
}

function waiting() {
  return element("div", { className: "waiting" }, element("i", {}), element("i", {}), element("i", {}));
}
