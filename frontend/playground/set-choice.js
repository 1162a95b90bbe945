// The choice of a data set by small pictures.

import { h } from "../lib/dom.js";
import { colour, onTheme } from "../lib/theme.js";
import { CLASS_COLOURS } from "../run/toy2d.js";
import { SETS, generate } from "./data.js";

/** @import { SetName } from "./data.js" */

const SIDE = 44;
const POINTS = 120;

/** @param {(set: SetName) => void} changed */
export function setChoice(changed) {
  const all = /** @type {SetName[]} */ (Object.keys(SETS)).map((set) => {
    const { title, noise } = SETS[set];
    const input = h("input", { type: "radio", name: "set", value: set, on: { change: () => changed(set) } });
    const canvas = h("canvas", { "aria-hidden": "true" });
    const data = generate({ set, noise, samples: POINTS, classes: 2 });
    const draw = () => {
      canvas.width = canvas.height = SIDE * devicePixelRatio;
      const context = canvas.getContext("2d");
      if (!context) return;
      context.scale(devicePixelRatio, devicePixelRatio);
      const { x, y } = data.domain;
      for (const point of data.points) {
        context.fillStyle = colour(CLASS_COLOURS[point.class]);
        context.beginPath();
        const [left, top] = [(point.x - x[0]) / (x[1] - x[0]), 1 - (point.y - y[0]) / (y[1] - y[0])];
        context.arc(left * SIDE, top * SIDE, 1.3, 0, 2 * Math.PI);
        context.fill();
      }
    };
    draw();
    onTheme(draw);
    return { input, element: h("label", { class: "pg-set", title }, input, canvas, h("span", {}, title)) };
  });
  return {
    element: h(
      "div",
      { class: "pg-sets", role: "radiogroup", "aria-label": "Data set" },
      ...all.map(({ element }) => element),
    ),
    /** @param {SetName} set */
    show(set) {
      for (const { input } of all) input.checked = input.value === set;
    },
  };
}
