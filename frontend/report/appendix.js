// The sources at the end of a report: the runs that its figures and numbers are from.

import { h } from "../lib/dom.js";
import { dateTime, exactNumber } from "../lib/format.js";
import { dataTitle, networkTitle } from "../lib/setting-labels.js";
import { settingsOf } from "../lib/settings-diff.js";
import { stateOf } from "../lib/status.js";
import { tableFrame } from "./table-frame.js";
import { runName } from "../lib/run-name.js";

/** @import { Run } from "../lib/types" */

const HEADS = ["Run", "Network", "Data", "Version of the data", "Seed", "Started", "State"];

/** @param {Run[]} runs in the order of their creation */
export function appendix(runs) {
  return [
    h("h2", { id: "runs" }, "Sources"),
    h(
      "p",
      { class: "muted" },
      "All figures, tables and highlighted numbers are from these runs. The id names a run in Vivarium: its page is at /runs/ and the id.",
    ),
    tableFrame(
      h(
        "table",
        { class: "compare-table sources-table" },
        h("thead", {}, h("tr", {}, ...HEADS.map((head) => h("th", { scope: "col" }, head)))),
        h("tbody", {}, ...runs.map(row)),
      ),
    ),
  ];
}

/** @param {Run} run */
function row(run) {
  const settings = settingsOf(run);
  const of = (/** @type {string} */ path) => (settings.has(path) ? exactNumber(settings.get(path)) : "–");
  return h(
    "tr",
    { id: `run-${run.id}` },
    h("th", { scope: "row" }, h("a", { href: run.url }, runName(run)), h("small", { class: "run-id" }, run.id)),
    h("td", {}, networkTitle(of("network.kind"))),
    h("td", {}, dataTitle(of("data.set"))),
    // A built-in set never changes.
    h("td", {}, settings.has("data.version") ? of("data.version") : run.source ? "–" : "built in"),
    h("td", {}, of("training.seed")),
    h("td", {}, dateTime(run.created)),
    h("td", {}, stateOf(run).word),
  );
}
