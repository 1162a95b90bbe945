// A small curve over epochs beside the film's slider, with a cursor.

import { segments } from "../chart/plot-data.js";
import { h, s, setAttribute, setText } from "../lib/dom.js";
import { formatNumber, percent } from "../lib/format.js";

/** @import { Metrics } from "../lib/types" */

/** @type {{ title: string, train: string, validation: string, value: (value: number) => string }[]} */
export const CURVES = [
  { title: "Loss", train: "epoch_train_loss", validation: "validation_loss", value: formatNumber },
  { title: "Accuracy", train: "epoch_train_accuracy", validation: "validation_accuracy", value: percent },
];

/** A small curve over epochs with a cursor. @param {typeof CURVES[number]} of */
export function filmCurve({ title }) {
  const train = s("path", { class: "of-train" });
  const validation = s("path", { class: "of-validation" });
  const [trainDots, validationDots] = ["of-train dots", "of-validation dots"].map((name) => s("path", { class: name }));
  const cursor = s("line", { y1: 0, y2: 30, visibility: "hidden" });
  const picture = s(
    "svg",
    {
      viewBox: "0 0 100 30",
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": `${title} over epochs: means of the training steps of each, and validation after it`,
    },
    train,
    validation,
    trainDots,
    validationDots,
    cursor,
  );
  const words = h("span", {});
  const element = h(
    "div",
    { class: "film-curve", hidden: true },
    h("span", {}, h("b", {}, title), " ", words),
    picture,
  );
  let last = 1;
  /** @type {(value: number) => string} */
  let format = formatNumber;
  /** @type {{ train: Map<number, number>, validation: Map<number, number> }} */
  let known = { train: new Map(), validation: new Map() };

  return {
    element,
    /** @param {Metrics} metrics @param {typeof CURVES[number]} which */
    draw({ series }, which) {
      format = which.value;
      const points = (/** @type {string} */ name) => {
        const found = series[name];
        return (found?.x ?? []).map((x, i) => /** @type {[number, number | null]} */ ([x, found.y[i]]));
      };
      const [a, b] = [points(which.train), points(which.validation)];
      const all = [...a, ...b].flatMap(([, y]) => y ?? []);
      element.hidden = all.length === 0;
      if (all.length === 0) return;
      last = Math.max(...[...a, ...b].map(([x]) => x), 1);
      const [low, high] = [Math.min(...all), Math.max(...all)];
      const place = (/** @type {[number, number | null]} */ [x, y]) =>
        `${((x / last) * 100).toFixed(2)} ${(29 - (28 * (Number(y) - low)) / (high - low || 1)).toFixed(2)}`;
      for (const [line, stroke, dots] of /** @type {const} */ ([
        [a, train, trainDots],
        [b, validation, validationDots],
      ])) {
        const parts = segments(line.map(([, y]) => y)).map(([from, to]) => line.slice(from, to + 1).map(place));
        setAttribute(
          stroke,
          "d",
          parts
            .filter(({ length }) => length > 1)
            .map((part) => `M${part.join("L")}`)
            .join(""),
        );
        // An isolated point is drawn as a stroke of length 0 with round ends.
        setAttribute(
          dots,
          "d",
          parts
            .filter(({ length }) => length === 1)
            .map(([at]) => `M${at}L${at}`)
            .join(""),
        );
      }
      const values = (/** @type {[number, number | null][]} */ line) =>
        new Map(line.flatMap(([x, y]) => (y === null ? [] : [/** @type {[number, number]} */ ([Math.round(x), y])])));
      known = { train: values(a), validation: values(b) };
    },
    /** @param {number | null} epoch a part of the first for a frame within it */
    point(epoch) {
      cursor.setAttribute("visibility", epoch === null ? "hidden" : "visible");
      if (epoch === null) {
        setText(words, "");
        return;
      }
      const x = String((epoch / last) * 100);
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      const told = /** @type {const} */ ([
        ["training", known.train.get(epoch)],
        ["validation", known.validation.get(epoch)],
      ]);
      setText(
        words,
        told.flatMap(([name, value]) => (value === undefined ? [] : `${name} ${format(value)}`)).join(" · "),
      );
    },
  };
}
