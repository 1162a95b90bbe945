// The members of a figure: runs that differ only by seed are grouped.

import { distinctLabels, groupBySeed } from "../../lib/settings-diff.js";
import { runName } from "../../lib/run-name.js";
import { sweepTitle } from "../../runs/sweeps.js";
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
    ["together", "One line, the mean"],
    ["apart", "One line each"],
  ],
};

/** @param {Run[]} runs @param {string} seeds */
export function membersFor(runs, seeds) {
  const groups = seeds === "apart" ? runs.map((run) => [run]) : groupBySeed(runs);
  return membersOf(groups, distinctLabels(groups.map(([first]) => first)));
}

/** The title of runs: the name of the only run, or that of their sweep as the page Runs has it. @param {Run[]} runs */
export function runsTitle(runs) {
  const [{ sweep }] = runs;
  if (runs.length === 1) return `“${runName(runs[0])}”`;
  if (sweep === null || runs.some((run) => run.sweep !== sweep)) return `${runs.length} runs`;
  const { title, about } = sweepTitle(runs, true);
  return `${about === "" ? title : `“${title}”`}, ${runs.length} runs`;
}

/** The words of a comma-separated list. @param {string} text */
export const listOf = (text) => text.split(/[\s,]+/).filter(Boolean);
