// The points nearest to the pointer.

import { normalize } from "./scale.js";

/** @import { DrawnLine, PlotData, Line } from "./plot-data.js" */

/**
 * @typedef {{ line: Line, x: number, y: number, left: number, top: number, distance: number }} Near `left` and `top` in
 *   pixels of the plot
 */

/** At most this many lines are named at once. */
const MAX_LINES = 5;

/**
 * The nearest drawn point of each line by distance in pixels, nearest lines first.
 * @param {PlotData} data
 * @param {{ left: number, top: number }} at
 * @param {{ width: number, height: number }} size
 * @returns {Near[]}
 */
export function nearest(data, at, size) {
  /** @type {Near[]} */
  const found = [];
  for (const drawn of data.drawn.filter(({ line }) => !line.quiet)) {
    const near = nearestOf(drawn, data, size, (left, top) => Math.hypot(left - at.left, top - at.top));
    if (near) found.push(near);
  }
  return found.sort((a, b) => a.distance - b.distance).slice(0, MAX_LINES);
}

/**
 * The nearest drawn point of each line along the horizontal axis, for a crosshair at `x`.
 * @param {PlotData} data
 * @param {number} x
 * @param {{ width: number, height: number }} size
 * @returns {Near[]}
 */
export function nearestByX(data, x, size) {
  const at = normalize(data.x, x) * size.width;
  return data.drawn
    .filter(({ line }) => !line.quiet)
    .flatMap((drawn) => nearestOf(drawn, data, size, (left) => Math.abs(left - at)) ?? []);
}

/**
 * @param {DrawnLine} drawn
 * @param {PlotData} data
 * @param {{ width: number, height: number }} size
 * @param {(left: number, top: number) => number} measure
 * @returns {Near | undefined}
 */
function nearestOf({ line, x, y }, data, size, measure) {
  /** @type {Near | undefined} */
  let best;
  for (let i = 0; i < x.length; i += 1) {
    const value = y[i];
    if (value === null || x[i] < data.x.min || x[i] > data.x.max) continue;
    const left = normalize(data.x, x[i]) * size.width;
    const top = (1 - normalize(data.y, value)) * size.height;
    const distance = measure(left, top);
    if (!best || distance < best.distance) best = { line, x: x[i], y: value, left, top, distance };
  }
  return best;
}
