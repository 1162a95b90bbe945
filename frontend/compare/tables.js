// The tables of a comparison: settings that differ, and results.

import { csv } from "../chart/csv.js";
import { settingLabel, settingPhrase, settingValue } from "../lib/setting-labels.js";
import { differingSettings, labelOf, settingsOf } from "../lib/settings-diff.js";
import { download, h } from "../lib/dom.js";
import { formatLoss, plural, sameDecimals } from "../lib/format.js";
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

/** The settings in which members differ. @param {Member[]} members */
export const settingsThatDiffer = (members) =>
  differingSettings(members.map(({ runs }) => runs[0])).filter(
    (path) => path !== "training.seed" || members.every(({ runs }) => runs.length === 1),
  );

/** Whether the labels of members say all the settings in which they differ. @param {Member[]} members @param {string[]} paths */
const isInLabels = (members, paths) =>
  members.every(({ label, runs: [run] }) => {
    const [path, ...others] = paths;
    if (others.length > 0) return label === labelOf(run, paths);
    return label.endsWith(settingPhrase(path, settingsOf(run).get(path), run.spec.network?.kind));
  });

/** The first runs of the members that have a setting. @param {string} path @param {Member[]} members */
export const runsWith = (path, members) =>
  members.map(({ runs: [run] }) => run).filter((run) => settingsOf(run).has(path));

/** More settings than these that only some runs have are folded. */
const FEW_LINES = 3;
/** So few runs have a column each in the table of settings, where these are more. */
const FEW_RUNS = 6;

/**
 * What members have of the settings in which they differ, those that all have first. Where networks call a setting by
 * several names, it is told once by each name.
 * @param {Member[]} members @param {string[]} [paths]
 * @returns {{ label: string, isEverywhere: boolean, values: string[] }[]} `isEverywhere`: all have it; `values` by member
 */
export function settingLines(members, paths = settingsThatDiffer(members)) {
  const lines = paths.flatMap((path) => {
    const labels = members.map(({ runs: [run] }) => (hasEffect(run, path) ? settingLabel(path, kindOf(run)) : null));
    return [...new Set(labels.filter((label) => label !== null))].map((label) => ({
      label,
      isEverywhere: labels.every((other) => other === label),
      values: members.map(({ runs: [run] }, i) =>
        labels[i] === label ? settingValue(path, settingsOf(run).get(path), kindOf(run)) : "–",
      ),
    }));
  });
  return [...lines.filter(({ isEverywhere }) => isEverywhere), ...lines.filter(({ isEverywhere }) => !isEverywhere)];
}

/** @param {Run} run */
const kindOf = ({ spec }) => spec.network?.kind;

/** Whether a run has a setting, and its network reads it: a compact head has no layers of its own widths. @param {Run} run @param {string} path */
function hasEffect(run, path) {
  const settings = settingsOf(run);
  const isCompact = settings.get("network.kind") === "vgg16" && settings.get("network.head") === "compact";
  return settings.has(path) && !(isCompact && (path === "network.hidden" || path === "network.dropout"));
}

/**
 * The table of the settings in which members differ; null if there are none, or if their labels say it all. Many settings
 * of few runs are its rows.
 * @param {Member[]} members
 */
export function settingsTable(members) {
  const paths = settingsThatDiffer(members);
  if (paths.length === 0 || isInLabels(members, paths)) return null;
  const lines = settingLines(members, paths);
  const turned = members.length <= FEW_RUNS && lines.length > members.length;
  const [first, heads, rows] = turned
    ? [
        "Setting",
        members.map(nameCell),
        lines.map(({ label, values, isEverywhere }) => ({
          name: /** @type {Node | string} */ (label),
          values,
          isEverywhere,
        })),
      ]
    : [
        "Run",
        lines.map(({ label }) => label),
        members.map((member, i) => ({
          name: nameCell(member),
          values: lines.map(({ values }) => values[i]),
          isEverywhere: true,
        })),
      ];
  return h(
    "table",
    { class: `compare-table settings-table${turned ? " is-turned" : ""}` },
    h("thead", {}, h("tr", {}, ...[first, ...heads].map((head) => h("th", { scope: "col" }, head)))),
    ...[true, false].map((isEverywhere) => {
      const some = rows.filter((row) => row.isEverywhere === isEverywhere);
      return h(
        "tbody",
        { class: isEverywhere || some.length <= FEW_LINES ? undefined : "is-folded" },
        !isEverywhere &&
          some.length > 0 &&
          h(
            "tr",
            { class: "compare-group" },
            h("th", { scope: "rowgroup", colspan: heads.length + 1 }, foldButton(some.length)),
          ),
        ...some.map(({ name, values }) =>
          h("tr", {}, h("th", { scope: "row" }, name), ...values.map((value) => h("td", {}, value))),
        ),
      );
    }),
  );
}

/** Shows and hides the settings that only some runs have: those of one network say little of another. @param {number} lines */
function foldButton(lines) {
  const words = `${plural(lines, "setting")} that only some of them have`;
  if (lines <= FEW_LINES) return words;
  const toggle = (/** @type {Event} */ { currentTarget }) => {
    const button = /** @type {HTMLElement} */ (currentTarget);
    const isFolded = button.closest("tbody")?.classList.toggle("is-folded");
    button.setAttribute("aria-expanded", String(!isFolded));
  };
  return h(
    "button",
    { type: "button", class: "compare-fold", "aria-expanded": "false", on: { click: toggle } },
    icon("chevron", 12),
    words,
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

/** A cell with a second line is two columns, and heads of groups are left out. @param {HTMLTableElement} table */
export function tableCsv(table) {
  const textOf = (/** @type {ChildNode | Element} */ part) => (part.textContent ?? "").replace(/\s+/g, " ").trim();
  const lines = [...table.rows].filter((row) => !row.classList.contains("compare-group"));
  const rows = lines.map((row) =>
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
