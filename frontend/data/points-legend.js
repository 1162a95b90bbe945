// The legend of a set's points: the markers of the classes, and switches for training and test points.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { classSign, splitSign } from "../run/point-signs.js";

/** @import { Split } from "../lib/types" */
/** @import { Data } from "../playground/data.js" */

/** @param {Data} data @param {() => void} changed other points are shown */
export function pointsLegend({ classes, train, test }, changed) {
  /** @type {Set<Split>} */
  const splits = new Set(["train", "test"]);

  /** @param {Split} split @param {string} label @param {number} total */
  function toggle(split, label, total) {
    const button = h(
      "button",
      { class: "legend-item", type: "button", "aria-pressed": "true", title: `Hide or show ${label} points` },
      splitSign(split),
      h("span", {}, label),
      h("b", {}, count(total)),
    );
    button.addEventListener("click", () => {
      if (!splits.delete(split)) splits.add(split);
      button.setAttribute("aria-pressed", String(splits.has(split)));
      changed();
    });
    return button;
  }

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
