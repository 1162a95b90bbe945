// Figures with their intervals, as text and as bars.

import { h } from "../lib/dom.js";
import { formatNumber, percent } from "../lib/format.js";

/** @import { Figure } from "../lib/types" */

/** A share with its interval in words: "96.8 to 97.7%". @param {Figure} figure */
export const interval = ({ low, high }) => `${(low * 100).toFixed(1)} to ${percent(high)}`;

/** A number that is no share, with three decimals where they say something: "0.073". @param {number} value */
export const numberText = (value) => (value !== 0 && Math.abs(value) < 0.001 ? formatNumber(value) : value.toFixed(3));

/** A number that is no share, with its interval in words: "0.045 to 0.106". @param {Figure} figure */
export const numberInterval = ({ low, high }) => `${numberText(low)} to ${numberText(high)}`;

/** A difference of shares in percentage points, with its sign: "+1.2". @param {number} value */
export const points = (value) => `${value > 0 ? "+" : value < 0 ? "−" : "±"}${Math.abs(value * 100).toFixed(1)}`;

/**
 * A share with a bar from 0 to 1 that has its interval.
 * @param {Figure | null} figure `null` where it is undefined
 * @param {string} undefinedBecause
 */
export function shareBar(figure, undefinedBecause) {
  if (!figure) return h("span", { class: "muted", title: undefinedBecause }, "–");
  const { value, low, high } = figure;
  return h(
    "span",
    { class: "share-bar", title: `95% interval: ${interval(figure)}` },
    h("b", {}, percent(value)),
    h("i", { vars: { value, low, high } }),
  );
}
