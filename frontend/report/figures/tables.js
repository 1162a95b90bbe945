// The tables of results and rankings.

import { rankingTable, rankingNote } from "../../compare/ranking.js";
import { RESULTS } from "../../compare/columns.js";
import { resultsTable } from "../../compare/tables.js";
import { h } from "../../lib/dom.js";
import { FigureError } from "../block.js";
import { runsTitle, membersFor, RUNS, SEEDS } from "./members.js";

/** @import { Kind } from "./index.js" */

/** The words of a table's statistics, which its note explains. */
const TERMS = {
  seeds: "Mean ± standard deviation over runs that differ by their seed alone.",
  epochs:
    "In the second line: the mean over the epochs of a run ± their standard deviation, how far a typical epoch is from the mean. A run that still learns, or whose first epochs leapt, has a large one.",
  p: "p is how likely a difference at least this large is if there is none (Welch's t test against the best). It is made larger for the number of comparisons (Holm). Below 0.05 the difference counts as clear.",
};

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
        ["epochs", "Last epoch, and means over epochs"],
      ],
    },
    SEEDS,
  ],
  async draw(values, sources) {
    const runs = await sources.runsOf(values.runs);
    const members = membersFor(runs, values.seeds);
    const [overEpochs, outcome] = [true, false].map((isMean) =>
      RESULTS.filter(({ under }) => (under !== undefined) === isMean),
    );
    const shown = { all: [outcome, overEpochs], outcome: [outcome], epochs: [overEpochs] }[values.columns] ?? [];
    const spreads = [
      members.some((member) => member.runs.length > 1) && TERMS.seeds,
      members.some((member) => member.runs.length === 1) && shown.includes(overEpochs) && TERMS.epochs,
    ].filter((term) => term !== false);
    const statistics = await sources.statistics(runs);
    // All columns are more than a page is wide.
    const tables = shown.map((columns) => resultsTable(members, statistics, columns));
    return {
      body: tables.length > 1 ? h("div", { class: "settings-tables" }, ...tables) : tables[0],
      runs,
      caption: `Results of ${runsTitle(runs)}.`,
      terms: spreads,
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
    const seeds = members.some((member) => member.runs.length > 1);
    return {
      body,
      runs,
      caption: `Ranking of ${runsTitle(runs)}${seeds ? "" : `. ${rankingNote(members)}`}`.replace(/([^.])$/, "$1."),
      terms: seeds ? [TERMS.seeds, TERMS.p] : [],
    };
  },
};
