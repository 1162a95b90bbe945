// The figures at a glance, with a line that says what each means.

import { h } from "../lib/dom.js";
import { count, percent } from "../lib/format.js";
import { interval, numberInterval, numberText } from "./figures.js";
import { summary } from "./summary.js";

/** @import { Figure, RunEvaluation } from "../lib/types" */

/**
 * `of` is `null` for a figure that the run does not have; what `isPlain` needs no explanation in sight.
 * @typedef {{ label: string, means: string, of: (evaluation: RunEvaluation) => Figure | null, number?: boolean, isPlain?: boolean }} Entry
 */

/** @type {Entry[]} */
const MAIN = [
  {
    label: "Accuracy",
    means: "The share of all samples that is predicted correctly.",
    of: ({ accuracy }) => accuracy,
  },
  {
    label: "Macro F1",
    means: "F1 balances finding a class (recall) against crying wolf (precision). Every class counts the same.",
    of: ({ macro_average }) => macro_average.f1,
  },
  {
    label: "Calibration error",
    means: "How far “90% sure” is from being right 90 times in 100, on average (ECE). 0 is best.",
    of: ({ calibration }) => calibration?.plain.ece ?? null,
  },
];

/** @type {Entry[]} */
const MORE = [
  {
    label: "Top-5 accuracy",
    isPlain: true,
    means: "The right class is among the five likeliest",
    of: ({ top_5 }) => top_5,
  },
  {
    label: "Balanced accuracy",
    means: "The mean recall of all classes: rare ones count as much as frequent ones",
    of: ({ macro_average }) => macro_average.recall,
  },
  {
    label: "Macro precision",
    isPlain: true,
    means: "How often a predicted class is right, averaged over the classes",
    of: ({ macro_average }) => macro_average.precision,
  },
  {
    label: "Mean AP",
    means: "Average precision: how well a class's samples come first when all are sorted by its probability",
    of: ({ macro_average }) => macro_average.average_precision,
  },
  {
    label: "Mean AUC",
    means: "The chance that a sample of a class gets a higher probability for it than a sample of another class",
    of: ({ macro_average }) => macro_average.auc,
  },
  {
    label: "Log loss",
    means: "The mean negative logarithm of the right class's probability: the loss that training lowers",
    of: ({ calibration }) => calibration?.plain.nll ?? null,
    number: true,
  },
  {
    label: "Brier score",
    means: "The squared distance of the probabilities from the truth, 0 to 2. 0 is best",
    of: ({ calibration }) => calibration?.plain.brier ?? null,
    number: true,
  },
];

/** What the abbreviations mean, for those that the run has. @param {RunEvaluation} evaluation */
const wordsOf = (evaluation) =>
  MORE.flatMap(({ label, means, of, isPlain = false }) =>
    isPlain || !of(evaluation) ? [] : [h("b", {}, label), `: ${means.charAt(0).toLowerCase()}${means.slice(1)}. `],
  );

/**
 * @param {RunEvaluation} evaluation
 * @param {{ name: string, evaluation: RunEvaluation } | null} other the run beside it
 * @param {string} split
 */
export function headline(evaluation, other, split) {
  const main = MAIN.map(({ label, means, of }) => {
    const [figure, second] = [of(evaluation), other && of(other.evaluation)];
    return h(
      "div",
      { class: "glance" },
      h("h2", {}, label),
      figure ? h("p", { class: "glance-value" }, percent(figure.value)) : h("p", { class: "glance-value muted" }, "–"),
      h(
        "p",
        { class: "small" },
        figure ? `95% interval ${interval(figure)}` : "This network's scores are no probabilities.",
      ),
      other &&
        h("p", { class: "small muted" }, second ? `${other.name}: ${percent(second.value)}, ${interval(second)}` : "–"),
      h("p", { class: "muted small" }, means),
    );
  });
  const more = MORE.map(({ label, means, of, number = false }) => {
    const [figure, second] = [of(evaluation), other && of(other.evaluation)];
    if (!figure) return null;
    const value = number ? numberText : percent;
    return h(
      "div",
      { title: means },
      h("dt", {}, label),
      h("dd", {}, value(figure.value), h("small", {}, number ? numberInterval(figure) : interval(figure))),
      second && h("dd", { class: "beside" }, value(second.value)),
    );
  });
  const samples = h("div", {}, h("dt", {}, "Samples"), h("dd", {}, count(evaluation.samples)));
  return h(
    "section",
    { class: "card headline", "aria-label": "At a glance" },
    summary(evaluation, split),
    h("div", { class: "glances" }, ...main),
    h("dl", { class: "glance-more" }, ...more, samples),
    h("p", { class: "glance-words small" }, ...wordsOf(evaluation)),
  );
}
