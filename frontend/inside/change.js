// What changed in a layer between two moments, in words and numbers.

import { h } from "../lib/dom.js";
import { count, formatNumber } from "../lib/format.js";

/** @import { Change, Sheet } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

/** @param {InsideContext} context @param {Sheet} about */
export function changeText(context, { kind, map }) {
  const moments = `From “${context.words(String(context.since))}” to “${context.words(context.checkpoint)}”`;
  const of = kind === "norms" ? "the norm over the channels, " : "";
  return map === "rgb"
    ? `${moments}, the change in red, green and blue. Grey did not change.`
    : `${moments}, the change of ${of || "each value: "}red increased, blue decreased, white stayed as it was.`;
}

/** @param {Change} change */
export function changeFacts({ min, max, rms, values }) {
  const fact = (/** @type {string} */ name, /** @type {string} */ value) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return [
    fact("largest increase", formatNumber(max)),
    fact("largest decrease", formatNumber(min)),
    fact("root mean square", formatNumber(rms)),
    fact("values", count(values)),
  ];
}
