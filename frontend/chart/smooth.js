// Bias-corrected exponential moving average. With weight w, s(n) = Σ w^(n-i) y(i) / Σ w^(n-i). It is computed as a
// correction of the previous value, so that a constant stays exactly constant. NaN stays NaN and is skipped.

import { Column } from "./column.js";

export class Smoothed {
  /** @param {Column} y values; NaN where one is missing @param {number} weight from 0 to below 1 */
  constructor(y, weight) {
    this.y = y;
    this.weight = weight;
    this.column = new Column(Math.max(16, y.data.length));
    this.version = -1;
    this.value = 0;
    this.mass = 0;
  }

  /** The smoothed column, extended to the current length of the values. */
  get() {
    if (this.version !== this.y.version) {
      this.version = this.y.version;
      this.column.truncate(0);
      this.mass = 0;
    }
    const { weight } = this;
    const { data: ys, length } = this.y;
    for (let i = this.column.length; i < length; i += 1) {
      const y = ys[i];
      if (!Number.isFinite(y)) {
        this.column.push(Number.NaN);
        continue;
      }
      const first = this.mass === 0;
      this.mass = this.mass * weight + 1;
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
