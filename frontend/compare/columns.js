// The columns of the table of results, and their cells.

import { meanSpeed } from "../lib/mean-speed.js";
import { bytes, compactNumber, duration, formatLoss, percent, percentSpread, spread } from "../lib/format.js";
import { speedTitle } from "../run/pages.js";
import { OF_SIZES, OF_TIMES, ofSpeeds } from "./noise.js";

/** @import { Run, Spread, Statistics } from "../lib/types" */
/** @import { Member } from "./members.js" */
/** @import { Noise } from "./noise.js" */

/**
 * A column of results. Columns that `spread` also show the standard deviation; `under` is what a second line says; `noise`
 * is up to which difference several are the best.
 * @typedef {{
 *   key: string,
 *   title: string | ((runs: Run[]) => string),
 *   more?: string,
 *   under?: Figure,
 *   best?: "high" | "low",
 *   noise?: (runs: Run[]) => Noise,
 *   spreads?: boolean,
 *   of: (run: Run, statistics: Statistics | undefined) => number | null,
 *   std?: (statistics: Statistics | undefined) => number | null,
 *   format: (value: number) => string,
 * }} Figure
 */

/**
 * A value of each epoch: the last one, and under it the mean over all. That comes second, since the first epochs of a run
 * decide it: a leap in one of ten makes a loss of 2.3 a mean of 25.
 * @type {(name: "train_loss" | "train_accuracy" | "validation_loss" | "validation_accuracy", title: string, format:
 *   (value: number) => string) => Figure}
 */
const byEpoch = (name, title, format) => ({
  key: name,
  title,
  more: "last epoch",
  spreads: true,
  of: ({ summary }) => summary[name],
  format,
  under: {
    key: `${name}_mean`,
    title: "mean over epochs",
    spreads: true,
    of: (_, statistics) => statistics?.[name]?.mean ?? null,
    std: (statistics) => statistics?.[name]?.std ?? null,
    format,
  },
});

/** @type {Figure[]} */
export const RESULTS = [
  byEpoch("train_loss", "Training loss", formatLoss),
  byEpoch("train_accuracy", "Training accuracy", percent),
  byEpoch("validation_loss", "Validation loss", formatLoss),
  byEpoch("validation_accuracy", "Validation accuracy", percent),
  {
    key: "best_validation_accuracy",
    title: "Best validation",
    best: "high",
    spreads: true,
    of: ({ summary }) => summary.best_validation_accuracy,
    format: percent,
  },
  {
    key: "test_accuracy",
    title: "Test",
    best: "high",
    spreads: true,
    of: ({ summary }) => summary.test_accuracy,
    format: percent,
  },
  {
    key: "parameters",
    title: "Parameters",
    best: "low",
    noise: () => OF_SIZES,
    of: ({ summary }) => summary.parameters,
    format: compactNumber,
  },
  {
    key: "seconds",
    title: "Time",
    best: "low",
    noise: () => OF_TIMES,
    of: ({ summary }) => summary.seconds,
    format: duration,
  },
  {
    key: "peak_memory_bytes",
    title: "Peak memory",
    best: "low",
    noise: () => OF_SIZES,
    of: ({ summary }) => summary.peak_memory_bytes,
    format: bytes,
  },
  {
    key: "images_per_s",
    title: speedTitle,
    best: "high",
    noise: ofSpeeds,
    of: ({ summary }) => meanSpeed(summary) ?? summary.images_per_s,
    format: compactNumber,
  },
];

/** What longer training or more samples make better, or longer: of runs that were not trained alike none is the best in it. */
const OF_TRAINING = new Set(["best_validation_accuracy", "test_accuracy", "seconds"]);

/** The columns for runs that were not trained alike. */
export const RESULTS_APART = RESULTS.map((of) => (OF_TRAINING.has(of.key) ? { ...of, best: undefined } : of));

/** Mean and standard deviation of several runs' values. @param {(number | null)[]} values */
export function meanAndStd(values) {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const std =
    known.length > 1
      ? Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1))
      : null;
  return { mean, std, count: known.length };
}

/**
 * A member's value in a column: for one run with the standard deviation over its epochs, for several seeds the mean and
 * standard deviation over seeds.
 * @param {Figure} of
 * @param {Member} member
 * @param {{ [id: string]: Statistics }} statistics
 * @returns {Spread | null}
 */
export function cellOf(of, { runs }, statistics) {
  const found = meanAndStd(runs.map((run) => of.of(run, statistics[run.id])));
  if (found && runs.length === 1 && of.std) return { ...found, std: of.std(statistics[runs[0].id]) };
  return found;
}

/** @param {Figure} of @param {Spread | null} cell */
export function formatCell(of, cell) {
  if (!cell) return "–";
  return cell.std === null || !of.spreads
    ? of.format(cell.mean)
    : (of.format === percent ? percentSpread : spread)(cell.mean, cell.std);
}
