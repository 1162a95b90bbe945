// Renders Markdown to elements. `marked` parses it; every element is created here, so that HTML in the text stays text,
// and links show where they lead.

import { lexer } from "../../static/vendor/marked/marked.esm.js";
import { h } from "../lib/dom.js";
import { linkUrl } from "../lib/base-path.js";
import { kindOf } from "./block.js";

/** @import { Token, Tokens } from "../../static/vendor/marked/marked.esm.js" */
/** @import { Child } from "../lib/dom.js" */

/**
 * Renderers for our extensions: figure blocks and numbers of runs.
 * @typedef {{ figure: (kind: string, text: string) => Node, number: (words: string) => Node }} Own
 */

/**
 * A top-level part of the text with its line range, from 0.
 * @typedef {{ token: Token, from: number, to: number }} Part
 */

const LINKS = /^(https?:|mailto:|#|\/(?!\/))/i;
const NUMBER = /\{\{([^{}\n]*)\}\}/;
const ENTITY = /&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z][a-zA-Z\d]{1,31});/g;

/** @param {string} text @returns {Part[]} */
export function partsOf(text) {
  /** @type {Part[]} */
  const parts = [];
  let line = 0;
  for (const token of lexer(text)) {
    const from = line;
    line += token.raw.split("\n").length - 1;
    if (token.type !== "space" && token.type !== "def")
      parts.push({ token, from, to: from + token.raw.trimEnd().split("\n").length - 1 });
  }
  return parts;
}

/** @param {Token} token @param {Own} own @returns {Node} */
export function partElement(token, own) {
  switch (token.type) {
    case "heading": {
      const { depth } = /** @type {Tokens.Heading} */ (token);
      return h(/** @type {"h1"} */ (`h${Math.min(6, Math.max(1, depth))}`), {}, ...inline(token, own));
    }
    case "paragraph":
      return h("p", {}, ...inline(token, own));
    case "blockquote":
      return h("blockquote", {}, ...blocks(token, own));
    case "list": {
      const { ordered, start, items } = /** @type {Tokens.List} */ (token);
      return h(
        ordered ? "ol" : "ul",
        { start: ordered && Number(start) > 1 ? Number(start) : undefined },
        ...items.map((item) => h("li", { class: item.task ? "task" : undefined }, ...blocks(item, own))),
      );
    }
    case "table":
      return table(/** @type {Tokens.Table} */ (token), own);
    case "code": {
      const { lang, text } = /** @type {Tokens.Code} */ (token);
      const kind = kindOf(lang);
      return kind === null ? h("pre", {}, h("code", {}, text)) : own.figure(kind, text);
    }
    case "hr":
      return h("hr");
    case "html":
      return h("p", {}, token.raw.trim());
    default:
      return h("p", {}, ...("tokens" in token && token.tokens ? inline(token, own) : [decoded(token.raw)]));
  }
}

/** @param {{ tokens?: Token[] }} of @param {Own} own @returns {Child[]} */
function blocks(of, own) {
  return (of.tokens ?? []).flatMap((token) => {
    if (token.type === "space" || token.type === "def") return [];
    // In a tight list, text has no paragraph around it.
    if (token.type === "text") return inline("tokens" in token && token.tokens ? token : { tokens: [token] }, own);
    return token.type === "checkbox" ? inline({ tokens: [token] }, own) : [partElement(token, own)];
  });
}

/** @param {{ tokens?: Token[] }} of @param {Own} own @returns {Child[]} */
function inline(of, own) {
  return (of.tokens ?? []).flatMap((token) => {
    const inner = () => inline(/** @type {{ tokens?: Token[] }} */ (token), own);
    switch (token.type) {
      case "strong":
        return [h("strong", {}, ...inner())];
      case "em":
        return [h("em", {}, ...inner())];
      case "del":
        return [h("del", {}, ...inner())];
      case "codespan":
        return [h("code", {}, /** @type {Tokens.Codespan} */ (token).text)];
      case "br":
        return [h("br")];
      case "escape":
        return [/** @type {Tokens.Escape} */ (token).text];
      case "checkbox":
        return [/** @type {Tokens.Checkbox} */ (token).checked ? "☑ " : "☐ "];
      case "link": {
        const { href, title } = /** @type {Tokens.Link} */ (token);
        return LINKS.test(href)
          ? [h("a", { href: linkUrl(href), title: title ?? undefined, rel: "noopener" }, ...inner())]
          : inner();
      }
      // An external picture would be missing offline, so it becomes a link.
      case "image": {
        const { href, text } = /** @type {Tokens.Image} */ (token);
        return LINKS.test(href) ? [h("a", { href: linkUrl(href), rel: "noopener" }, text || href)] : [text || href];
      }
      case "text":
        return "tokens" in token && token.tokens ? inner() : words(token.raw, own);
      default:
        return [token.raw];
    }
  });
}

/** Renders text and the numbers of runs in it. @param {string} text @param {Own} own @returns {Child[]} */
function words(text, own) {
  return text.split(new RegExp(NUMBER, "g")).map((part, i) => (i % 2 === 1 ? own.number(part.trim()) : decoded(part)));
}

/** @param {Tokens.Table} token @param {Own} own */
function table({ header, align, rows }, own) {
  const cell = (/** @type {"td" | "th"} */ tag, /** @type {Tokens.TableCell} */ of, /** @type {number} */ i) => {
    const made = h(tag, { scope: tag === "th" ? "col" : undefined }, ...inline(of, own));
    if (align[i]) made.style.textAlign = align[i];
    return made;
  };
  return h(
    "div",
    { class: "report-table" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...header.map((of, i) => cell("th", of, i)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((of, i) => cell("td", of, i))))),
    ),
  );
}

/** Decodes entities such as &amp; in a text. @param {string} text */
function decoded(text) {
  return text.replace(
    ENTITY,
    (entity) => new DOMParser().parseFromString(entity, "text/html").documentElement.textContent ?? entity,
  );
}
