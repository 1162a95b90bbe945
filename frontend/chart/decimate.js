// Reduces a line to the points that the screen can show, keeping every extreme.

import { bisectLeft } from "./column.js";
import { findExtremes } from "./extremes.js";

/** @import { Extremes } from "./extremes.js" */

/** Lines with more points per pixel than this are decimated. */
const MAX_PER_PIXEL = 4;

/**
 * The indices of the points to draw between two positions, with one point beyond each end so that the line reaches the
 * edge. Above `PER_PIXEL` points per pixel, each pixel keeps its first, smallest, largest and last value, and one gap
 * if it has any.
 *
 * @param {{ x: ArrayLike<number>, y: ArrayLike<number>, length: number, extremes?: Extremes }} line `x` is ascending
 * @param {{ min: number, max: number }} range
 * @param {number} pixels
 * @param {(pixel: number) => number} edge the position where a pixel begins
 * @returns {{ indices: number[], first: number, inRange: number }} `first`: the first point in the range
 */
export function decimate({ x, y, length, extremes }, { min, max }, pixels, edge) {
  const first = bisectLeft(x, length, min);
  const end = bisectLeft(x, length, nextUp(max));
  const inRange = end - first;
  const from = Math.max(0, first - 1);
  const to = Math.min(length, end + 1);
  /** @type {number[]} */
  const indices = [];
  if (inRange <= pixels * MAX_PER_PIXEL) {
    for (let i = from; i < to; i += 1) indices.push(i);
    return { indices, first, inRange };
  }
  if (from < first) indices.push(from);
  let start = first;
  for (let pixel = 0; pixel < pixels && start < end; pixel += 1) {
    const stop = pixel + 1 < pixels ? Math.min(end, bisectLeft(x, length, edge(pixel + 1))) : end;
    if (stop <= start) continue;
    const found = extremes ? extremes.between(start, stop) : scanned(y, start, stop);
    push(indices, [start, found.low, found.high, found.hole, stop - 1]);
    start = stop;
  }
  if (to > end) indices.push(end);
  return { indices, first, inRange };
}

/** @param {ArrayLike<number>} y @param {number} from @param {number} to */
function scanned(y, from, to) {
  const found = { low: -1, high: -1, hole: -1 };
  findExtremes(y, from, to, found);
  return found;
}

/** @param {number[]} indices @param {number[]} more */
function push(indices, more) {
  more.sort((a, b) => a - b);
  let before = indices.length > 0 ? indices[indices.length - 1] : -1;
  for (const index of more) {
    if (index > before) indices.push(index);
    before = Math.max(before, index);
  }
}

/** The next larger number, so that a point exactly on the edge counts as inside. @param {number} value */
function nextUp(value) {
  return value + Math.max(Math.abs(value) * 2 ** -52, Number.MIN_VALUE);
}
