// What a model wrote, as elements. The text is never taken for HTML: each element is made here by name, and everything of the
// answer goes into text nodes. Known are paragraphs, headings, lists, code, emphasis, links and the marks of sources; the rest stays
// as it was written. Links lead to the hosts of the shown sources and nowhere else, and there are no images.

/** One of the things inside a line, the earliest first. */
const INLINE = new RegExp(
  [
    "`([^`\\n]+)`", // 1: code
    "\\*\\*(?=\\S)([^\\n]+?)\\*\\*", // 2: strong
    "(?<![\\w*])[*_](?=\\S)([^*_\\n]+?)[*_](?![\\w*])", // 3: emphasis
    "!?\\[([^\\]\\n]*)\\]\\(([^()\\s]*(?:\\([^()\\s]*\\)[^()\\s]*)*)[^()\\n]*\\)", // 4, 5: a link, or an image
    "\\[(\\d{1,2})\\]", // 6: the mark of a source
    "(https?:\\/\\/[^\\s<>()\\[\\]]*[^\\s<>()\\[\\].,;:!?'\"])", // 7: an address
  ].join("|"),
  "g",
);

/** A line that begins something: a heading, a point of a list, a numbered point. */
const BLOCK = /^\s{0,3}(?:(#{1,6})\s+|([-*+])\s+|(\d{1,3})[.)]\s+)(.*)$/;
const FENCE = /^\s{0,3}(?:```|~~~)/;

/** Reads answers that have these sources. `mark` makes the element for the source of a number. */
class Markdown {
  constructor(sources, mark) {
    this.count = sources.length;
    this.hosts = new Set(sources.filter((source) => source.url).map((source) => new URL(source.url).host));
    this.mark = mark;
  }

  /** The elements for a text. */
  read(text) {
    const blocks = [];
    const lines = text.split(/\r?\n/);
    while (lines.length > 0) {
      if (lines[0].trim() === "") lines.shift();
      else if (FENCE.test(lines[0])) blocks.push(this.fence(lines));
      else blocks.push(this.block(lines));
    }
    return blocks;
  }

  /** Code between two fences; the second may not have come yet. */
  fence(lines) {
    lines.shift();
    const code = [];
    while (lines.length > 0 && !FENCE.test(lines[0])) code.push(lines.shift());
    lines.shift();
    return element("pre", { tabIndex: 0 }, element("code", {}, code.join("\n")));
  }

  block(lines) {
    const [, heading, point, number] = BLOCK.exec(lines[0]) || [];
    if (heading) return element("p", { className: "heading" }, ...this.inline(BLOCK.exec(lines.shift())[4]));
    if (point) return element("ul", {}, ...this.points(lines, 2));
    if (number) return element("ol", { start: Number(number) }, ...this.points(lines, 3));
    const paragraph = [];
    while (lines.length > 0 && lines[0].trim() !== "" && !BLOCK.test(lines[0]) && !FENCE.test(lines[0])) {
      paragraph.push(lines.shift());
    }
    return element("p", {}, ...this.inline(paragraph.join("\n")));
  }

  /** The points of a list whose lines begin with the same kind of sign: the group of that number in `BLOCK`. */
  points(lines, kind) {
    const points = [];
    for (let found; lines.length > 0 && (found = BLOCK.exec(lines[0]))?.[kind]; ) {
      lines.shift();
      const point = [found[4]];
      while (lines.length > 0 && /^\s{2,}\S/.test(lines[0]) && !BLOCK.test(lines[0])) point.push(lines.shift().trim());
      points.push(element("li", {}, ...this.inline(point.join("\n"))));
    }
    return points;
  }

  /** What is inside a line, `depth` levels of emphasis deep. */
  inline(text, depth = 0) {
    const parts = [];
    let done = 0;
    for (const found of text.matchAll(INLINE)) {
      parts.push(text.slice(done, found.index), this.thing(found, depth));
      done = found.index + found[0].length;
    }
    parts.push(text.slice(done));
    return parts;
  }

  thing([whole, code, strong, emphasis, label, target, source, address], depth) {
    if (code) return element("code", {}, code);
    if (strong || emphasis) {
      const inside = depth < 3 ? this.inline(strong || emphasis, depth + 1) : [strong || emphasis];
      return element(strong ? "strong" : "em", {}, ...inside);
    }
    if (target !== undefined) return this.link(label || target, whole.startsWith("!") ? "" : target);
    if (source) return Number(source) >= 1 && Number(source) <= this.count ? this.mark(Number(source)) : whole;
    return this.link(address, address);
  }

  /** A link, or its words alone where it leads somewhere else. */
  link(label, target) {
    const url = webAddress(target);
    return url && this.hosts.has(url.host) ? linkTo(url.href, label) : label;
  }
}

/** A link that opens beside the page and tells the other side nothing of it. */
function linkTo(href, ...label) {
  return element("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...label);
}
