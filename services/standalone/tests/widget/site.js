// The page of somebody else that carries the chat: another origin than Echo, and as strict about scripts and styles as a page can be.
"use strict";

const http = require("node:http");
const { once } = require("node:events");

const APP = "app_3fTqXw9LmN2rVbKc7Zpd";

class Site {
  static async start(echo) {
    const site = new Site();
    site.echo = echo;
    site.server = http.createServer((request, response) => site.serve(request, response));
    await once(site.server.listen(0, "127.0.0.1"), "listening");
    // Another name for the same machine is another origin.
    site.url = `http://localhost:${site.server.address().port}`;
    return site;
  }

  /** A page of it; `lang` is the page's, the rest are attributes of the tag. */
  page({ lang = "en", ...attributes } = {}) {
    return `${this.url}/?${new URLSearchParams({ lang, "app-id": APP, ...attributes })}`;
  }

  serve(request, response) {
    const asked = new URL(request.url, this.url);
    if (asked.pathname !== "/") return response.writeHead(404).end();
    const attributes = [...asked.searchParams].filter(([name]) => name !== "lang");
    const data = attributes.map(([name, value]) => `data-${name}="${value}"`).join(" ");
    response.writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        `default-src 'none'; script-src ${this.echo}/widget.js; connect-src ${this.echo}/api/; style-src 'none'; img-src data:; ` +
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    });
    response.end(`<!doctype html><html lang="${asked.searchParams.get("lang")}"><meta charset="utf-8"><title>A shop</title>
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">
      <main><h1>A shop</h1><p>Kettles, and what belongs to them.</p><button>Buy</button></main>
      <script src="${this.echo}/widget.js" ${data} async></script></html>`);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

module.exports = { APP, Site };
