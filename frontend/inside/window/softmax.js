// The last step: the scores of the classes become probabilities.

import { h } from "../../lib/dom.js";
import { count, formatNumber, percent, sameDecimals } from "../../lib/format.js";

/** @import { Scored } from "../../lib/types" */

/** Classes that are listed. */
const LISTED = 10;

/**
 * exp(score − highest) of each listed class, their sum over all classes, and the ratio. Null where the network gives no
 * probabilities.
 * @param {Scored[]} top the classes, the highest score first
 */
export function softmaxSteps(top) {
  const [first] = top;
  if (!first || first.probability === null || !(first.probability > 0)) return null;
  const rows = top.map(({ name, score, probability, class: index }) => {
    const power = Math.exp(score - first.score);
    return { class: index, name, score, power, told: probability };
  });
  // The highest score has the power 1, so its probability is 1 over the sum of all classes, also of those not listed.
  const sum = 1 / first.probability;
  return { sum, rows: rows.map((row) => ({ ...row, ratio: row.power / sum })) };
}

/** @param {Scored[]} top @param {number} chosen the class whose score is shown above @returns {HTMLElement | null} */
export function softmaxTable(top, chosen) {
  const steps = softmaxSteps(top);
  if (!steps) return null;
  const { sum, rows } = steps;
  const listed = rows.slice(0, LISTED);
  const own = rows.find((row) => row.class === chosen);
  if (own && !listed.includes(own)) listed.push(own);
  const others = rows.length - listed.length;
  const scoreText = sameDecimals(listed.map(({ score }) => score));
  const head = ["class", "score", "e^(score − highest)", "÷ sum", "probability"];
  return h(
    "section",
    { class: "softmax sums", "aria-label": "Softmax" },
    h("h3", {}, "Softmax: from scores to probabilities"),
    h(
      "p",
      { class: "muted small" },
      "Each score becomes a power of e, which is never below 0, and is divided by the sum of them all, so that the probabilities add up to 1. The highest score is taken off first: the ratios stay the same, and no power gets too large.",
    ),
    h(
      "div",
      { class: "terms-frame", tabindex: 0, role: "group", "aria-label": "Steps of the softmax" },
      h(
        "table",
        { class: "terms" },
        h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
        h(
          "tbody",
          {},
          ...listed.map((row) =>
            h(
              "tr",
              { class: row.class === chosen ? "chosen" : "" },
              h("th", { scope: "row" }, row.name),
              h("td", {}, scoreText(row.score)),
              h("td", {}, formatNumber(row.power)),
              h("td", {}, formatNumber(sum)),
              h("td", { class: "share", vars: { share: row.ratio }, data: { ratio: row.ratio } }, percent(row.ratio)),
            ),
          ),
        ),
      ),
    ),
    others > 0 && h("p", { class: "muted small" }, `${count(others)} more classes have lower scores.`),
  );
}
