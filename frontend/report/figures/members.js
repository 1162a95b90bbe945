// The runs of a figure as a comparison has them: those that differ by their seed alone together.

import { distinctLabels, groupBySeed } from "../../lib/settings-diff.js";
import { membersOf } from "../../compare/members.js";

/** @import { Run } from "../../lib/types" */
/** @import { Field } from "./index.js" */

/** @type {Field} */
export const RUNS = { name: "runs", label: "Runs", type: "runs" };

/** @type {Field} */
export const SEEDS = {
  name: "seeds",
  label: "Seeds",
  type: "choice",
  value: "together",
  options: [
    ["together", "Together, as their mean"],
    ["apart", "Each for itself"],
  ],
};

/** @param {Run[]} runs @param {string} seeds */
export function membersFor(runs, seeds) {
  const groups = seeds === "apart" ? runs.map((run) => [run]) : groupBySeed(runs);
  return membersOf(groups, distinctLabels(groups.map(([first]) => first)));
}

/** The name of what a figure is about: the run's, or what the runs' names begin with. @param {Run[]} runs */
export function runsTitle(runs) {
  if (runs.length === 1) return `“${runs[0].name}”`;
  const [first] = runs[0].name.split(" · ");
  return runs.every(({ name }) => name === first || name.startsWith(`${first} · `))
    ? `“${first}”, ${runs.length} runs`
    : `${runs.length} runs`;
}
