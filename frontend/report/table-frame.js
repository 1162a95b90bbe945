// The frame of a table: a wide one scrolls in it, and where it is narrow each row is a list of what its columns say.

import { h } from "../lib/dom.js";

/** The roles of a table's elements, which browsers forget where a row is shown as a list. @type {[selector: string, role: string][]} */
const ROLES = [
  ["thead, tbody", "rowgroup"],
  ["tr", "row"],
  ["thead th", "columnheader"],
  ["tbody th", "rowheader"],
  ["td", "cell"],
];

/** A head with what is said of it in a second line: “Training loss, mean over epochs”. @param {HTMLTableCellElement} cell */
const wordsOf = ({ childNodes }) => [...childNodes].map(({ textContent }) => textContent?.trim()).join(", ");

/** @param {HTMLTableElement} table @returns {HTMLElement} */
export function tableFrame(table) {
  table.setAttribute("role", "table");
  for (const [selector, role] of ROLES)
    for (const element of table.querySelectorAll(selector)) element.setAttribute("role", role);
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])].map(wordsOf);
  for (const body of table.tBodies)
    for (const { cells } of body.rows)
      for (const [i, cell] of [...cells].entries()) if (cell.colSpan === 1) cell.dataset.label = heads[i] ?? "";
  return h("div", { class: "figure-scroll", tabindex: 0, role: "group", "aria-label": "Table, scrolls" }, table);
}
