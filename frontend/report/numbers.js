// Numbers of runs in a report's text: {{01a2… test_accuracy}}.

import { bytes, count, duration, formatLoss, percent, compactNumber } from "../lib/format.js";
import { runName } from "../lib/run-name.js";
import { FigureError } from "./block.js";

/** @import { Run } from "../lib/types" */
/** @import { Sources } from "./sources.js" */

/**
 * The available numbers, by name.
 * @type {{ [name: string]: { title: string, of: (run: Run) => string | null } }}
 */
export const NUMBERS = {
  ...of("test_accuracy", "Test accuracy", percent),
  ...of("test_loss", "Test loss", formatLoss),
  ...of("best_validation_accuracy", "Best validation accuracy", percent),
  ...of("best_epoch", "Best epoch", count),
  ...of("validation_accuracy", "Last validation accuracy", percent),
  ...of("validation_loss", "Last validation loss", formatLoss),
  ...of("train_accuracy", "Training accuracy, mean of the last epoch", percent),
  ...of("train_loss", "Training loss, mean of the last epoch", formatLoss),
  ...of("parameters", "Parameters", count),
  ...of("seconds", "Time", duration),
  ...of("peak_memory_bytes", "Peak memory", bytes),
  ...of("images_per_s", "Samples per second", compactNumber),
  ...of("epoch", "Epochs done", count),
  ...of("steps", "Steps", count),
  ...of("train_samples", "Training samples", count),
  name: { title: "Name", of: (run) => runName(run) },
};

/**
 * @param {"test_accuracy" | "test_loss" | "best_validation_accuracy" | "best_epoch" | "validation_accuracy" |
 *   "validation_loss" | "train_accuracy" | "train_loss" | "parameters" | "seconds" | "peak_memory_bytes" |
 *   "images_per_s" | "epoch" | "steps" | "train_samples"} key
 * @param {string} title
 * @param {(value: number) => string} format
 */
function of(key, title, format) {
  return {
    [key]: { title, of: (/** @type {Run} */ { summary }) => (summary[key] === null ? null : format(summary[key])) },
  };
}

/**
 * Resolves the text between the braces.
 * @param {string} words
 * @param {Sources} sources
 * @returns {{ text: string, run: Run, title: string }}
 */
export function resolveNumber(words, sources) {
  const [id, name, ...more] = words.split(/\s+/);
  if (!id || !name || more.length > 0)
    throw new FigureError(`“{{${words}}}” must be a run's id and the name of a number.`);
  const run = sources.run(id);
  const known = Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : null;
  if (!known)
    throw new FigureError(`“${name}” is not a number of a run; choose one of ${Object.keys(NUMBERS).join(", ")}.`);
  const text = known.of(run);
  if (text === null) throw new FigureError(`${known.title} of “${runName(run)}” is not known yet.`);
  return { text, run, title: known.title };
}
