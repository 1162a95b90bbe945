// Exports a report as Markdown with a folder of figures. Figure blocks become pictures or tables, and numbers of runs
// become text.

import { strToU8, zipSync } from "../../../static/vendor/fflate/browser.js";
import { kindOf } from "../block.js";
import { writeFrontMatter } from "../front-matter.js";
import { resolveNumber } from "../numbers.js";
import { referredName, resolveReference } from "../references.js";
import { standaloneSvg } from "./svg.js";

/** @import { Sources } from "../sources.js" */
/** @import { About } from "../front-matter.js" */
/** @import { PlacedFigure } from "../placed-figure.js" */
/** @import { Part } from "../markdown.js" */

/** @typedef {{ [path: string]: Uint8Array }} Files */

/**
 * A zip with the report's files.
 * @param {{ part: Part, placed: PlacedFigure[] }[]} parts
 * @param {HTMLElement} runs the list of runs
 * @param {Sources} sources
 * @param {About} about
 * @returns {Uint8Array}
 */
export function reportZip(parts, runs, sources, about) {
  /** @type {Files} */
  const files = {};
  const figures = parts.flatMap(({ placed }) => placed);
  const text = parts.map(({ part, placed }) =>
    kindOf(part.token.type === "code" ? part.token.lang : "") === null
      ? numbered(part.token.raw.trim(), sources, figures)
      : placed.map((one) => figureText(one, files)).join("\n\n"),
  );
  const table = runs.querySelector("table");
  if (table && !runs.hidden) text.push("## Sources", tableText(table));
  return zipSync({ "report.md": strToU8(writeFrontMatter(about, `${text.join("\n\n")}\n`)), ...files });
}

/**
 * Replaces the numbers of runs and of figures in a text; one that cannot be resolved stays as written.
 * @param {string} text
 * @param {Sources} sources
 * @param {PlacedFigure[]} figures
 */
function numbered(text, sources, figures) {
  return text.replace(/\{\{([^{}\n]*)\}\}/g, (written, words) => {
    try {
      const name = referredName(words.trim());
      return escapeMarkdown(
        name === null ? resolveNumber(words.trim(), sources).text : resolveReference(name, figures).label,
      );
    } catch {
      return written;
    }
  });
}

/** @param {PlacedFigure} placed @param {Files} files */
function figureText({ element, drawn }, files) {
  const words = [...element.querySelectorAll("figcaption > :not(small)")]
    .map((part) => part.textContent)
    .join("")
    .trim();
  if (!drawn)
    return `> ${escapeMarkdown(element.querySelector(".report-fault")?.textContent ?? "This figure could not be drawn.")}`;
  const { body } = drawn;
  const out = [];
  const name = (words.match(/^(\w+ \d+)/)?.[1] ?? `figure ${Object.keys(files).length + 1}`)
    .toLowerCase()
    .replace(" ", "-");
  const picture = (/** @type {string} */ ending, /** @type {Uint8Array} */ bytes, alt = words) => {
    const path = `figures/${name}${out.length > 0 ? `-${out.length + 1}` : ""}.${ending}`;
    files[path] = bytes;
    out.push(`![${escapeMarkdown(alt)}](${path})`);
  };
  if (body instanceof SVGSVGElement) picture("svg", strToU8(standaloneSvg(body)));
  for (const image of body instanceof HTMLImageElement ? [body] : body.querySelectorAll("img"))
    picture("png", bytesOf(image.src), image.alt);
  for (const table of body instanceof HTMLTableElement ? [body] : body.querySelectorAll("table")) {
    const title = table.closest("figure:not(.report-figure)")?.querySelector("figcaption")?.textContent;
    if (title) out.push(`*${escapeMarkdown(title)}*`);
    out.push(tableText(table));
  }
  const chain = [...body.querySelectorAll(".chain")].map((of) =>
    [...of.children].map((part) => part.textContent?.trim()).join(" "),
  );
  const terms = [...element.querySelectorAll(".figure-terms:not([hidden]) > li")].map(
    ({ textContent }) => textContent ?? "",
  );
  return [...out, ...chain.map(escapeMarkdown), ...terms.map(escapeMarkdown), words && `*${escapeMarkdown(words)}*`]
    .filter(Boolean)
    .join("\n\n");
}

/** @param {HTMLTableElement} table */
export function tableText(table) {
  const rows = [...table.rows].map((row) =>
    [...row.cells].map((cell) =>
      escapeMarkdown((cell.innerText || cell.textContent || "").replace(/\s+/g, " ").trim()).replaceAll("|", "\\|"),
    ),
  );
  const width = Math.max(0, ...rows.map((row) => row.length));
  if (width === 0) return "";
  const head = table.tHead ? rows.slice(0, table.tHead.rows.length) : [Array.from({ length: width }, () => "")];
  const line = (/** @type {string[]} */ cells) =>
    `| ${Array.from({ length: width }, (_, i) => cells[i] ?? "").join(" | ")} |`;
  const right = table.rows[table.rows.length - 1];
  const rule = Array.from({ length: width }, (_, i) => (right.cells[i]?.classList.contains("number") ? "--:" : "---"));
  return [...head.map(line), line(rule), ...rows.slice(table.tHead ? head.length : 0).map(line)].join("\n");
}

/** Escapes text for Markdown. @param {string} text */
function escapeMarkdown(text) {
  return text.replace(/[\\*_`[\]<>#]/g, "\\$&");
}

/** The bytes of a data URL. @param {string} url */
function bytesOf(url) {
  return Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
}
