// The form that hands a conversation to a person. It stands in the place of the one for questions until it is sent or given up.

class PersonForm {
  /** `send({email, question})` does it and is broken when that fails; `done()` is called when the form is no longer needed. */
  constructor(texts, { email, question, send, done, say }) {
    this.texts = texts;
    this.send = send;
    this.done = done;
    this.say = say;
    this.email = element("input", { type: "email", autocomplete: "email", required: true, maxLength: 254, value: email });
    this.question = element("textarea", { rows: 2, required: true, maxLength: 4000, value: question });
    this.problem = element("p", { className: "problem", id: "person-problem", hidden: true });
    this.button = element("button", { type: "submit", className: "strong" }, texts.pass);
    const cancel = element("button", { type: "button", className: "quiet", onclick: done }, texts.cancel);
    this.node = element(
      "form",
      { className: "person", noValidate: true, "aria-labelledby": "person-title" },
      element("h3", { id: "person-title" }, texts.personTitle),
      element("p", {}, texts.personHint),
      element("label", {}, texts.email, this.email),
      element("label", {}, texts.message, this.question),
      this.problem,
      element("div", { className: "row" }, this.button, cancel),
    );
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  focus() {
    (this.email.value && this.email.validity.valid ? this.question : this.email).focus();
  }

  async submit() {
    const email = this.email.value.trim();
    const question = this.question.value.trim();
    // The browser takes `you@host` for an address; nobody is reached there from the web.
    if (!this.email.validity.valid || !/@[^@\s]+\.[^@\s]+$/.test(email)) return this.complain(this.email, this.texts.emailBad);
    if (!question) return this.complain(this.question, this.texts.messageBad);
    this.complain(null, "");
    this.button.disabled = true;
    try {
      await this.send({ email, question });
      this.done();
    } catch (error) {
      this.button.disabled = false;
      this.complain(null, `${this.texts.notPassed} ${problemText(this.texts, error)}`);
    }
  }

  /** Says what is wrong, with which field, and goes there. */
  complain(field, problem) {
    for (const each of [this.email, this.question]) {
      if (each === field) {
        each.setAttribute("aria-invalid", "true");
        each.setAttribute("aria-describedby", this.problem.id);
      } else {
        each.removeAttribute("aria-invalid");
        each.removeAttribute("aria-describedby");
      }
    }
    this.problem.textContent = problem;
    this.problem.hidden = problem === "";
    if (problem) this.say(problem);
    field?.focus();
  }
}

/** What to tell of a refusal. */
function problemText(texts, error) {
  if (!(error instanceof Refusal)) return texts.brokeOff;
  if (error.status === 0) return navigator.onLine ? texts.unreachable : texts.offline;
  if (error.status === 429) return texts.busy(error.wait || 60);
  if (error.status === 403 || error.status === 404) return texts.notHere;
  return error.status >= 500 ? texts.unreachable : texts.refused;
}
