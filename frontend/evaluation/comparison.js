// Two runs on the same samples: McNemar's test in a sentence.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { points } from "./figures.js";

/** @import { EvaluationComparison, McNemar } from "../lib/types" */

/** Below this p-value a difference is called clear. */
const CLEAR = 0.05;

/** @param {number} p */
export const pText = (p) => (p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`);

/**
 * The test in a sentence.
 * @param {McNemar} test
 * @param {string} first
 * @param {string} second
 */
export function sentence({ only_first: a, only_second: b, p_value }, first, second) {
  if (a + b === 0) return `${first} and ${second} are right and wrong on the same samples.`;
  const [better, worse] = a >= b ? [first, second] : [second, first];
  if (p_value < CLEAR)
    return `${better} is better than ${worse}, and chance alone would hardly make such a difference.`;
  if (a === b)
    return `Neither is better: each is right ${a === 1 ? "once" : `${count(a)} times`} where the other is wrong.`;
  return `${better} is right a little more often, but the difference may well be chance.`;
}

/** @param {EvaluationComparison} compared @param {string} first @param {string} second */
export function comparisonCard({ all }, first, second) {
  const { both, only_first, only_second, neither, exact, p_value, difference } = all;
  const row = (/** @type {string} */ name, /** @type {number} */ right, /** @type {number} */ wrong) =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, count(right)), h("td", {}, count(wrong)));
  return h(
    "section",
    { class: "card comparison-card", "aria-label": "Comparison" },
    h("header", { class: "card-head" }, h("h2", {}, "Side by side")),
    h(
      "div",
      { class: "card-body comparison" },
      h(
        "div",
        {},
        h("p", { class: "comparison-sentence" }, sentence(all, first, second)),
        h(
          "p",
          { class: "muted" },
          `McNemar's test looks only at the ${count(only_first + only_second)} samples that one run predicts correctly and the other does not: ${count(only_first)} for ${first}, ${count(only_second)} for ${second}. `,
          `If both were equally good, a split at least as uneven would come up with ${pText(p_value)}${exact ? " (exact)" : ""}.`,
        ),
        difference &&
          h(
            "p",
            { class: "muted" },
            `Accuracy differs by ${points(difference.value)} points (95% interval ${points(difference.low)} to ${points(difference.high)}).`,
          ),
      ),
      h(
        "table",
        { class: "agreement" },
        h("caption", { class: "visually-hidden" }, "Samples by who predicts them correctly"),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("td"),
            h("th", { scope: "col" }, `${second} right`),
            h("th", { scope: "col" }, `${second} wrong`),
          ),
        ),
        h("tbody", {}, row(`${first} right`, both, only_first), row(`${first} wrong`, only_second, neither)),
      ),
    ),
  );
}
