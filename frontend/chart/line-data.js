// The points of one curve. A thinned curve can have one range with finer points.

import { Column, bisectLeft } from "./column.js";

export class LineData {
  constructor() {
    /** Steps, ascending. */
    this.x = new Column();
    /** Values; NaN where a value is missing. */
    this.y = new Column();
    /** The thinned points, kept once a range has been refined. @type {{ x: Column, y: Column } | null} */
    this.under = null;
  }

  /** @param {number} x @param {number} y */
  push(x, y) {
    this.x.push(x);
    this.y.push(y);
    this.under?.x.push(x);
    this.under?.y.push(y);
  }

  /** Removes a step and all steps after it. @param {number} step */
  rewind(step) {
    for (const { x, y } of this.under ? [this, this.under] : [this]) {
      const length = bisectLeft(x.data, x.length, step);
      x.truncate(length);
      y.truncate(length);
    }
  }

  /**
   * Replaces the points between the first and the last of the given ones with finer points.
   * @param {ArrayLike<number>} xs
   * @param {ArrayLike<number | null>} ys
   */
  refine(xs, ys) {
    if (xs.length === 0) return;
    this.under ??= { x: copy(this.x), y: copy(this.y) };
    const { under } = this;
    const first = bisectLeft(under.x.data, under.x.length, xs[0]);
    const after = bisectLeft(under.x.data, under.x.length, xs[xs.length - 1] + 0.5);
    this.x.truncate(0);
    this.y.truncate(0);
    for (let i = 0; i < first; i += 1) put(this, under.x.data[i], under.y.data[i]);
    for (let i = 0; i < xs.length; i += 1) put(this, xs[i], ys[i] ?? Number.NaN);
    for (let i = after; i < under.x.length; i += 1) put(this, under.x.data[i], under.y.data[i]);
  }
}

/** @param {{ x: Column, y: Column }} to @param {number} x @param {number} y */
function put(to, x, y) {
  to.x.push(x);
  to.y.push(y);
}

/** @param {Column} from */
function copy(from) {
  const column = new Column(Math.max(16, from.data.length));
  column.data.set(from.data.subarray(0, from.length));
  column.length = from.length;
  return column;
}
