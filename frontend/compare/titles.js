// What a comparison is called, and in what its runs differ.

import { settingLabel } from "../lib/setting-labels.js";
import { distinctLabels } from "../lib/settings-diff.js";
import { sweepTitle } from "../runs/sweeps.js";
import { settingLines, settingsThatDiffer } from "./settings.js";

/** @import { Run } from "../lib/types" */
/** @import { Member } from "./members.js" */

/** So many settings in which runs differ are named. */
const MAX_DIFFERENCES = 3;

/** So many runs are named in a title of so many letters. */
const MAX_NAMED = 3;
const MAX_LETTERS = 72;

/**
 * The name of the page: a sweep has the name that it has in the table of runs, and two or three runs have their own.
 * @param {{ title: string, sweep?: unknown }} data of the page @param {URLSearchParams} query @param {Run[]} runs
 */
export function titleOf(data, query, runs) {
  const isSweep = data.sweep || (query.has("sweep") && !["run", "selection", "tag"].some((name) => query.has(name)));
  const sweeps = new Set(runs.map(({ sweep }) => sweep));
  if (isSweep && runs.length > 0 && sweeps.size === 1) return sweepTitle(runs, true).title;
  return data.sweep || query.has("tag") ? data.title : namesOf(runs);
}

/** @param {Run[]} runs */
function namesOf(runs) {
  if (runs.length < 2 || runs.length > MAX_NAMED) return "Comparison";
  const names = [...distinctLabels(runs).values()];
  const last = names.pop();
  const title = `${names.join(", ")} and ${last}`;
  return title.length <= MAX_LETTERS ? title : "Comparison";
}

/** In what members differ: “they differ in batch size and learning rate”. @param {Member[]} members */
export function differences(members) {
  const labels = settingsThatDiffer(members).map((path) => {
    const label = settingLabel(path);
    // Abbreviations keep their capitals.
    return /^[A-Z]{2}/.test(label) ? label : label.charAt(0).toLowerCase() + label.slice(1);
  });
  if (members.length < 2 || labels.length === 0) return "";
  if (labels.length > MAX_DIFFERENCES) return `they differ in ${settingLines(members).length} settings`;
  const [last, ...before] = labels.reverse();
  return `they differ in ${[before.reverse().join(", "), last].filter(Boolean).join(" and ")}`;
}
