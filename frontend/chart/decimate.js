// Reduces a line to the points that the screen can show, keeping every extreme.

import { bisectLeft } from "./column.js";
import { BLOCK, findExtremes } from "./extremes.js";

/** @import { Extremes } from "./extremes.js" */

/** Lines with more points per pixel than this are decimated. */
const MAX_PER_PIXEL = 4;
/** Pixels with at least so many blocks are rounded to whole blocks. */
const MIN_BLOCKS = 2;

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
  // Where a pixel has many blocks of values with known extremes, it is rounded to whole blocks, which moves its edge by
  // a small part of a pixel and spares a scan of the values beside the edge.
  const whole = extremes !== undefined && inRange >= pixels * MIN_BLOCKS * BLOCK;
  const found = { low: -1, high: -1, hole: -1 };
  let start = first;
  for (let pixel = 0; pixel < pixels && start < end; pixel += 1) {
    let stop = pixel + 1 < pixels ? Math.min(end, gallop(x, start, end, edge(pixel + 1))) : end;
    if (whole && stop < end) stop = Math.min(end, Math.round(stop / BLOCK) * BLOCK);
    if (stop <= start) continue;
    found.low = found.high = found.hole = -1;
    if (extremes) extremes.between(start, stop, found);
    else findExtremes(y, start, stop, found);
    const { low, high, hole } = found;
    pushNew(indices, start);
    const [a, b] = low < high ? [low, high] : [high, low];
    if (hole >= 0 && hole < a) pushNew(indices, hole);
    pushNew(indices, a);
    if (hole > a && hole < b) pushNew(indices, hole);
    pushNew(indices, b);
    if (hole > b) pushNew(indices, hole);
    pushNew(indices, stop - 1);
    start = stop;
  }
  if (to > end) indices.push(end);
  return { indices, first, inRange };
}

/**
 * The number of values below `value` among the first `length`, at least `from`: near `from` this is faster than a
 * bisection of all.
 * @param {ArrayLike<number>} data @param {number} from @param {number} length @param {number} value
 */
function gallop(data, from, length, value) {
  let low = from;
  let reach = 1;
  while (low + reach < length && data[low + reach] < value) {
    low += reach;
    reach *= 2;
  }
  let high = Math.min(length, low + reach);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Appends an index that is larger than the last one. @param {number[]} indices @param {number} index */
function pushNew(indices, index) {
  if (index >= 0 && (indices.length === 0 || index > indices[indices.length - 1])) indices.push(index);
}

/** The next larger number, so that a point exactly on the edge counts as inside. @param {number} value */
function nextUp(value) {
  return value + Math.max(Math.abs(value) * 2 ** -52, Number.MIN_VALUE);
}
