// The units of the horizontal axis. Curves are stored by step; the other units are computed from the step.

import { bisectLeft, DerivedColumn } from "./column.js";

/** @import { Column } from "./column.js" */

/** @typedef {"step" | "samples" | "epoch" | "time"} AxisName */

/**
 * The figures of a run that turn steps into other units.
 * @typedef {{ trainSamples: number, stepsPerEpoch: number, batchSize: number }} Pace
 */

/**
 * `label`: on a button; `title`: in a list; `unit`: beside the axis.
 * @type {{ name: AxisName, label: string, title: string, unit: string, format: (position: string) => string }[]}
 */
export const AXES = [
  { name: "step", label: "Steps", title: "Step", unit: "step", format: (at) => `step ${at}` },
  {
    name: "samples",
    label: "Samples",
    title: "Samples seen",
    unit: "samples seen",
    format: (at) => `${at} samples`,
  },
  { name: "epoch", label: "Epochs", title: "Epoch", unit: "epoch", format: (at) => `epoch ${at}` },
  { name: "time", label: "Time", title: "Time (s)", unit: "time (s)", format: (at) => `${at} s` },
];

/** What stands beside an axis: its name, with its unit. @param {AxisName} axis */
export const axisUnit = (axis) => AXES.find(({ name }) => name === axis)?.unit ?? "";

/**
 * Training samples seen after a step. The last batch of an epoch may be short.
 * @param {number} step from 1
 * @param {Pace} pace
 */
export function samplesAt(step, { trainSamples, stepsPerEpoch, batchSize }) {
  const epochs = Math.floor((step - 1) / stepsPerEpoch);
  return epochs * trainSamples + Math.min(trainSamples, (step - epochs * stepsPerEpoch) * batchSize);
}

/** Epochs completed after a step, with the fraction of the current one. @param {number} step @param {Pace} pace */
export function epochAt(step, { stepsPerEpoch }) {
  return step / stepsPerEpoch;
}

/**
 * Seconds of training after a step, interpolated linearly between known times; 0 at step 0. Lookups in ascending order
 * take constant time.
 * @param {Column} steps
 * @param {Column} seconds
 * @returns {(step: number) => number}
 */
export function secondsAt(steps, seconds) {
  let i = 0;
  return (step) => {
    const [xs, ys, length] = [steps.data, seconds.data, steps.length];
    if (length === 0) return 0;
    if (i >= length || xs[i] < step || (i > 0 && xs[i - 1] >= step)) {
      i = i + 1 < length && xs[i] < step && xs[i + 1] >= step ? i + 1 : bisectLeft(xs, length, step);
    }
    if (i >= length) return ys[length - 1];
    const [x0, y0] = i > 0 ? [xs[i - 1], ys[i - 1]] : [0, 0];
    return xs[i] === x0 ? ys[i] : y0 + ((ys[i] - y0) * (step - x0)) / (xs[i] - x0);
  };
}

/**
 * Converts a column of steps to positions on an axis.
 * @param {AxisName} axis
 * @param {Column} steps
 * @param {Pace} pace
 * @param {{ x: Column, y: Column }} time
 * @returns {{ get: () => Column }}
 */
export function axisPositions(axis, steps, pace, time) {
  switch (axis) {
    case "samples":
      return new DerivedColumn(steps, () => (step) => samplesAt(step, pace));
    case "epoch":
      return new DerivedColumn(steps, () => (step) => epochAt(step, pace));
    case "time":
      return new DerivedColumn(steps, () => secondsAt(time.x, time.y));
    default:
      return { get: () => steps };
  }
}
