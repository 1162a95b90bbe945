// The tables of results, rankings and settings.

import { rankingTable, rankingNote } from "../../compare/ranking.js";
import { RESULTS, resultsTable, settingsTable } from "../../compare/tables.js";
import { differingSettings, settingsOf, shortName } from "../../lib/settings-diff.js";
import { h } from "../../lib/dom.js";
import { exactNumber } from "../../lib/format.js";
import { FigureError } from "../block.js";
import { runsTitle, membersFor, RUNS, SEEDS } from "./members.js";

/** @import { Kind } from "./index.js" */
/** @import { Json, Run } from "../../lib/types" */

/** @type {Kind} */
export const figures = {
  kind: "results",
  title: "Results",
  about: "Mean and deviation of loss and accuracy, parameters, time, memory, test accuracy",
  is: "table",
  fields: [
    RUNS,
    {
      name: "columns",
      label: "Columns",
      type: "choice",
      value: "all",
      options: [
        ["all", "All"],
        ["outcome", "Best and test accuracy, and what they cost"],
        ["epochs", "Means over epochs"],
      ],
    },
    SEEDS,
  ],
  async draw(values, sources) {
    const runs = await sources.runsOf(values.runs);
    const members = membersFor(runs, values.seeds);
    const shown = RESULTS.filter(
      ({ more }) => values.columns === "all" || (values.columns === "epochs") === (more !== undefined),
    );
    const spread =
      members.length < runs.length
        ? "Mean and standard deviation over seeds."
        : shown.some(({ more }) => more)
          ? "Losses and accuracies are means over epochs with their standard deviation."
          : "";
    return {
      body: resultsTable(members, await sources.statistics(runs), shown),
      runs,
      caption: `Results of ${runsTitle(runs)}. ${spread}`.trim(),
    };
  },
};

/** @type {Kind} */
export const ranking = {
  kind: "ranking",
  title: "Ranking",
  about: "Which is best, and whether the difference is significant",
  is: "table",
  fields: [RUNS, SEEDS],
  async draw(values, sources) {
    const runs = await sources.runsOf(values.runs);
    const members = membersFor(runs, values.seeds);
    const body = rankingTable(members);
    if (!body) throw new FigureError("A ranking needs at least two results.");
    return { body, runs, caption: `Ranking of ${runsTitle(runs)}. ${rankingNote(members)}` };
  },
};

/** @type {Kind} */
export const settings = {
  kind: "settings",
  title: "Settings",
  about: "All settings of one run, or the differences between several",
  is: "table",
  fields: [
    RUNS,
    {
      name: "show",
      label: "Show",
      type: "choice",
      value: "differing",
      options: [
        ["differing", "What differs"],
        ["common", "What is the same"],
      ],
    },
  ],
  async draw(values, sources) {
    const runs = await sources.runsOf(values.runs);
    const differ = runs.length > 1 && values.show === "differing" ? settingsTable(membersFor(runs, "together")) : null;
    if (differ) return { body: differ, runs, caption: `Settings in which ${runsTitle(runs)} differ.` };
    const body = commonTable(runs);
    return {
      body,
      runs,
      caption: runs.length > 1 ? `Settings that ${runsTitle(runs)} have in common.` : `Settings of ${runsTitle(runs)}.`,
    };
  },
};

/** A table with two settings per row, since they are many and short. @param {Run[]} runs */
function commonTable(runs) {
  const differ = new Set(differingSettings(runs));
  const all = [...settingsOf(runs[0])].filter(([path]) => !differ.has(path));
  const half = Math.ceil(all.length / 2);
  const pair = (/** @type {[string, Json] | undefined} */ of) =>
    of
      ? [h("th", { scope: "row", title: of[0] }, settingName(of[0])), h("td", {}, exactNumber(of[1]))]
      : [h("td"), h("td")];
  return h(
    "table",
    { class: "compare-table settings-pairs" },
    h(
      "thead",
      {},
      h("tr", {}, ...["Setting", "Value", "Setting", "Value"].map((head) => h("th", { scope: "col" }, head))),
    ),
    h("tbody", {}, ...all.slice(0, half).map((of, i) => h("tr", {}, ...pair(of), ...pair(all[half + i])))),
  );
}

/**
 * A setting's name with its group: "training.optimizer.lr" → "optimizer lr".
 * @param {string} path
 */
function settingName(path) {
  const inner = path.split(".").slice(1);
  return inner.length > 1
    ? inner
        .filter((part) => part !== "kind")
        .join(" ")
        .replaceAll("_", " ")
    : shortName(path);
}
