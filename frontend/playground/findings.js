// What is seen, in sentences. No DOM here.

import { formatNumber, percent, plural } from "../lib/format.js";
import { ACTIVATIONS } from "./activations.js";

/** @import { Settings } from "./settings.js" */
/** @import { Evaluation } from "./train.js" */

/**
 * `gradients`: the mean magnitude for each layer's weights. `silent`: the hidden neurons that are 0 all over the plane.
 * @typedef {{
 *   settings: Settings,
 *   classes: number,
 *   steps: number,
 *   now: Evaluation,
 *   history: Evaluation[],
 *   gradients: number[],
 *   silent: number,
 *   finite: boolean,
 * }} Seen
 */

/** The least ratio of two layers' gradients that is mentioned. */
const MENTIONED = 20;
/** The least accuracy at which the points are said to be told apart. */
const TOLD_APART = 0.97;
/** The epochs after which a loss that has not fallen is mentioned. */
const PATIENCE = 5;

/** The two or three things that matter most. @param {Seen} seen @returns {string[]} */
export function findings(seen) {
  if (!seen.finite)
    return ["The parameters are no longer finite: the learning rate is too large. Reset, and try a tenth of it."];
  return [network(seen), gradient(seen), progress(seen), silence(seen)].filter((sentence) => sentence !== "");
}

/** @param {Seen} seen */
function network({ settings: { hidden } }) {
  if (hidden.length > 0) return "";
  return "Without a hidden layer this is a linear classifier with softmax: between two classes its boundary is a straight line. A run of it is a Perceptron, which Rosenblatt’s rule trains.";
}

/** @param {Seen} seen */
function gradient({ settings: { hidden, activation }, gradients }) {
  const [first, last] = [gradients[0], gradients[gradients.length - 1]];
  if (hidden.length < 2) return "";
  const layers = `${ACTIVATIONS[activation].label} in ${hidden.length} layers`;
  if (last > 0 && first === 0) return `${layers}: no gradient reaches the first layer.`;
  if (last > MENTIONED * first)
    return `${layers}: the gradient of the first layer is ${times(last / first)} times smaller than that of the last.`;
  if (first > MENTIONED * last)
    return `${layers}: the gradient of the first layer is ${times(first / last)} times larger than that of the last.`;
  return "";
}

/** @param {Seen} seen */
function progress({ steps, now, history, classes }) {
  if (steps === 0) return "The weights are random, and nothing is learnt yet.";
  const guess = Math.log(classes);
  const { train, test } = now;
  const best = Math.min(...history.map((one) => one.test.loss));
  if (now.epoch >= PATIENCE && train.loss > guess * 1.5 && test.loss > guess * 1.5)
    return `The loss is higher than that of guessing, ln ${classes} = ${formatNumber(guess)}: the steps are too large.`;
  if (now.epoch >= PATIENCE && train.loss > guess * 0.97)
    return `The loss is still that of guessing, ln ${classes} = ${formatNumber(guess)}.`;
  if (test.loss > 1.15 * best && test.loss > 1.25 * train.loss && test.loss > 0.1)
    return `Overfitting: the test loss was ${formatNumber(best)} and is ${formatNumber(test.loss)}, while the training loss is ${formatNumber(train.loss)}.`;
  if (train.accuracy > TOLD_APART && test.accuracy > TOLD_APART)
    return `Both training and test points are told apart: more than ${percent(TOLD_APART, 0)} of them are right.`;
  const before = history.findLast((one) => one.epoch <= now.epoch - PATIENCE);
  if (before && train.loss < before.train.loss * 0.98) return "The training loss is falling.";
  if (before && train.loss > before.train.loss * 1.1) return "The training loss has risen over the last epochs.";
  if (before) return "The training loss hardly changes any more.";
  return "The first epochs: watch the boundary move.";
}

/** @param {Seen} seen */
function silence({ silent, settings: { hidden } }) {
  if (silent === 0) return "";
  const all = hidden.reduce((sum, width) => sum + width, 0);
  return `${silent} of ${plural(all, "hidden neuron")} ${silent === 1 ? "is" : "are"} 0 all over the plane: no gradient passes through ${silent === 1 ? "it" : "them"}.`;
}

/** A ratio in two digits. @param {number} ratio */
const times = (ratio) => formatNumber(Number(ratio.toPrecision(2)));
