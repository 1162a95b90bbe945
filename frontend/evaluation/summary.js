// The result in sentences, and the way to the parts of the page.

import { h } from "../lib/dom.js";
import { count, percent } from "../lib/format.js";
import { interval } from "./figures.js";

/** @import { RunEvaluation } from "../lib/types" */

/** @type {{ [split: string]: string }} */
const SAMPLES = { test: "test samples", validation: "validation samples", train: "training samples" };

/** Below this accuracy the sentence says what a guess would get. */
const WEAK = 0.5;
/** Temperatures this near to 1 change nothing that matters. */
const NEAR = 0.02;

/**
 * The result in sentences: how much is right, which class is hardest, what is taken for what, and whether the
 * probabilities can be believed.
 * @param {RunEvaluation} evaluation
 * @param {string} split
 * @returns {string[]}
 */
export function summarySentences({ accuracy, samples, classes, per_class, confusions, calibration }, split) {
  const sentences = [
    `${percent(accuracy.value)} of the ${count(samples)} ${SAMPLES[split] ?? "samples"} are predicted correctly (95% interval ${interval(accuracy)}).`,
  ];
  if (accuracy.value < WEAK)
    sentences.push(`A guess among ${count(classes.length)} classes would be right in ${percent(1 / classes.length)}.`);
  const found = per_class.flatMap(({ recall }, i) => (recall ? [{ name: classes[i], value: recall.value }] : []));
  const hardest = found.toSorted((a, b) => a.value - b.value)[0];
  if (hardest && hardest.value < 1)
    sentences.push(`The hardest class is “${hardest.name}”: ${percent(hardest.value)} of its samples are found.`);
  const [often] = confusions;
  if (often && often.count > 1)
    sentences.push(
      `The most frequent mistake is “${classes[often.truth]}” taken for “${classes[often.predicted]}”, ${count(often.count)} times.`,
    );
  if (calibration) {
    const { plain, temperature } = calibration;
    const off = `The network’s probabilities are off by ${(plain.ece.value * 100).toFixed(1)} points on average`;
    const bias = temperature && Math.abs(temperature.value - 1) >= NEAR;
    sentences.push(
      bias ? `${off}: it is ${temperature.value > 1 ? "too sure" : "not sure enough"} of itself.` : `${off}.`,
    );
  }
  return sentences;
}

/** @param {RunEvaluation} evaluation @param {string} split */
export function summary(evaluation, split) {
  const [first, ...rest] = summarySentences(evaluation, split);
  return h("div", { class: "summary" }, h("p", { class: "summary-first" }, first), h("p", {}, rest.join(" ")));
}

/**
 * Links to the parts of the page, which get the addresses.
 * @param {[id: string, label: string, element: HTMLElement][]} parts
 */
export function contents(parts) {
  for (const [id, , element] of parts) element.id = id;
  return h(
    "nav",
    { class: "contents", "aria-label": "On this page" },
    h("ul", {}, ...parts.map(([id, label]) => h("li", {}, h("a", { href: `#${id}` }, label)))),
  );
}
