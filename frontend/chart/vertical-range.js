// The vertical range of a chart, from the lines that it follows.

import { invert, normalize, padRange, validRange } from "./scale.js";

/** @import { DrawnLine, Unit } from "./plot-data.js" */
/** @import { Scale } from "./scale.js" */

/** An axis begins at the least value that there can be, such as a loss of 0, if the lines reach into this part of it. */
const NEAR_FLOOR = 0.5;

/**
 * The vertical range for lines between two values. It does not reach below what there can be.
 * @param {number} low @param {number} high @param {boolean} log @param {Unit | null} unit
 * @returns {[number, number]}
 */
export function verticalRange(low, high, log, unit) {
  const [min, max] = padRange(validRange(low, high, log), log);
  const floor = unit?.possible?.[0];
  if (log || floor === undefined || !(low >= floor)) return [min, max];
  return [low - floor <= NEAR_FLOOR * (high - floor) ? floor : Math.max(floor, min), max];
}

/**
 * The lowest point of lines without the points above a limit, and of their bands, where these do not reach lower than
 * the lines are high.
 * @param {DrawnLine[]} drawn @param {number} limit
 */
export function lowestUpTo(drawn, limit) {
  let [lowest, edge] = [limit, limit];
  for (const { y, low } of drawn) {
    y.forEach((value, i) => {
      if (value === null || value > limit) return;
      lowest = Math.min(lowest, value);
      if (low.length > 0) edge = Math.min(edge, low[i]);
    });
  }
  return Math.max(Math.min(lowest, edge), 2 * lowest - limit);
}

/**
 * The vertical range of lines that cross a horizontal range without having points in it.
 * @param {DrawnLine[]} drawn
 * @param {Scale} axis
 * @param {boolean} logY
 * @returns {[number, number]}
 */
export function crossingRange(drawn, axis, logY) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { x, y } of drawn) {
    for (let i = 1; i < x.length; i += 1) {
      const [from, to] = [y[i - 1], y[i]];
      if (from === null || to === null || x[i] < axis.min || x[i - 1] > axis.max) continue;
      const [start, end] = [normalize(axis, x[i - 1]), normalize(axis, x[i])];
      for (const edge of [0, 1]) {
        const value = invert({ min: from, max: to, log: logY && from !== to }, (edge - start) / (end - start));
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  }
  return [low, high];
}
