// Fewer points than the screen could show anyway, and not one extreme lost.

import { countBelow } from "./column.js";

/** More points than this for a pixel are thinned. */
const PER_PIXEL = 4;

/**
 * The indices to draw of the points between two positions, with one beyond each end so that the
 * line runs to the edge. Where there are more than a few for each pixel, a pixel keeps its first,
 * smallest, largest and last value, and one hole if it has any.
 *
 * @param {{ x: ArrayLike<number>, y: ArrayLike<number>, length: number }} line x ascends
 * @param {{ min: number, max: number }} range
 * @param {number} pixels
 * @param {(x: number) => number} toPixel
 * @returns {{ indices: number[], inRange: number }}
 */
export function thin({ x, y, length }, { min, max }, pixels, toPixel) {
  const first = countBelow(x, length, min);
  const end = countBelow(x, length, nextUp(max));
  const inRange = end - first;
  const from = Math.max(0, first - 1);
  const to = Math.min(length, end + 1);
  /** @type {number[]} */
  const indices = [];
  if (inRange <= pixels * PER_PIXEL) {
    for (let i = from; i < to; i += 1) indices.push(i);
    return { indices, inRange };
  }
  if (from < first) indices.push(from);
  let i = first;
  while (i < end) {
    const pixel = Math.floor(toPixel(x[i]));
    const start = i;
    let low = -1;
    let high = -1;
    let hole = -1;
    let last = i;
    for (; i < end && Math.floor(toPixel(x[i])) === pixel; i += 1) {
      last = i;
      const value = y[i];
      if (value !== value) {
        if (hole < 0) hole = i;
        continue;
      }
      if (low < 0 || value < y[low]) low = i;
      if (high < 0 || value > y[high]) high = i;
    }
    push(indices, [start, low, high, hole, last]);
  }
  if (to > end) indices.push(end);
  return { indices, inRange };
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

/** The next larger number, so that a point on the edge is inside. @param {number} value */
function nextUp(value) {
  return value + Math.max(Math.abs(value) * 2 ** -52, Number.MIN_VALUE);
}
