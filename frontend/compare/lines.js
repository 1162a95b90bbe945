// The lines of a comparison's chart: one for each run, or the mean over seeds with a band.

import { ACCURACY, LOSS } from "../chart/units.js";
import { formatLoss, formatNumber, percent } from "../lib/format.js";
import { importedCurves } from "../run/store.js";
import { meanCurve } from "./mean.js";

/** @import { Run } from "../lib/types" */
/** @import { AxisName } from "../chart/axis.js" */
/** @import { Line, Unit } from "../chart/plot-data.js" */
/** @import { RunLines } from "../run/lines.js" */
/** @import { SeriesName } from "../run/store.js" */
/** @import { Member } from "./members.js" */

/**
 * @typedef {{
 *   id: string,
 *   title: string,
 *   series: SeriesName,
 *   noisy: boolean,
 *   unit: Unit,
 *   leaps?: boolean,
 *   value: (value: number) => string,
 * }} MetricChart
 */

/** @type {Pick<MetricChart, "unit" | "leaps" | "value">} */
const OF_LOSS = { unit: LOSS, leaps: true, value: formatLoss };
/** @type {Pick<MetricChart, "unit" | "value">} */
const OF_ACCURACY = { unit: ACCURACY, value: percent };

/** @type {MetricChart[]} */
export const CHARTS = [
  { id: "train_loss", title: "Training loss", series: "train_loss", noisy: true, ...OF_LOSS },
  { id: "train_accuracy", title: "Training accuracy", series: "train_accuracy", noisy: true, ...OF_ACCURACY },
  { id: "validation_loss", title: "Validation loss", series: "validation_loss", noisy: false, ...OF_LOSS },
  {
    id: "validation_accuracy",
    title: "Validation accuracy",
    series: "validation_accuracy",
    noisy: false,
    ...OF_ACCURACY,
  },
];

/**
 * The charts of a comparison: the common ones, and those of imported series.
 * @param {Run[]} runs
 * @returns {MetricChart[]}
 */
export const chartsOf = (runs) => [
  ...CHARTS,
  ...importedCurves(runs).map(({ name, title }, i) => ({
    id: `own${i + 1}`,
    title,
    series: name,
    noisy: true,
    unit: { name: title, size: 1 },
    value: formatNumber,
  })),
];

/**
 * The axis on which runs are comparable. Steps are not if batch sizes differ.
 * @param {Run[]} runs
 * @returns {AxisName}
 */
export function axisFor(runs) {
  // Imported runs have steps, but neither samples nor epochs.
  if (runs.some(({ source }) => source)) return "step";
  const differ = (/** @type {(run: Run) => unknown} */ of) =>
    new Set(runs.map((run) => JSON.stringify(of(run)))).size > 1;
  if (differ((run) => run.spec.data)) return "epoch";
  return differ((run) => /** @type {any} */ (run.spec.training)?.batch_size) ? "samples" : "step";
}

/** Up to this many runs, the raw values show behind the smoothed lines. */
const MAX_RAW = 6;

/**
 * @param {MetricChart} which @param {Member[]} members
 * @param {(id: string) => RunLines | undefined} linesFor a run's curves, by its id @param {number} smoothing
 * @returns {Line[]}
 */
export function memberLines({ series, noisy, unit }, members, linesFor, smoothing) {
  const few = members.reduce((sum, member) => sum + member.runs.length, 0) <= MAX_RAW;
  const smooth = noisy && smoothing > 0;
  return members.flatMap(({ id, label, runs, stroke }) => {
    const of = runs.flatMap((run) => linesFor(run.id) ?? []);
    if (of.length === 0) return [];
    const diverged = runs.every(({ reason }) => reason === "diverged");
    const look = { ...stroke, label, unit, alpha: 1, markers: !noisy, counts: true, diverged };
    if (of.length > 1) {
      const { x, y, low, high } = meanCurve(
        of.map((lines) => lines.smooth(series)),
        unit.possible,
      );
      return [{ ...look, id, width: 2, x, y, length: x.length, band: { low, high }, counts: false }];
    }
    const [lines] = of;
    const main = noisy ? lines.smooth(series) : lines.raw(series);
    const rawShows = few && smooth;
    /** @type {Line[]} */
    const drawn = rawShows
      ? [
          {
            ...look,
            ...lines.raw(series),
            id: `${id}.raw`,
            width: 1,
            dash: [],
            alpha: 0.22,
            quiet: true,
            markers: false,
          },
        ]
      : [];
    return [...drawn, { ...look, ...main, id, width: noisy ? 1.8 : 1.6, counts: !rawShows }];
  });
}
