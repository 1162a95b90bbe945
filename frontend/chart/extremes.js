// Range minimum and maximum queries over a growing column. Each full block of values is scanned once; a query combines
// the blocks inside the range with a few values at either end.

import { Column } from "./column.js";

/** Values of which the extremes are kept together. */
export const BLOCK = 64;

/**
 * The indices of the smallest value, the largest value and the first NaN; -1 if there is none.
 * @typedef {{ low: number, high: number, hole: number }} Found
 */

export class Extremes {
  /** @param {Column} column */
  constructor(column) {
    this.column = column;
    this.version = column.version;
    this.low = new Column(64);
    this.high = new Column(64);
    this.hole = new Column(64);
  }

  /**
   * @param {number} from @param {number} to exclusive
   * @param {Found} [found] filled and returned
   * @returns {Found}
   */
  between(from, to, found = { low: -1, high: -1, hole: -1 }) {
    this.update();
    const first = Math.ceil(from / BLOCK);
    const last = Math.min(Math.floor(to / BLOCK), this.low.length);
    if (first >= last) {
      findExtremes(this.column.data, from, to, found);
      return found;
    }
    findExtremes(this.column.data, from, first * BLOCK, found);
    for (let block = first; block < last; block += 1) this.merge(block, found);
    findExtremes(this.column.data, last * BLOCK, to, found);
    return found;
  }

  /**
   * Counts the values above a limit and below another; blocks that lie between are skipped.
   * @param {number} from @param {number} to exclusive @param {number} low @param {number} high
   * @param {{ above: number, below: number }} found
   */
  countOutside(from, to, low, high, found) {
    this.update();
    const { data } = this.column;
    for (let i = from; i < to; ) {
      const block = Math.floor(i / BLOCK);
      const end = Math.min(to, (block + 1) * BLOCK);
      // A block of NaN has no extremes, and nothing outside.
      const [least, most] = [data[this.low.data[block]], data[this.high.data[block]]];
      if (block >= this.low.length || least < low || most > high) countOutside(data, i, end, low, high, found);
      i = end;
    }
  }

  update() {
    if (this.version !== this.column.version) {
      this.version = this.column.version;
      for (const places of [this.low, this.high, this.hole]) places.truncate(0);
    }
    while ((this.low.length + 1) * BLOCK <= this.column.length) {
      const found = { low: -1, high: -1, hole: -1 };
      findExtremes(this.column.data, this.low.length * BLOCK, (this.low.length + 1) * BLOCK, found);
      this.low.push(found.low);
      this.high.push(found.high);
      this.hole.push(found.hole);
    }
  }

  /** @param {number} block @param {Found} found */
  merge(block, found) {
    const { data } = this.column;
    const [low, high, hole] = [this.low.data[block], this.high.data[block], this.hole.data[block]];
    if (low >= 0 && (found.low < 0 || data[low] < data[found.low])) found.low = low;
    if (high >= 0 && (found.high < 0 || data[high] > data[found.high])) found.high = high;
    if (found.hole < 0) found.hole = hole;
  }
}

/** @param {ArrayLike<number>} data @param {number} from @param {number} to @param {Found} found */
export function findExtremes(data, from, to, found) {
  for (let i = from; i < to; i += 1) {
    const value = data[i];
    if (Number.isNaN(value)) {
      if (found.hole < 0) found.hole = i;
      continue;
    }
    if (found.low < 0 || value < data[found.low]) found.low = i;
    if (found.high < 0 || value > data[found.high]) found.high = i;
  }
}

/**
 * @param {ArrayLike<number>} data @param {number} from @param {number} to @param {number} low @param {number} high
 * @param {{ above: number, below: number }} found
 */
export function countOutside(data, from, to, low, high, found) {
  for (let i = from; i < to; i += 1) {
    if (data[i] > high) found.above += 1;
    else if (data[i] < low) found.below += 1;
  }
}

/** @type {WeakMap<Column, Extremes>} */
const known = new WeakMap();

/** The extremes of a column, cached for the column's lifetime. @param {Column} column */
export function extremesOf(column) {
  let extremes = known.get(column);
  if (!extremes) {
    extremes = new Extremes(column);
    known.set(column, extremes);
  }
  return extremes;
}
