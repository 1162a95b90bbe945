// Which samples of a data set are offered to choose from.

/** @import { Sample } from "../lib/types" */

/** Samples of each class in turn: the first of every class, then the second of every class. @param {Sample[]} all */
export function inTurns(all) {
  /** @type {Map<number, number>} */
  const seen = new Map();
  const ranked = all.map((sample) => {
    const place = seen.get(sample.truth) ?? 0;
    seen.set(sample.truth, place + 1);
    return { sample, place };
  });
  return ranked.sort((a, b) => a.place - b.place).map(({ sample }) => sample);
}
