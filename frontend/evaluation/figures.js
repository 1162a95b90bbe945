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

/** A scale of shares begins at one of these. */
const BEGINNINGS = [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999];

/** Where a scale begins that has all figures with their intervals, as near to 1 as it can. @param {(Figure | null | undefined)[]} figures */
export function scaleFrom(figures) {
  const least = Math.min(1, ...figures.flatMap((figure) => figure?.low ?? []));
  return BEGINNINGS.findLast((from) => from <= least) ?? 0;
}

/** A scale in words: “80 to 100%”. @param {number} from */
export const scaleText = (from) => `${Number((from * 100).toFixed(1))} to 100%`;

/**
 * A share with a dot on a scale up to 1, and a line that is its interval.
 * @param {Figure | null} figure `null` where it is undefined
 * @param {string} undefinedBecause
 * @param {number} from where the scale begins
 */
export function shareDot(figure, undefinedBecause, from) {
  if (!figure) return h("span", { class: "muted", title: undefinedBecause }, "–");
  const [value, low, high] = [figure.value, figure.low, figure.high].map((share) =>
    Math.max(0, (share - from) / (1 - from)),
  );
  return h(
    "span",
    { class: "share-dot", title: `95% interval: ${interval(figure)}` },
    h("b", {}, percent(figure.value)),
    h("i", { vars: { value, low, high } }),
  );
}
