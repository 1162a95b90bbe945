// The legend of 2-D data: what lines, ring and background mean, the markers of the classes, and switches for the splits.

import { h } from "../lib/dom.js";
import { className } from "./mistake-words.js";
import { classSign, ringSign } from "./point-signs.js";
import { splitSwitch } from "./split-switch.js";

/** @import { Point, Split } from "../lib/types" */

/** @type {{ split: Split, label: string }[]} */
const SPLITS = [
  { split: "train", label: "training" },
  { split: "validation", label: "validation" },
  { split: "test", label: "test" },
];

/** The size of the points on a plot of a width, relative to the usual. @param {number} width */
export const pointSize = (width) => Math.max(1, Math.min(1.3, width / 420));

/**
 * @param {{ onChange: () => void, background: string }} options `background`: what it says
 */
export function boundaryLegend({ onChange, background }) {
  const lines = h(
    "p",
    { class: "boundary-lines small", hidden: true },
    h("span", {}, h("i", { class: "line-sign" }), "the line after the mistake"),
    h("span", {}, h("i", { class: "line-sign before" }), "before it"),
    h("span", {}, ringSign(), "the point of the mistake"),
  );
  const behind = h("li", {}, h("i", { class: "background-sign" }), `background: ${background}`);
  const classes = h("ul", { class: "boundary-legend" });
  const switches = h("div", { class: "boundary-splits", role: "group", "aria-label": "Points to show" });
  /** @type {Set<Split>} */
  const splits = new Set(["train", "validation", "test"]);

  /** @param {Point[]} points @param {string[] | null} names */
  function show(points, names) {
    const found = [...new Set(points.map((point) => point.class))].sort((a, b) => a - b);
    classes.replaceChildren(...found.map((of) => h("li", {}, classSign(of), className(names, of))), behind);
    switches.replaceChildren(
      ...SPLITS.filter(({ split }) => points.some((point) => point.split === split)).map(({ split, label }) => {
        const total = points.filter((point) => point.split === split).length;
        return splitSwitch({ split, label, total, shown: splits, onChange });
      }),
    );
  }

  return {
    element: h("div", { class: "boundary-legends" }, lines, classes, switches),
    splits,
    show,
    /** Whether the lines before and after a mistake are shown. @param {boolean} shown */
    showLines(shown) {
      lines.hidden = !shown;
    },
  };
}
