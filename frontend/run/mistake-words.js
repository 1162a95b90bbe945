// What the film of mistakes says about an update, and about an epoch without any. No DOM here.

import { count, formatNumber, plural } from "../lib/format.js";

/** @import { PerceptronUpdate, UpdatesOfEpoch } from "../lib/types" */

/** An update of an epoch, or an epoch without any. @typedef {{ about: UpdatesOfEpoch, at: number, update: PerceptronUpdate | null }} Shown */

/** The name of a class, as the legend has it. @param {string[] | null} names @param {number} of */
export const className = (names, of) => names?.[of] ?? `class ${of}`;

/** Where the film is. @param {Shown} shown */
export function placeWords({ about, at, update }) {
  const points = plural(about.samples, "point");
  if (!update) return `Epoch ${about.epoch}: no mistake in ${points}. The line stays where it is.`;
  const place = `${count(at + 1)} of ${count(about.total)}`;
  const what =
    update.batch > 1
      ? `update ${place}, ${plural(about.mistakes, "mistake")} in ${points}`
      : `mistake ${place} (${points})`;
  return `Epoch ${about.epoch}, ${what} · step ${count(update.step)}`;
}

/** What was wrong, in a sentence. @param {PerceptronUpdate} update @param {string[] | null} names of the classes */
export function updateWords({ mistakes, batch }, names) {
  if (batch > 1)
    return `${plural(mistakes.length, "point")} of the ${count(batch)} in this step ${mistakes.length === 1 ? "is" : "are"} on the wrong side. The line moves by the mean over all ${count(batch)}.`;
  const [{ target, rival, scores }] = mistakes;
  const [own, other] = [target, rival].map((of) => `“${className(names, of)}”`);
  const tie = scores[rival] === scores[target];
  const figures =
    scores.length === 2
      ? `score ${formatNumber(scores[1])}`
      : `scores ${formatNumber(scores[rival])} and ${formatNumber(scores[target])}`;
  return tie
    ? `The point is ${own}, and ${other} scores the same (${figures}), which counts as a mistake.`
    : `The point is ${own}, but the weights say ${other} (${figures}).`;
}

/**
 * What the end of the film means; empty before it.
 * @param {Shown} shown
 * @param {{ plain: boolean, epochs: number }} options whether nothing but mistakes changes the weights; the epochs so far
 */
export function endWords({ about, at }, { plain, epochs }) {
  if (about.total === 0)
    return plain ? "Only a mistake moves it, so that more training changes nothing: the points are apart." : "";
  if (about.epoch < epochs || at < about.total - 1) return "";
  return `Epoch ${about.epoch} is the last so far, with ${plural(about.mistakes, "mistake")}: more epochs may end them, unless no line divides the points.`;
}
