// Whether compared runs were trained alike: one that learned from a few of the samples, or for a few epochs, is worse for
// this alone.

import { count } from "../lib/format.js";
import { byDataSet } from "./data-sets.js";
import { settingsThatDiffer } from "./settings.js";

/** @import { Run } from "../lib/types" */
/** @import { Member } from "./members.js" */

/** Numbers that differ by less are taken to be alike: early stopping and other validation shares make as much. */
const WIDE = 2;

/** `path`: the setting that decides it. @type {{ path: string, name: string, of: (run: Run) => number | null }[]} */
const TERMS = [
  { path: "data.limit", name: "training samples", of: ({ summary }) => summary.train_samples ?? null },
  {
    path: "training.epochs",
    name: "epochs",
    of: ({ spec }) => /** @type {any} */ (spec.training)?.epochs ?? null,
  },
];

/**
 * Says that runs of one data set learned from far more samples, or for far more epochs, than others; null if they did not,
 * or if the comparison is about exactly that.
 * @param {Member[]} members
 * @param {{ [path: string]: unknown }} [grid] what a sweep varies
 */
export function fairnessNotice(members, grid = {}) {
  if (byDataSet(members).size > 1) return null;
  const differing = settingsThatDiffer(members);
  const isSubject = (/** @type {string} */ path) => path in grid || differing.join() === path;
  const unequal = TERMS.filter(({ path }) => !isSubject(path)).flatMap(({ name, of }) => {
    const known = members.flatMap(({ label, runs: [run] }) => {
      const value = run.source ? null : of(run);
      return value === null ? [] : [{ label, value }];
    });
    known.sort((a, b) => a.value - b.value);
    const [least, most] = [known[0], known.at(-1)];
    if (!least || !most || most.value < WIDE * least.value) return [];
    return `${count(least.value)} ${name} (${least.label}) against ${count(most.value)} (${most.label})`;
  });
  if (unequal.length === 0) return null;
  return `These runs were not trained alike: ${unequal.join(", and ")}. Differences in accuracy may come from this alone.`;
}
