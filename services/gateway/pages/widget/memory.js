// What was said, kept in this browser for a day: for each Echo and app by itself, and bounded.

const KEPT = 40;
const KEPT_FOR = 24 * 60 * 60 * 1000;

class Memory {
  constructor(base, app) {
    this.key = `echo-widget:${base}:${app}`;
    const { conversation, entries } = this.read();
    this.conversation = conversation;
    this.entries = entries;
  }

  /** Remembers an entry: `{kind: "question" | "answer" | "ticket", …}`. */
  add(entry) {
    this.entries = [...this.entries, entry].slice(-KEPT);
    this.keep();
  }

  clear() {
    this.conversation = "";
    this.entries = [];
    this.keep();
  }

  /** What was said, as a person reads it who takes over. */
  history() {
    const role = { question: "user", answer: "assistant" };
    const said = this.entries.filter((entry) => role[entry.kind] && entry.text);
    return said.slice(-20).map((entry) => ({ role: role[entry.kind], text: entry.text }));
  }

  keep() {
    const kept = { at: Date.now(), conversation: this.conversation, entries: this.entries };
    try {
      if (this.entries.length > 0) localStorage.setItem(this.key, JSON.stringify(kept));
      else localStorage.removeItem(this.key);
    } catch {
      // Storage is full or forbidden: the conversation lasts as long as the page.
    }
  }

  read() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      if (kept && Date.now() - kept.at < KEPT_FOR && Array.isArray(kept.entries)) {
        return { conversation: String(kept.conversation || ""), entries: kept.entries };
      }
    } catch {
      // Forbidden, or not ours.
    }
    return { conversation: "", entries: [] };
  }
}
