// The legend of 2-D data: the markers of the classes, and switches for the splits.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { onTheme } from "../lib/theme.js";
import { drawPoint } from "./toy2d.js";

/** @import { Point, Split } from "../lib/types" */

/** @type {{ split: Split, label: string }[]} */
const SPLITS = [
  { split: "train", label: "training" },
  { split: "validation", label: "validation" },
  { split: "test", label: "test" },
];

/** @param {{ onChange: () => void }} listeners */
export function boundaryLegend({ onChange }) {
  const classes = h("ul", { class: "boundary-legend" });
  const switches = h("div", { class: "boundary-splits", role: "group", "aria-label": "Points to show" });
  /** @type {Set<Split>} */
  const splits = new Set(["train", "validation", "test"]);

  /** @param {Point[]} points @param {string[] | null} names */
  function show(points, names) {
    const found = [...new Set(points.map((point) => point.class))].sort((a, b) => a - b);
    classes.replaceChildren(...found.map((of) => h("li", {}, sign(of, "train"), names?.[of] ?? `class ${of}`)));
    switches.replaceChildren(
      ...SPLITS.filter(({ split }) => points.some((point) => point.split === split)).map(({ split, label }) => {
        const total = points.filter((point) => point.split === split).length;
        const button = h(
          "button",
          { class: "legend-item", type: "button", "aria-pressed": "true", title: `Hide or show ${label} points` },
          sign(0, split),
          h("span", {}, label),
          h("b", {}, count(total)),
        );
        button.addEventListener("click", () => {
          if (!splits.delete(split)) splits.add(split);
          button.setAttribute("aria-pressed", String(splits.has(split)));
          onChange();
        });
        return button;
      }),
    );
  }

  /** A class's marker for the legend. @param {number} of @param {Split} split */
  function sign(of, split) {
    const mark = h("canvas", { class: "boundary-sign", "aria-hidden": "true", width: 28, height: 28 });
    const show = () => {
      const ctx = mark.getContext("2d");
      if (!ctx) return;
      ctx.setTransform(2, 0, 0, 2, 0, 0);
      ctx.clearRect(0, 0, 14, 14);
      drawPoint(ctx, 7, 7, of, split);
    };
    show();
    onTheme(show);
    return mark;
  }

  return { elements: [classes, switches], splits, show };
}
