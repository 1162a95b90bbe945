// Exponential moving average: s(n) = s(n-1) + (y(n) - s(n-1)) / m(n), where m(n) = w·m(n-1) + 1 with the weight w, as
// TensorBoard's, but at most 1 + (n-1)/8. TensorBoard's first averages are over all values so far, so that a curve that
// falls fast at first is drawn late by half of its length; here it is late by an eighth at most. Written as a correction
// of the previous value, a constant stays exactly constant. NaN stays NaN and is skipped.

import { Column } from "./column.js";

/** The average is over at most this share of the values so far, and the newest. */
const SHARE = 1 / 8;

export class Smoothed {
  /** @param {Column} y values; NaN where one is missing @param {number} weight from 0 to below 1 */
  constructor(y, weight) {
    this.y = y;
    this.weight = weight;
    this.column = new Column(Math.max(16, y.data.length));
    this.version = -1;
    this.value = 0;
    this.mass = 0;
    /** How many values were averaged. */
    this.count = 0;
  }

  /** The smoothed column, extended to the current length of the values. */
  get() {
    if (this.version !== this.y.version) {
      this.version = this.y.version;
      this.column.truncate(0);
      this.mass = 0;
      this.count = 0;
    }
    const { weight } = this;
    const { data: ys, length } = this.y;
    for (let i = this.column.length; i < length; i += 1) {
      const y = ys[i];
      if (!Number.isFinite(y)) {
        this.column.push(Number.NaN);
        continue;
      }
      const first = this.count === 0;
      this.mass = Math.min(this.mass * weight + 1, 1 + this.count * SHARE);
      this.count += 1;
      this.value = first ? y : this.value + (y - this.value) / this.mass;
      this.column.push(this.value);
    }
    return this.column;
  }
}

/** The slider position for a weight: 0.9, 0.99 and 0.999 are equally far apart. @param {number} weight */
export function sliderFromWeight(weight) {
  return Math.round((-Math.log10(1 - weight) / 3) * 300);
}

/** The weight for a slider position from 0 to 300. @param {number} place */
export function weightFromSlider(place) {
  return Math.min(0.999, Math.max(0, Number((1 - 10 ** ((-3 * place) / 300)).toFixed(3))));
}
