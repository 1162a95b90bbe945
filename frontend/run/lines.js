// A run's curves as lines to draw: placed on the axis of now, smoothed as the view says. What is
// derived is kept and grows with the run, for as long as all that it was derived from is the same:
// the axis, the columns, and what is known of the run, which is little before it starts.

import { secondsAt, epochAt, axisPositions, samplesAt } from "../chart/axis.js";
import { bisectLeft } from "../chart/column.js";
import { extremesOf } from "../chart/extremes.js";
import { Smoothed } from "../chart/smooth.js";

/** @import { Run } from "../lib/types" */
/** @import { RunStore, SeriesName } from "./store.js" */
/** @import { Column } from "../chart/column.js" */
/** @import { Line } from "../chart/plot-data.js" */
/** @import { Pace } from "../chart/axis.js" */
/** @import { View } from "../chart/view.js" */

/**
 * What of a line follows from its curve.
 * @typedef {Pick<Line, "x" | "y" | "length" | "extremes" | "steps" | "perStep">} Points
 */

export class RunLines {
  /** @param {RunStore} store @param {() => Run} run @param {View} view @param {() => number} smoothing its weight */
  constructor(store, run, view, smoothing) {
    this.store = store;
    this.run = run;
    this.view = view;
    this.smoothing = smoothing;
    /** @type {Map<string, { from: unknown[], made: { get: () => Column } }>} */
    this.derived = new Map();
  }

  /** @returns {Pace} */
  pace() {
    const { summary, spec } = this.run();
    return {
      trainSamples: summary.train_samples ?? 1,
      stepsPerEpoch: summary.steps_per_epoch ?? 1,
      batchSize: Number(/** @type {any} */ (spec.training)?.batch_size ?? 1),
    };
  }

  /**
   * @param {string} key
   * @param {unknown[]} from what it follows from: where one of these is another, it is made anew
   * @param {() => { get: () => Column }} make
   */
  derive(key, from, make) {
    let known = this.derived.get(key);
    if (!known || known.from.some((value, i) => value !== from[i])) {
      known = { from, made: make() };
      this.derived.set(key, known);
    }
    return known.made.get();
  }

  /** Every value. @param {SeriesName} name @returns {Points} */
  raw(name) {
    const { x, y } = this.store.series[name];
    return { ...this.points(`${name} x`, x, y), perStep: this.perStep(name) };
  }

  /** How many points there are for a step, on average: imported curves have fewer than one. @param {SeriesName} name */
  perStep(name) {
    const { x, total } = this.store.series[name];
    return this.run().source && total > 1 ? (total - 1) / (x.last() - x.data[0]) : 1;
  }

  /**
   * The moving average over every value, or the values themselves where it has no weight.
   * @param {SeriesName} name
   * @returns {Points}
   */
  smooth(name) {
    const series = this.store.series[name];
    const weight = this.smoothing();
    if (weight === 0) return this.raw(name);
    // Only the server has all values of a long run; until it answers, the average by the weight before does.
    if (series.thinned && series.smooth) {
      const { data } = series.smooth;
      return { ...this.points(`${name} x smooth`, data.x, data.y), perStep: this.perStep(name) };
    }
    const y = this.derive(`${name} smooth`, [series.y, weight], () => new Smoothed(series.y, weight));
    return { ...this.points(`${name} x`, series.x, y), perStep: this.perStep(name) };
  }

  /** @param {string} key @param {Column} steps @param {Column} y @returns {Points} */
  points(key, steps, y) {
    const { axis } = this.view;
    const { time } = this.store.series;
    const pace = this.pace();
    const x = this.derive(key, [axis, steps, time.x, time.x.version, ...Object.values(pace)], () =>
      axisPositions(axis, steps, pace, time),
    );
    return { x: x.data, y: y.data, length: y.length, extremes: extremesOf(y), steps: steps.data };
  }

  /** A step as a position on the axis of now. @returns {(step: number) => number} */
  position() {
    const { view, store } = this;
    const pace = this.pace();
    if (view.axis === "samples") return (step) => samplesAt(step, pace);
    if (view.axis === "epoch") return (step) => epochAt(step, pace);
    return view.axis === "time" ? secondsAt(store.series.time.x, store.series.time.y) : (step) => step;
  }

  /**
   * The steps that lie between two positions, as far as is known; null when there is none.
   * @param {[number, number]} range
   * @returns {[number, number] | null}
   */
  stepsBetween([from, to]) {
    const { x, steps, length } = this.raw("train_loss");
    if (!steps || length === 0) return null;
    const first = Math.max(0, bisectLeft(x, length, from) - 1);
    const last = Math.min(length - 1, bisectLeft(x, length, to));
    return last > first ? [steps[first], steps[last]] : null;
  }

  /** Where values are not finite. @param {SeriesName[]} names */
  gaps(names) {
    const at = this.position();
    return names.flatMap((name) =>
      this.store.series[name].notFinite.map(({ step, kind }) => ({ step, kind, x: at(step) })),
    );
  }
}
