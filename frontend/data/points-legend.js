// The legend of a set's points: the markers of the classes, and switches for training and test points.

import { h } from "../lib/dom.js";
import { classSign } from "../run/point-signs.js";
import { splitSwitch } from "../run/split-switch.js";

/** @import { Split } from "../lib/types" */
/** @import { Data } from "../playground/data.js" */

/** @param {Data} data @param {() => void} onChange other points are shown */
export function pointsLegend({ classes, train, test }, onChange) {
  /** @type {Set<Split>} */
  const splits = new Set(["train", "test"]);

  const toggle = (/** @type {Split} */ split, /** @type {string} */ label, /** @type {number} */ total) =>
    splitSwitch({ split, label, total, shown: splits, onChange });

  return {
    splits,
    element: h(
      "figcaption",
      {},
      h(
        "ul",
        { class: "points-classes" },
        ...Array.from({ length: classes }, (_, of) => h("li", {}, classSign(of), `class ${of + 1}`)),
      ),
      h(
        "div",
        { class: "points-splits", role: "group", "aria-label": "Points to show" },
        toggle("train", "training", train.count),
        toggle("test", "test", test.count),
      ),
    ),
  };
}
