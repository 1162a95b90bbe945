// What one drawing of a chart shows: lines cut to the visible range, thinned, and laid over one
// another on a common row of positions, as uPlot wants them.

import { thin } from "./thin.js";
import { padded, usable, valueAt } from "./scale.js";

/** @import { Scale } from "./scale.js" */
/** @import { Extremes } from "./extremes.js" */

/**
 * @typedef {{
 *   id: string, label: string, token: string, dash: number[], width: number, alpha: number, markers: boolean, counts: boolean,
 *   x: ArrayLike<number>, y: ArrayLike<number>, length: number, total: number, extremes?: Extremes,
 * }} Line `y` is not a number where there is a hole; `total` counts what was never sent too; `counts` is false where another line has the same points
 */

/** @typedef {{ line: Line, x: number[], y: (number | null)[] }} Drawn */

/**
 * @typedef {{
 *   x: Scale, y: Scale, drawn: Drawn[], rows: [number[], ...(number | null | undefined)[][]],
 *   shown: number, total: number, unloggable: number,
 * }} Frame
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
 * @param {{ range: [number, number] | null, yRange: [number, number] | null, logX: boolean, logY: boolean, pixels: number }} view
 * @returns {Frame}
 */
export function frame(lines, { range, yRange, logX, logY, pixels }) {
  const [min, max] = range ? usable(range[0], range[1], logX) : extent(lines, logX);
  const x = { min, max, log: logX };
  let shown = 0;
  let total = 0;
  let unloggable = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const drawn = lines.map((line) => {
    const { indices, inRange } = thin(line, x, pixels, (pixel) => valueAt(x, pixel / pixels));
    /** @type {Drawn} */
    const out = { line, x: [], y: [] };
    for (const i of indices) {
      const [at, value] = [line.x[i], line.y[i]];
      const bad = (logX && at <= 0) || (logY && value <= 0);
      if (bad && line.counts) unloggable += 1;
      if (logX && at <= 0) continue;
      out.x.push(at);
      out.y.push(bad || value !== value ? null : value);
      if (bad || value !== value || at < min || at > max) continue;
      if (line.counts) shown += 1;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (line.counts) total += Math.round(inRange * (line.length > 0 ? line.total / line.length : 1));
    return out;
  });
  const [yMin, yMax] = yRange ? usable(yRange[0], yRange[1], logY) : padded(usable(low, high, logY), logY);
  return { x, y: { min: yMin, max: yMax, log: logY }, drawn, rows: align(drawn), shown, total, unloggable };
}

/**
 * One row of positions for all: `undefined` where a line has no point, `null` where it has a hole.
 * @param {Drawn[]} drawn @returns {[number[], ...(number | null | undefined)[][]]}
 */
export function align(drawn) {
  const places = drawn.map(() => 0);
  /** @type {number[]} */
  const xs = [];
  /** @type {(number | null | undefined)[][]} */
  const ys = drawn.map(() => []);
  for (;;) {
    let next = Number.POSITIVE_INFINITY;
    for (let k = 0; k < drawn.length; k += 1) {
      const { x } = drawn[k];
      if (places[k] < x.length && x[places[k]] < next) next = x[places[k]];
    }
    if (next === Number.POSITIVE_INFINITY) return [xs, ...ys];
    xs.push(next);
    for (let k = 0; k < drawn.length; k += 1) {
      const { x, y } = drawn[k];
      const here = places[k] < x.length && x[places[k]] === next;
      ys[k].push(here ? y[places[k]] : undefined);
      if (here) places[k] += 1;
    }
  }
}
