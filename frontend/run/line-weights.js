// The weights of a linear network after an epoch, and the lines that they make.

import { h } from "../lib/dom.js";
import { formatNumber } from "../lib/format.js";
import { className } from "./mistake-words.js";

/** @import { LinearWeights } from "../lib/types" */

const SCORE = "w₁ · x₁ + w₂ · x₂ + b";

export function lineWeights() {
  const rule = h("p", { class: "update-rule" });
  const body = h("tbody");
  const corner = h("td");
  const element = h(
    "div",
    { class: "update-numbers", hidden: true },
    rule,
    h(
      "table",
      { class: "line-weights" },
      h("thead", {}, h("tr", {}, corner, ...["w₁", "w₂", "b"].map((name) => h("th", { scope: "col" }, name)))),
      body,
    ),
    h("p", { class: "muted small" }, "x₁ and x₂ are normalised."),
  );
  return {
    element,
    /** @param {LinearWeights} linear @param {string[] | null} names of the classes */
    show({ rows }, names) {
      const isSingle = rows.length === 1;
      element.hidden = false;
      corner.hidden = isSingle;
      rule.replaceChildren(
        ...(isSingle
          ? ["The line: ", h("b", {}, `${SCORE} = 0`), `; where it is more, the weights say “${className(names, 1)}”.`]
          : ["The score of a class: ", h("b", {}, SCORE), "; the weights say the class with the highest."]),
      );
      body.replaceChildren(
        ...rows.map((row, of) =>
          h(
            "tr",
            {},
            !isSingle && h("th", { scope: "row" }, className(names, of)),
            ...row.map((value) => h("td", {}, formatNumber(value))),
          ),
        ),
      );
    },
  };
}
