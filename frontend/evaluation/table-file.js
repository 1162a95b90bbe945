// The table of classes as a CSV file.

import { csv } from "../chart/csv.js";

/** @import { Figure, RunEvaluation } from "../lib/types" */

const FIGURES = /** @type {const} */ (["precision", "recall", "f1", "average_precision", "auc"]);

/** A line for each class and for each average; a figure has its interval in two more columns. @param {RunEvaluation} evaluation */
export function classesCsv({ per_class, classes, macro_average, weighted_average, micro_average, samples }) {
  const head = ["class", "samples", "predicted", ...FIGURES.flatMap((name) => [name, `${name}_low`, `${name}_high`])];
  /** @param {{ [name in typeof FIGURES[number]]: Figure | null }} of */
  const cells = (of) =>
    FIGURES.flatMap((name) => {
      const figure = of[name];
      return figure ? [figure.value, figure.low, figure.high] : [null, null, null];
    });
  const averages = /** @type {const} */ ([
    ["macro average", macro_average],
    ["weighted average", weighted_average],
    ["micro average", micro_average],
  ]);
  return csv(head, [
    ...per_class.map((of, i) => [classes[i], of.support, of.predicted, ...cells(of)]),
    ...averages.map(([name, of]) => [name, samples, samples, ...cells(of)]),
  ]);
}
