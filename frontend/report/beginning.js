// What can be done with a report that has no more than a title.

import { siteUrl } from "../lib/base-path.js";
import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { partsOf } from "./markdown.js";

/** Whether a report has no more than its title. @param {string} text */
export const isBare = (text) => partsOf(text).every(({ token }) => token.type === "heading" && token.depth === 1);

/** @param {{ onFigure: () => void, onNumber: () => void }} listeners */
export function beginning({ onFigure, onNumber }) {
  return h(
    "section",
    { class: "report-beginning", "aria-labelledby": "report-beginning", hidden: true },
    h("h2", { id: "report-beginning" }, "This report is empty"),
    h(
      "p",
      { class: "muted" },
      "Write in Markdown what you observe. Figures, tables and numbers are taken from your runs, and follow them while they train.",
    ),
    h(
      "div",
      { class: "report-beginning-steps" },
      h("button", { class: "button", type: "button", on: { click: onFigure } }, icon("chart", 14), "Insert a figure"),
      h("button", { class: "button", type: "button", on: { click: onNumber } }, "Insert a number"),
      h("a", { class: "button", href: siteUrl("/reports#start-from") }, "Start from an experiment"),
    ),
  );
}
