// The button and the window: what is where, and which key does what. `acts` are `ask`, `rate`, `handOver`, `clear`, `toggled(open)`.

class ChatWindow {
  constructor(settings, texts, acts) {
    this.texts = texts;
    this.acts = acts;
    this.host = element("echo-widget", { lang: settings.language });
    this.host.dataset.position = settings.position;
    this.followTheme(settings.theme);
    const shadow = this.host.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheetFor(settings.primary)];
    this.launcher = iconButton("chat", texts.launch, "launcher", () => this.toggle(this.panel.hidden));
    this.launcher.setAttribute("aria-expanded", "false");
    this.panel = this.makePanel(settings);
    // Changes here are read out as they come: the log itself is quiet, or each piece of an answer would be.
    this.status = element("div", { className: "unseen", role: "status", "aria-live": "polite" });
    shadow.append(this.launcher, this.panel, this.status);
    this.hello(settings.userName);
  }

  makePanel(settings) {
    const { texts } = this;
    this.log = element("div", { className: "log", role: "log", "aria-live": "off", "aria-label": texts.conversation, tabIndex: 0 });
    this.composer = this.makeComposer(settings.placeholder);
    const header = element(
      "header",
      {},
      element("h2", { id: "title" }, settings.greeting),
      iconButton("clear", texts.clear, "", () => this.acts.clear()),
      iconButton("close", texts.close, "", () => this.toggle(false)),
    );
    const panel = element("section", { className: "panel", role: "dialog", "aria-labelledby": "title", hidden: true });
    panel.append(header, this.log, this.composer);
    panel.addEventListener("keydown", (event) => {
      // The page may listen for keys, too: what is typed here is not meant for it.
      event.stopPropagation();
      if (event.key === "Escape") this.toggle(false);
    });
    return panel;
  }

  makeComposer(placeholder) {
    const { texts } = this;
    this.input = element("textarea", { rows: 1, placeholder, "aria-label": texts.question, "aria-describedby": "counter" });
    this.counter = element("p", { className: "counter", id: "counter" });
    this.sendButton = element("button", { type: "submit", className: "send", title: texts.send, "aria-label": texts.send }, icon("send"));
    const row = element("div", { className: "row" }, this.input, this.sendButton);
    const composer = element("form", { className: "composer", noValidate: true }, row, this.counter);
    this.input.addEventListener("input", () => this.count());
    this.input.addEventListener("keydown", (event) => {
      // While an input method composes a word, Enter chooses it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      composer.requestSubmit();
    });
    composer.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.count();
    return composer;
  }

  submit() {
    const question = this.input.value.trim();
    if (this.over()) return this.say(this.texts.tooLong(QUESTION_LIMIT));
    if (question === "" || this.busy) return;
    this.input.value = "";
    this.count();
    this.acts.ask(question);
  }

  over() {
    return lengthOf(this.input.value.trim()) > QUESTION_LIMIT;
  }

  count() {
    const length = lengthOf(this.input.value.trim());
    this.counter.textContent = this.texts.left(length, QUESTION_LIMIT);
    // Nobody who asks a short question has to think of it.
    this.counter.classList.toggle("unseen", length < QUESTION_LIMIT * 0.7);
    this.counter.classList.toggle("over", this.over());
    this.input.setAttribute("aria-invalid", this.over());
  }

  /** Opens or closes. The focus goes into the window, and comes back to the button. */
  toggle(open) {
    if (this.panel.hidden !== open) return;
    this.panel.hidden = !open;
    this.host.toggleAttribute("data-open", open);
    this.launcher.setAttribute("aria-expanded", open);
    this.launcher.replaceChildren(icon(open ? "close" : "chat"));
    const label = open ? this.texts.close : this.texts.launch;
    this.launcher.title = label;
    this.launcher.setAttribute("aria-label", label);
    if (open) this.down();
    (open ? this.person || this.input : this.launcher).focus();
    this.acts.toggled(open);
  }

  /** Whether an answer is under way: one at a time. */
  work(busy) {
    this.busy = busy;
    this.sendButton.disabled = busy;
  }

  /** Adds a line, and goes there. */
  add(node) {
    this.log.append(node);
    this.down();
  }

  down() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** Does something that makes the log grow; whoever reads further up stays there. */
  growing(change) {
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60;
    change();
    if (atEnd) this.down();
  }

  /** Begins anew. */
  hello(name) {
    const greeting = element("div", { className: "hello" }, element("div", { className: "bubble" }, this.texts.hello(name)));
    this.log.replaceChildren(greeting);
  }

  /** Says something to those who listen. */
  say(text) {
    this.status.textContent = text;
  }

  /** Shows the form for a person in the place of the one for questions. */
  askForPerson(options) {
    this.person?.node.remove();
    const done = () => this.leavePerson();
    this.person = new PersonForm(this.texts, { ...options, done, say: (text) => this.say(text) });
    this.composer.hidden = true;
    this.panel.append(this.person.node);
    this.down();
    this.person.focus();
  }

  leavePerson() {
    this.person?.node.remove();
    this.person = null;
    this.composer.hidden = false;
    this.input.focus();
  }

  followTheme(theme) {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => (this.host.dataset.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme);
    dark.addEventListener("change", follow);
    follow();
  }
}

/** Characters as Echo counts them: an emoji is one, not two. */
function lengthOf(text) {
  return [...text].length;
}
