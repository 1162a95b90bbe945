// Lines that leave a chart, so that the others can be read: those of runs that diverged.

import { findExtremes } from "./extremes.js";

/** @import { Line } from "./plot-data.js" */

/** A loss so high is no classifier's: one that guesses among a million classes has 14. */
const ABSURD = 50;
/** A line leaves if it is so many times as high as the others. */
const TIMES = 100;

/**
 * The lines that do not stretch the vertical axis: those of runs that are known to have diverged, and those that are out
 * of all proportion to the others. Some line always stays.
 * @param {Line[]} lines
 * @returns {Set<Line>}
 */
export function leavingLines(lines) {
  const sound = lines
    .filter(({ diverged }) => !diverged)
    .map((line) => ({ line, highest: highestOf(line) }))
    .filter(({ highest }) => Number.isFinite(highest))
    .sort((a, b) => a.highest - b.highest);
  if (sound.length === 0) return new Set();
  const stays = sound.findIndex(
    ({ highest }, i) => i > 0 && highest > ABSURD && highest > TIMES * sound[i - 1].highest,
  );
  const staying = new Set(sound.slice(0, stays < 0 ? sound.length : stays).map(({ line }) => line));
  return new Set(lines.filter((line) => !staying.has(line)));
}

/** @param {Line} line */
function highestOf({ y, length, extremes }) {
  const found = { low: -1, high: -1, hole: -1 };
  if (extremes) extremes.between(0, length, found);
  else findExtremes(y, 0, length, found);
  return found.high < 0 ? Number.NaN : y[found.high];
}
