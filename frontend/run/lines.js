// A run's curves as lines to draw: positioned on the current axis and smoothed. Derived columns are cached and grow
// with the run, until one of their inputs changes: the axis, the source columns, or the run's figures.

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
 * The part of a line that follows from its curve.
 * @typedef {Pick<Line, "x" | "y" | "length" | "extremes">} Points
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
   * @param {unknown[]} from the inputs; a changed one invalidates the cache
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

  /** All values. @param {SeriesName} name @returns {Points} */
  raw(name) {
    const { x, y } = this.store.series[name];
    return this.points(`${name} x`, x, y);
  }

  /**
   * The moving average over all values, or the values themselves if the weight is 0.
   * @param {SeriesName} name
   * @returns {Points}
   */
  smooth(name) {
    const series = this.store.series[name];
    const weight = this.smoothing();
    if (weight === 0) return this.raw(name);
    // Only the server has all values of a long run; until it answers, the average with the previous weight is shown.
    if (series.thinned && series.smooth) {
      const { data } = series.smooth;
      return this.points(`${name} x smooth`, data.x, data.y);
    }
    const y = this.derive(`${name} smooth`, [series.y, weight], () => new Smoothed(series.y, weight));
    return this.points(`${name} x`, series.x, y);
  }

  /** @param {string} key @param {Column} steps @param {Column} y @returns {Points} */
  points(key, steps, y) {
    const { axis } = this.view;
    const { time } = this.store.series;
    const pace = this.pace();
    const x = this.derive(key, [axis, steps, time.x, time.x.version, ...Object.values(pace)], () =>
      axisPositions(axis, steps, pace, time),
    );
    return { x: x.data, y: y.data, length: y.length, extremes: extremesOf(y) };
  }

  /** Converts a step to a position on the current axis. @returns {(step: number) => number} */
  position() {
    const { view, store } = this;
    const pace = this.pace();
    if (view.axis === "samples") return (step) => samplesAt(step, pace);
    if (view.axis === "epoch") return (step) => epochAt(step, pace);
    return view.axis === "time" ? secondsAt(store.series.time.x, store.series.time.y) : (step) => step;
  }

  /**
   * The known steps between two positions; null if there are none.
   * @param {[number, number]} range
   * @returns {[number, number] | null}
   */
  stepsBetween([from, to]) {
    const { x, length } = this.raw("train_loss");
    const { data: steps } = this.store.series.train_loss.x;
    if (length === 0) return null;
    const first = Math.max(0, bisectLeft(x, length, from) - 1);
    const last = Math.min(length - 1, bisectLeft(x, length, to));
    return last > first ? [steps[first], steps[last]] : null;
  }

  /** The values that are not finite. @param {SeriesName[]} names */
  gaps(names) {
    const at = this.position();
    return names.flatMap((name) =>
      this.store.series[name].notFinite.map(({ step, kind }) => ({ step, kind, x: at(step) })),
    );
  }
}
