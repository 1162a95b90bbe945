// The table of results of a comparison, and what its tables have in common.

import { csv } from "../chart/csv.js";
import { download, h } from "../lib/dom.js";
import { formatLoss, sameDecimals } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { scrollFrame } from "../lib/scroll-frame.js";
import { cellOf, formatCell, RESULTS } from "./columns.js";
import { byDataSet } from "./data-sets.js";
import { swatch } from "./members.js";
import { bestOf } from "./noise.js";
import { isSoundMember } from "./sound.js";

/** @import { Run, Spread, Statistics } from "../lib/types" */
/** @import { Figure } from "./columns.js" */
/** @import { Member } from "./members.js" */

/**
 * The table of results. The best is marked within each data set, among the runs that neither diverged nor failed.
 * @param {Member[]} members
 * @param {{ [id: string]: Statistics }} statistics
 * @param {Figure[]} [figures] its columns
 */
export function resultsTable(members, statistics, figures = RESULTS) {
  const cells = members.map((member) => figures.map((of) => cellOf(of, member, statistics)));
  const best = new Map(
    [...byDataSet(members).values()].flatMap((same) => {
      const here = new Set(same.filter(isSoundMember));
      const rows = cells.filter((_, row) => here.has(members[row]));
      const found = figures.map((of, column) =>
        of.best
          ? bestOf(
              rows.flatMap((row) => row[column]?.mean ?? []),
              of.best,
              of.noise?.([...here].flatMap((member) => member.runs)),
            )
          : new Set(),
      );
      return [...here].map((member) => /** @type {[Member, typeof found]} */ ([member, found]));
    }),
  );
  const runs = members.flatMap((member) => member.runs);
  // Losses of one column have equal decimals.
  const even = figures.map(({ format }, column) =>
    format === formatLoss ? evenLosses(cells.map((row) => row[column]?.mean)) : format,
  );
  return h(
    "table",
    { class: "compare-table" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Run"),
        ...figures.map(({ title, more, under }) =>
          h(
            "th",
            { scope: "col", class: "number" },
            wordsOf(title, runs),
            more && h("small", {}, more),
            under && h("small", {}, wordsOf(under.title, runs)),
          ),
        ),
      ),
    ),
    h(
      "tbody",
      {},
      ...members.map((member, row) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, nameCell(member)),
          ...figures.map((of, column) => {
            const cell = cells[row][column];
            const first = cell !== null && best.get(member)?.[column].has(cell.mean);
            return h(
              "td",
              {
                class: `number${first ? " is-best" : ""}`,
                title: first ? "The best of these, as far as chance lets one tell" : undefined,
              },
              of.under ? twoLines(of, cell, cellOf(of.under, member, statistics), even[column]) : formatCell(of, cell),
            );
          }),
        ),
      ),
    ),
  );
}

/** A formatter for the losses of a column. @param {(number | undefined)[]} losses */
function evenLosses(losses) {
  const even = sameDecimals(losses);
  return (/** @type {number} */ loss) => (formatLoss(loss).startsWith("≈") ? formatLoss(loss) : even(loss));
}

/** @param {Figure["title"]} title @param {Run[]} runs */
const wordsOf = (title, runs) => (typeof title === "string" ? title : title(runs));

/**
 * A cell with a second line.
 * @param {Figure} of @param {Spread | null} cell @param {Spread | null} second
 * @param {(value: number) => string} format of a value without a deviation
 */
function twoLines(of, cell, second, format) {
  if (!cell) return formatCell(of, cell);
  return h(
    "span",
    { class: "cell-lines" },
    h("span", {}, cell.std === null ? format(cell.mean) : formatCell(of, cell)),
    // What is not there yet keeps its room.
    h("small", {}, second && of.under ? formatCell(of.under, second) : "\u00a0"),
  );
}

/** The first cell of a member's row. @param {Member} member */
export function nameCell({ runs, label, stroke }) {
  return h(
    "span",
    { class: "compare-name" },
    swatch(stroke),
    h("a", { href: runs[0].url, title: runs[0].name }, label),
    runs.length > 1 && h("small", {}, `${runs.length} seeds`),
  );
}

/**
 * A table with its title and an export button.
 * @param {string} title
 * @param {string | (string | Node)[]} about
 * @param {HTMLTableElement} table
 */
export function tableCard(title, about, table) {
  const save = () =>
    download(`${title.toLowerCase().replaceAll(" ", "-")}.csv`, new Blob([tableCsv(table)], { type: "text/csv" }));
  return h(
    "section",
    { class: "card compare-card", "aria-label": title },
    h(
      "header",
      { class: "card-head" },
      h("div", {}, h("h2", {}, title), h("p", { class: "muted small" }, about)),
      h(
        "button",
        {
          class: "button quiet icon small",
          type: "button",
          title: "As CSV",
          "aria-label": `${title} as CSV`,
          on: { click: save },
        },
        icon("download"),
      ),
    ),
    scrollFrame(
      h("div", { class: "compare-scroll", tabindex: 0, role: "group", "aria-label": `${title}, scrolls` }, table),
    ),
  );
}

/** A cell with a second line is two columns. @param {HTMLTableElement} table */
export function tableCsv(table) {
  const textOf = (/** @type {ChildNode | Element} */ part) => (part.textContent ?? "").replace(/\s+/g, " ").trim();
  const rows = [...table.rows].map((row) =>
    [...row.cells].flatMap((cell, i) => {
      const [title, ...lines] = [...table.rows[0].cells[i].childNodes];
      if (lines.length < 2) return [cell.innerText.replace(/\s+/g, " ").trim()];
      if (row === table.rows[0]) return lines.map((line) => `${textOf(title)} ${textOf(line)}`);
      const found = [...(cell.querySelector(".cell-lines")?.children ?? [cell])].map(textOf);
      return lines.map((_, line) => found[line] ?? "");
    }),
  );
  return csv(rows[0] ?? [], rows.slice(1));
}
