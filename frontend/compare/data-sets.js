// The data that compared runs learned. Accuracies and losses on different data do not compare, so that marks of the best
// and ranks are given within one data set.

import { plural } from "../lib/format.js";
import { dataTitle } from "../lib/setting-labels.js";

/** @import { Member } from "./members.js" */

/** The data set that a member learned; "" if it is not known, as of an imported run. @param {Member} member */
export const dataSetOf = ({ runs: [{ spec }] }) => /** @type {any} */ (spec.data)?.set ?? "";

/**
 * Members by data set, in the order of their first members. Those of which the data is not known are taken to be of the
 * same data as the others, if these have one.
 * @param {Member[]} members
 * @returns {Map<string, Member[]>}
 */
export function byDataSet(members) {
  const known = [...new Set(members.map(dataSetOf))].filter(Boolean);
  /** @type {Map<string, Member[]>} */
  const sets = new Map();
  for (const member of members) {
    const set = known.length < 2 ? (known[0] ?? "") : dataSetOf(member);
    const same = sets.get(set);
    if (same) same.push(member);
    else sets.set(set, [member]);
  }
  return sets;
}

/** Says that runs learned different data; null if they learned the same. @param {Member[]} members */
export function dataNotice(members) {
  const sets = byDataSet(members);
  if (sets.size < 2) return null;
  const parts = [...sets].map(([set, of]) => {
    const runs = of.reduce((sum, member) => sum + member.runs.length, 0);
    return `${dataTitle(set) || "not told"} (${plural(runs, "run")})`;
  });
  return `These runs learned different data: ${parts.join(", ")}; their accuracies do not compare. The best is marked within each data set.`;
}
