// What is said of labels: what a version changes, and how probable a class is.

import { count, percent } from "../lib/format.js";

/** @param {{ relabelled: number, excluded: number }} version */
export function changeWords({ relabelled, excluded }) {
  const parts = [
    relabelled > 0 && `${count(relabelled)} relabelled`,
    excluded > 0 && `${count(excluded)} excluded`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : "nothing changed";
}

/** A probability, to one digit where it is next to nothing: the order of the suspects is by these. @param {number} share */
export function probabilityText(share) {
  if (share > 0.9995) return ">99.9%";
  if (share >= 0.001) return percent(share);
  return share < 1e-5 ? "<0.001%" : `${Number((100 * share).toPrecision(1))}%`;
}
