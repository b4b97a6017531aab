// An Echo that says what a test tells it to, piece by piece: the script itself comes from the real one.
"use strict";

const http = require("node:http");
const { once } = require("node:events");

const EXPOSED = "x-echo-sources, x-echo-conversation, x-echo-answer, x-echo-verdict, retry-after, x-request-id";

/** ASCII, as a header has to be. */
const ascii = (value) =>
  JSON.stringify(value).replace(/[^\x20-\x7e]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

/** One request that waits for its answer. */
class Asked {
  constructor(what, body, response) {
    this.what = what;
    this.body = body;
    this.response = response;
  }

  /** The head of an answer: from here on the text may come. */
  begin({ sources = [], verdict = "answerable", conversation = "conversation-1", id = "answer-1" } = {}) {
    this.response.writeHead(200, {
      "content-type": "text/plain; charset=utf-8",
      "x-echo-sources": ascii(sources),
      "x-echo-conversation": conversation,
      "x-echo-answer": id,
      "x-echo-verdict": verdict,
    });
    this.response.flushHeaders();
    return this;
  }

  write(text) {
    this.response.write(text);
    return this;
  }

  end(text = "") {
    this.response.end(text);
  }

  /** The connection is gone in the middle. */
  breakOff() {
    this.response.socket.destroy();
  }

  json(status, body, headers = {}) {
    this.response.writeHead(status, { "content-type": "application/json", ...headers });
    this.response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  refuse(status, code, headers) {
    this.json(status, { code, message: "No.", details: [], request_id: "r-1" }, headers);
  }
}

class Stub {
  static async start(script) {
    const stub = new Stub();
    stub.script = script;
    stub.waiting = [];
    stub.arrived = [];
    stub.server = http.createServer((request, response) => stub.serve(request, response));
    await once(stub.server.listen(0, "127.0.0.1"), "listening");
    stub.url = `http://127.0.0.1:${stub.server.address().port}`;
    return stub;
  }

  /** The next request that arrives. */
  next() {
    const arrived = this.arrived.shift();
    return arrived ? Promise.resolve(arrived) : new Promise((resolve) => this.waiting.push(resolve));
  }

  async serve(request, response) {
    // Another origin than the page's: without these the browser shows the script nothing.
    response.setHeader("access-control-allow-origin", request.headers.origin || "*");
    response.setHeader("access-control-expose-headers", EXPOSED);
    response.setHeader("vary", "origin");
    if (request.method === "OPTIONS") {
      response.writeHead(204, { "access-control-allow-methods": "POST", "access-control-allow-headers": "content-type" });
      return response.end();
    }
    if (request.url.startsWith("/widget.js")) {
      response.writeHead(200, { "content-type": "text/javascript; charset=utf-8" });
      return response.end(this.script);
    }
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const asked = new Asked(request.url, JSON.parse(Buffer.concat(pieces)), response);
    const waits = this.waiting.shift();
    if (waits) waits(asked);
    else this.arrived.push(asked);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

module.exports = { Stub };
