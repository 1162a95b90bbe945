// The colour and dash pattern of a run's line. They depend only on the run's number, so they are the same on every page
// and never change. The eight colours can be told apart with any colour vision.

/** @import { Run } from "./types" */

/** @typedef {{ token: string, dash: number[] }} Stroke */

const COLOURS = 8;
const DASHES = [[], [8, 4], [2, 3], [9, 3, 2, 3]];

/** @param {Pick<Run, "number">} run @returns {Stroke} */
export function strokeOf({ number }) {
  const place = Math.max(0, number - 1);
  return { token: `--data-${(place % COLOURS) + 1}`, dash: DASHES[Math.floor(place / COLOURS) % DASHES.length] };
}
