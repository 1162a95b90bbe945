// The points nearest to the pointer.

import { invert, normalize } from "./scale.js";

/** @import { DrawnLine, PlotData, Line } from "./plot-data.js" */

/**
 * @typedef {{ line: Line, x: number, y: number, left: number, top: number, distance: number }} Near `left` and `top` in
 *   pixels of the plot
 */

/** At most this many lines are named at once. */
const MAX_LINES = 5;

/**
 * The point of each line that is nearest along the horizontal axis, so that all tell of one moment; of many lines those
 * that are nearest to the pointer.
 * @param {PlotData} data
 * @param {{ left: number, top: number }} at
 * @param {{ width: number, height: number }} size
 * @returns {Near[]}
 */
export function nearest(data, at, size) {
  /** @param {Near} near */
  const placeOf = ({ line }) => data.drawn.findIndex((drawn) => drawn.line === line);
  /** @param {Near} near */
  const far = ({ top }) => Math.abs(top - at.top);
  return (
    nearestByX(data, invert(data.x, at.left / size.width), size)
      .sort((a, b) => far(a) - far(b))
      .slice(0, MAX_LINES)
      // The order of the legend: another one at each place could not be read.
      .sort((a, b) => placeOf(a) - placeOf(b))
  );
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
  return data.drawn.filter(({ line }) => !line.quiet).flatMap((drawn) => nearestOf(drawn, data, size, at) ?? []);
}

/**
 * @param {DrawnLine} drawn
 * @param {PlotData} data
 * @param {{ width: number, height: number }} size
 * @param {number} at pixels from the left
 * @returns {Near | undefined}
 */
function nearestOf({ line, x, y }, data, size, at) {
  /** @type {Near | undefined} */
  let best;
  for (let i = 0; i < x.length; i += 1) {
    const value = y[i];
    if (value === null || x[i] < data.x.min || x[i] > data.x.max) continue;
    const left = normalize(data.x, x[i]) * size.width;
    const distance = Math.abs(left - at);
    if (best && distance >= best.distance) continue;
    best = { line, x: x[i], y: value, left, top: (1 - normalize(data.y, value)) * size.height, distance };
  }
  return best;
}
