// When a loss can be read on a logarithmic axis alone.

import { beginningOf } from "../chart/outliers.js";

/** @import { Column } from "../chart/column.js" */

/** Values so many times as high as the lowest leave nothing of it on a linear axis. */
const VAST = 1000;

/** A loss that falls to so small a part of where it began is a floor on a linear axis. */
const DEEP = 100;
/** Its end is the median of so many values. */
const END = 21;

/** Whether the values of a run that diverged reach so far. @param {Column} values */
export function isVast({ data, length }) {
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < length; i += 1) {
    const value = data[i];
    if (!(value > 0) || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return high > VAST * low;
}

/** Whether a loss has fallen so far. One of 0 has no place on a logarithmic axis. @param {Column} values */
export function isDeep({ data, length }) {
  if (length < END) return false;
  const end = data.slice(length - END, length).sort()[END >> 1];
  const beginning = beginningOf(data, 0, length);
  return end > 0 && beginning !== null && beginning > DEEP * end;
}
