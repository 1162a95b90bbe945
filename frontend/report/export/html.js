// Exports a report as one HTML file that needs no server, network or scripts: figures are embedded, and links lead to
// its own list of runs.

import { h } from "../../lib/dom.js";
import { sitePath } from "../../lib/base-path.js";
import { setPrintTitle } from "../../lib/print.js";
import { usedCss } from "./css.js";

/** The content security policy: nothing is loaded or run, whatever the text contains. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** Elements for the author, and those that need scripts. */
const REMOVED =
  ".report-change, .report-empty[hidden], .report-byline[hidden], .figure-terms[hidden], .parallel-reach, button";

/** @param {HTMLElement} report @param {{ title: string, version: string, when: Date }} about @returns {string} */
export function reportHtml(report, { title, version, when }) {
  const page = document.implementation.createHTMLDocument(title);
  page.documentElement.lang = "en";
  page.head.prepend(
    h("meta", { charset: "utf-8" }),
    h("meta", { "http-equiv": "Content-Security-Policy", content: POLICY }),
    h("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    h("meta", { name: "color-scheme", content: "light dark" }),
    h("meta", { name: "generator", content: `Vivarium ${version}` }),
  );
  page.body.className = "exported";
  setPrintTitle(page.documentElement, title);
  const copy = /** @type {HTMLElement} */ (page.importNode(report, true));
  for (const tool of copy.querySelectorAll(REMOVED)) tool.remove();
  for (const element of copy.querySelectorAll("[data-line], [data-member], [tabindex], [aria-current]")) {
    for (const name of ["data-line", "data-member", "aria-current"]) element.removeAttribute(name);
    // Scrollable elements stay reachable by keyboard.
    if (!element.classList.contains("figure-scroll")) element.removeAttribute("tabindex");
  }
  for (const link of copy.querySelectorAll("a[href]")) rewriteLink(link, copy);
  page.body.append(
    copy,
    h(
      "footer",
      { class: "report-foot" },
      `Made with Vivarium ${version} on ${when.toLocaleDateString("en-GB", { dateStyle: "long" })}.`,
    ),
  );
  // Inserted as text, since the current page's policy forbids inline style sheets, even in a document that it creates.
  const style = `<style>\n${usedCss(page, document.styleSheets)}\n</style>`;
  return `<!doctype html>\n${page.documentElement.outerHTML.replace("</head>", () => `${style}</head>`)}\n`;
}

/**
 * Links to a run lead to the report's list of runs; other links to the server become text.
 * @param {Element} link
 * @param {HTMLElement} copy
 */
function rewriteLink(link, copy) {
  const href = link.getAttribute("href") ?? "";
  if (/^(https?:|mailto:|#)/i.test(href)) return;
  const run = /^\/runs\/([^/?#]+)/.exec(sitePath(href))?.[1];
  if (run && copy.querySelector(`#run-${CSS.escape(run)}`) && !link.closest(".report-runs"))
    link.setAttribute("href", `#run-${run}`);
  else link.removeAttribute("href");
}
