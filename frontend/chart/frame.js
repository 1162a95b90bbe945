// What one drawing of a chart shows: lines cut to the visible range, and thinned.

import { thin } from "./thin.js";
import { padded, usable, valueAt } from "./scale.js";

/** @import { Scale } from "./scale.js" */
/** @import { Extremes } from "./extremes.js" */

/**
 * @typedef {{
 *   id: string, label: string, token: string, dash: number[], width: number, alpha: number, markers: boolean, counts: boolean, quiet?: boolean,
 *   x: ArrayLike<number>, y: ArrayLike<number>, length: number, extremes?: Extremes, steps?: ArrayLike<number>, perStep?: number,
 *   band?: { low: ArrayLike<number>, high: ArrayLike<number> },
 * }} Line `y` is not a number where there is a hole; `steps`, where there is a point for each step, or `perStep`
 * points on average, tell how many were never sent; `counts` is false where another line has the same points; `band` is an area around the line; a `quiet` one is not named at the pointer
 */

/** @typedef {{ line: Line, x: number[], y: (number | null)[], low: number[], high: number[] }} Drawn `low` and `high` are empty where there is no band */

/**
 * @typedef {{
 *   x: Scale, y: Scale, drawn: Drawn[],
 *   shown: number, total: number, unloggable: number, outside: number,
 * }} Frame `outside`: points left out as outliers
 */

/** The positions that all lines have together. @param {Line[]} lines @param {boolean} log @returns {[number, number]} */
export function extent(lines, log) {
  let min = log ? Number.POSITIVE_INFINITY : 0;
  let max = Number.NEGATIVE_INFINITY;
  for (const { x, length } of lines) {
    if (length === 0) continue;
    max = Math.max(max, x[length - 1]);
    let first = 0;
    while (log && first < length && x[first] <= 0) first += 1;
    if (first < length) min = Math.min(min, x[first]);
  }
  return usable(min, max, log);
}

/**
 * @param {Line[]} lines those that are hidden left out
 * @param {{ range: [number, number] | null, yRange: [number, number] | null, logX: boolean, logY: boolean, pixels: number, outliers?: boolean }} view without `outliers` the few values far from the others may lie outside
 * @returns {Frame}
 */
export function frame(lines, { range, yRange, logX, logY, pixels, outliers = true }) {
  const [min, max] = range ? usable(range[0], range[1], logX) : extent(lines, logX);
  const x = { min, max, log: logX };
  let shown = 0;
  let total = 0;
  let unloggable = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  /** @type {number[]} */
  const values = [];
  const drawn = lines.map((line) => {
    const { indices, inRange, first } = thin(line, x, pixels, (pixel) => valueAt(x, pixel / pixels));
    /** @type {Drawn} */
    const out = { line, x: [], y: [], low: [], high: [] };
    for (const i of indices) {
      const [at, value] = [line.x[i], line.y[i]];
      const bad = (logX && at <= 0) || (logY && value <= 0);
      if (bad && line.counts) unloggable += 1;
      if (logX && at <= 0) continue;
      out.x.push(at);
      out.y.push(bad || value !== value ? null : value);
      if (line.band) {
        out.low.push(line.band.low[i]);
        out.high.push(line.band.high[i]);
      }
      if (bad || value !== value || at < min || at > max) continue;
      if (line.counts) shown += 1;
      if (!outliers) values.push(value);
      low = Math.min(low, value, line.band ? line.band.low[i] : value);
      high = Math.max(high, value, line.band ? line.band.high[i] : value);
    }
    if (line.counts) total += line.steps && inRange > 0 ? Math.round((line.steps[first + inRange - 1] - line.steps[first]) * (line.perStep ?? 1)) + 1 : inRange;
    return out;
  });
  let outside = 0;
  if (!outliers && values.length > 0) {
    [low, high] = most(values.sort((a, b) => a - b));
    outside = countOutside(values, low, high);
  }
  const [yMin, yMax] = yRange ? usable(yRange[0], yRange[1], logY) : padded(usable(low, high, logY), logY);
  return { x, y: { min: yMin, max: yMax, log: logY }, drawn, shown, total, unloggable, outside: yRange ? 0 : outside };
}

/**
 * From where to where most of some values lie: three times what their middle half spans on either
 * side of it (Tukey's outer fences), but no further than they go.
 * @param {number[]} sorted @returns {[number, number]}
 */
export function most(sorted) {
  const quantile = (/** @type {number} */ share) => sorted[Math.round(share * (sorted.length - 1))];
  const [lower, upper] = [quantile(0.25), quantile(0.75)];
  const reach = 3 * (upper - lower);
  return [Math.max(sorted[0], lower - reach), Math.min(sorted[sorted.length - 1], upper + reach)];
}

/** @param {number[]} values @param {number} low @param {number} high */
function countOutside(values, low, high) {
  return values.reduce((sum, value) => sum + (value < low || value > high ? 1 : 0), 0);
}
