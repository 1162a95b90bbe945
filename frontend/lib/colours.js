// How a run's line is drawn, wherever it is: it follows from the run's number alone, so it never
// changes. Eight colours that people with any colour vision can tell apart, and four dashes.

/** @import { Run } from "./types" */

/** @typedef {{ token: string, dash: number[] }} Stroke */

const COLOURS = 8;
const DASHES = [[], [8, 4], [2, 3], [9, 3, 2, 3]];

/** @param {Pick<Run, "number">} run @returns {Stroke} */
export function strokeOf({ number }) {
  const place = Math.max(0, number - 1);
  return { token: `--data-${(place % COLOURS) + 1}`, dash: DASHES[Math.floor(place / COLOURS) % DASHES.length] };
}
