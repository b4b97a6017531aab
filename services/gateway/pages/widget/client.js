// The four things that the widget asks Echo for. No cookie goes along: the app's id and the page's origin are enough.

const QUESTION_LIMIT = 500;
/** An answer that takes longer than this has broken off. */
const PATIENCE = 90_000;
const SHORT_PATIENCE = 20_000;

/** What Echo refused, or did not answer at all (`status` 0). `wait` is how many seconds it asks for. */
class Refusal extends Error {
  constructor(status, code, wait) {
    super(code);
    this.status = status;
    this.code = code;
    this.wait = wait;
  }
}

class Client {
  constructor(base, app) {
    this.root = `${base}api/${encodeURIComponent(app)}/`;
  }

  /**
   * Asks. `onBegin` hears first what is known of the answer, then `onText` each piece of it. The promise is kept when the
   * answer is complete, and broken when it was refused or broke off.
   */
  async ask(question, conversationId, { onBegin, onText, signal }) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);
    const response = await this.post("query", conversationId ? { question, conversationId } : { question }, limit);
    const header = (name) => response.headers.get(`x-echo-${name}`) || "";
    onBegin({
      id: header("answer"),
      conversation: header("conversation"),
      verdict: header("verdict"),
      sources: sourcesIn(header("sources")),
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) onText(piece.value);
  }

  /** Says whether an answer helped. */
  async rate(messageId, helpful) {
    await this.post("feedback", { messageId, helpful }, AbortSignal.timeout(SHORT_PATIENCE));
  }

  /** Hands the conversation to a person. Answers the number of the ticket. */
  async handOver(request) {
    const response = await this.post("handover", request, AbortSignal.timeout(SHORT_PATIENCE));
    const made = await response.json();
    if (!made.success || !made.ticketId) throw new Refusal(response.status, "no_ticket", 0);
    return String(made.ticketId);
  }

  async post(what, body, signal) {
    let response;
    try {
      response = await fetch(this.root + what, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        signal,
      });
    } catch (error) {
      throw error.name === "AbortError" ? error : new Refusal(0, "unreachable", 0);
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    throw new Refusal(response.status, String(problem.code || "refused"), waitOf(response));
  }
}

/** How long to wait, from a header that counts seconds. */
function waitOf(response) {
  const seconds = Number.parseInt(response.headers.get("retry-after"), 10);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), 3600) : 0;
}

/** The sources in the header, or none where it is not what it should be. */
function sourcesIn(header) {
  let listed;
  try {
    listed = JSON.parse(header);
  } catch {
    return [];
  }
  if (!Array.isArray(listed)) return [];
  return listed.map((source) => ({ title: String(source?.title || ""), url: webAddress(source?.url)?.href || "" }));
}

/** What can be opened without harm: an address on the web. */
function webAddress(text) {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : null;
  return url && (url.protocol === "https:" || url.protocol === "http:") ? url : null;
}
