// The tables of a comparison: settings that differ, and results.

import { meanSpeed } from "../lib/mean-speed.js";
import { csv } from "../chart/csv.js";
import { settingPhrase, settingValue, sharedLabel } from "../lib/setting-labels.js";
import { differingSettings, labelOf, settingsOf } from "../lib/settings-diff.js";
import { download, h } from "../lib/dom.js";
import { bytes, count, duration, formatNumber, percent, percentSpread, compactNumber, spread } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { scrollFrame } from "../lib/scroll-frame.js";
import { byDataSet } from "./data-sets.js";
import { swatch } from "./members.js";
import { isSoundMember } from "./sound.js";

/** @import { Run, Spread, Statistics } from "../lib/types" */
/** @import { Member } from "./members.js" */

/**
 * A column of results. Columns that `spread` also show the standard deviation.
 * @typedef {{
 *   key: string,
 *   title: string,
 *   more?: string,
 *   best?: "high" | "low",
 *   spreads?: boolean,
 *   of: (run: Run, statistics: Statistics | undefined) => number | null,
 *   std?: (statistics: Statistics | undefined) => number | null,
 *   format: (value: number) => string,
 * }} Figure
 */

/**
 * @type {(name: "train_loss" | "train_accuracy" | "validation_loss" | "validation_accuracy", title: string, format:
 *   (value: number) => string) => Figure}
 */
const overEpochs = (name, title, format) => ({
  key: name,
  title,
  more: "mean over epochs",
  spreads: true,
  of: (_, statistics) => statistics?.[name]?.mean ?? null,
  std: (statistics) => statistics?.[name]?.std ?? null,
  format,
});

/** @type {Figure[]} */
export const RESULTS = [
  overEpochs("train_loss", "Training loss", formatNumber),
  overEpochs("train_accuracy", "Training accuracy", percent),
  overEpochs("validation_loss", "Validation loss", formatNumber),
  overEpochs("validation_accuracy", "Validation accuracy", percent),
  {
    key: "best_validation_accuracy",
    title: "Best validation",
    best: "high",
    spreads: true,
    of: ({ summary }) => summary.best_validation_accuracy,
    format: percent,
  },
  {
    key: "test_accuracy",
    title: "Test",
    best: "high",
    spreads: true,
    of: ({ summary }) => summary.test_accuracy,
    format: percent,
  },
  {
    key: "parameters",
    title: "Parameters",
    best: "low",
    of: ({ summary }) => summary.parameters,
    format: (value) => (value < 1e5 ? count(value) : compactNumber(value)),
  },
  { key: "seconds", title: "Time", best: "low", of: ({ summary }) => summary.seconds, format: duration },
  {
    key: "peak_memory_bytes",
    title: "Peak memory",
    best: "low",
    of: ({ summary }) => summary.peak_memory_bytes,
    format: bytes,
  },
  {
    key: "images_per_s",
    title: "Images/s",
    best: "high",
    of: ({ summary }) => meanSpeed(summary) ?? summary.images_per_s,
    format: compactNumber,
  },
];

/** Mean and standard deviation of several runs' values. @param {(number | null)[]} values */
export function meanAndStd(values) {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const std =
    known.length > 1
      ? Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1))
      : null;
  return { mean, std, count: known.length };
}

/**
 * A member's value in a column: for one run with the standard deviation over its epochs, for several seeds the mean and
 * standard deviation over seeds.
 * @param {Figure} of
 * @param {Member} member
 * @param {{ [id: string]: Statistics }} statistics
 * @returns {Spread | null}
 */
export function cellOf(of, { runs }, statistics) {
  const found = meanAndStd(runs.map((run) => of.of(run, statistics[run.id])));
  if (found && runs.length === 1 && of.std) return { ...found, std: of.std(statistics[runs[0].id]) };
  return found;
}

/** @param {Figure} of @param {Spread | null} cell */
export function formatCell(of, cell) {
  if (!cell) return "–";
  return cell.std === null || !of.spreads
    ? of.format(cell.mean)
    : (of.format === percent ? percentSpread : spread)(cell.mean, cell.std);
}

/** The best of a column's values; null if there is none, or nothing to choose from. @param {Figure} of @param {number[]} values */
const bestOf = (of, values) =>
  !of.best || new Set(values).size < 2 ? null : of.best === "high" ? Math.max(...values) : Math.min(...values);

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
        bestOf(
          of,
          rows.flatMap((row) => row[column]?.mean ?? []),
        ),
      );
      return [...here].map((member) => /** @type {[Member, typeof found]} */ ([member, found]));
    }),
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
        ...figures.map(({ title, more }) =>
          h("th", { scope: "col", class: "number" }, title, more && h("small", {}, more)),
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
            const first = cell !== null && cell.mean === best.get(member)?.[column];
            return h(
              "td",
              { class: `number${first ? " is-best" : ""}`, title: first ? "The best of these" : undefined },
              formatCell(of, cell),
            );
          }),
        ),
      ),
    ),
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

/**
 * The table of the settings in which members differ; null if there are none, or if their labels say it all.
 * @param {Member[]} members
 */
export function settingsTable(members) {
  const paths = settingsThatDiffer(members);
  if (paths.length === 0 || isInLabels(members, paths)) return null;
  return h(
    "table",
    { class: "compare-table settings-table" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Run"),
        ...paths.map((path) => h("th", { scope: "col" }, sharedLabel(path, runsWith(path, members)))),
      ),
    ),
    h(
      "tbody",
      {},
      ...members.map((member) => {
        const settings = settingsOf(member.runs[0]);
        return h(
          "tr",
          {},
          h("th", { scope: "row" }, nameCell(member)),
          ...paths.map((path) => h("td", {}, settings.has(path) ? settingValue(path, settings.get(path)) : "–")),
        );
      }),
    ),
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
 * @param {string} about
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

/** @param {HTMLTableElement} table */
export function tableCsv(table) {
  const rows = [...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText.replace(/\s+/g, " ").trim()));
  return csv(rows[0] ?? [], rows.slice(1));
}
