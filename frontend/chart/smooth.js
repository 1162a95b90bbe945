// Smoothing: an exponential moving average without the pull towards its start.
//
// With weight w, s(n) = Σ w^(n-i) y(i) / Σ w^(n-i). Written as a correction of the value before, a
// constant stays exactly what it is. A hole stays one and counts for nothing.

import { Column } from "./column.js";

export class Smoothed {
  /** @param {Column} y values; not a number where there is none @param {number} weight 0 to below 1 */
  constructor(y, weight) {
    this.y = y;
    this.weight = weight;
    this.column = new Column(Math.max(16, y.data.length));
    this.version = -1;
    this.value = 0;
    this.mass = 0;
  }

  /** The smoothed column, up to date: computed only as far as the values have grown. */
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

/** Where the slider stands for a weight: equal ways for 0.9, 0.99 and 0.999. @param {number} weight */
export function sliderFromWeight(weight) {
  return Math.round((-Math.log10(1 - weight) / 3) * 300);
}

/** The weight for a place of the slider, 0 to 300. @param {number} place */
export function weightFromSlider(place) {
  return Math.min(0.999, Math.max(0, Number((1 - 10 ** ((-3 * place) / 300)).toFixed(3))));
}
