// The small picture of a run's main curve in its row, and what it says in words.

import { h, s } from "../lib/dom.js";
import { formatNumber, percent } from "../lib/format.js";

/** @import { Metrics, Run } from "../lib/types" */

/** @typedef {"validation_accuracy" | "validation_loss" | "train_accuracy" | "train_loss"} CurveName */

/** `ends`: the curve ends in a value that is not finite. @typedef {{ name: CurveName, y: number[], ends: boolean }} Curve */

export const WIDTH = 72;
export const HEIGHT = 22;
/** The line and its dot stay within the picture. */
const EDGE = 3;
/** A picture of accuracies is at least so high. */
const LEAST_ACCURACY = 0.04;
/** Fewer validated epochs than this make no curve; the steps do. */
const FEW_EPOCHS = 3;

/** @type {{ [name in CurveName]: string }} */
const NAMES = {
  validation_accuracy: "validation accuracy",
  validation_loss: "validation loss",
  train_accuracy: "training accuracy",
  train_loss: "training loss",
};

/** The curve that says the most about a run; `null` before it has one. @param {Run} run @returns {CurveName | null} */
export function mainCurve({ source, summary }) {
  const enough = source !== null || Number(summary.epoch) >= FEW_EPOCHS;
  if (enough && summary.validation_accuracy !== null) return "validation_accuracy";
  if (enough && summary.validation_loss !== null) return "validation_loss";
  if (summary.train_loss !== null || summary.step !== null) return "train_loss";
  return summary.train_accuracy === null ? null : "train_accuracy";
}

/**
 * The curve in a run's metrics: the moving average of a noisy one, where the server made it.
 * @param {Metrics} metrics
 * @param {CurveName} name
 * @returns {Curve | null} `null` where it has no finite value
 */
export function curveIn(metrics, name) {
  const series = metrics.series[name];
  if (!series) return null;
  const y = (series.smoothed ?? series).y.filter((value) => value !== null);
  if (y.length === 0) return null;
  const last = series.x[series.x.length - 1];
  const ends = series.y[series.y.length - 1] === null || series.not_finite.some(({ x }) => x >= last);
  return { name, y, ends };
}

/** What the picture is of, below it. @param {CurveName} name */
export const shortCurveName = (name) => (name.endsWith("accuracy") ? "accuracy" : "loss");

/** What a curve says: “training loss 4.2 to 0.05”. @param {Curve} curve */
export function curveWords({ name, y, ends }) {
  const say = name.endsWith("accuracy") ? percent : (/** @type {number} */ value) => formatNumber(twoDigits(value));
  const first = say(y[0]);
  const course = y.length === 1 ? first : `${first} to ${say(y[y.length - 1])}`;
  return `${NAMES[name]} ${course}${ends ? ", then not a finite number" : ""}`;
}

/** @param {number} value */
const twoDigits = (value) => Number(value.toPrecision(2));

/**
 * The path of a curve in a picture, and its last point.
 * @param {number[]} y
 * @param {number} [least] what the picture's height stands for at least, so that noise is not drawn as a change
 * @returns {{ d: string, end: [number, number] }}
 */
export function curvePath(y, least = 0) {
  const middle = (Math.min(...y) + Math.max(...y)) / 2;
  const half = Math.max(Math.max(...y) - middle, least / 2);
  const [low, high] = [middle - half, middle + half];
  const x = (/** @type {number} */ i) => EDGE + (y.length < 2 ? 1 : i / (y.length - 1)) * (WIDTH - 2 * EDGE);
  // A curve that is constant lies in the middle.
  const at = (/** @type {number} */ value) =>
    HEIGHT - EDGE - (high > low ? (value - low) / (high - low) : 0.5) * (HEIGHT - 2 * EDGE);
  const points = y.map((value, i) => /** @type {[number, number]} */ ([round(x(i)), round(at(value))]));
  return { d: points.map(([a, b], i) => `${i === 0 ? "M" : "L"}${a} ${b}`).join(""), end: points[points.length - 1] };
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;

/** A picture with its update function. @param {string} [of] whose curve it is, where the row does not say it */
export function sparkline(of = "") {
  const path = s("path", { fill: "none", stroke: "currentColor", "stroke-width": 1.5, "stroke-linejoin": "round" });
  const dot = s("circle", { r: 2, fill: "currentColor" });
  const cross = s("path", { class: "spark-end", "stroke-width": 1.6, fill: "none" });
  const picture = s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img" },
    path,
    dot,
    cross,
  );
  const caption = h("small", { "aria-hidden": "true" });
  const element = h("span", { class: "spark", hidden: true }, picture, caption);
  /** @type {Curve | null} */
  let shown = null;
  return {
    element,
    /** @param {Curve | null} curve */
    show(curve) {
      if (curve === shown) return;
      shown = curve;
      element.hidden = curve === null;
      if (!curve) return;
      const words = `${of}${curveWords(curve)}`;
      const { d, end } = curvePath(curve.y, curve.name.endsWith("accuracy") ? LEAST_ACCURACY : 0);
      path.setAttribute("d", d);
      dot.setAttribute("cx", String(end[0]));
      dot.setAttribute("cy", String(end[1]));
      dot.style.display = curve.ends ? "none" : "";
      cross.setAttribute("d", curve.ends ? `M${end[0] - 3} ${end[1] - 3}l6 6m0-6l-6 6` : "");
      picture.setAttribute("aria-label", words);
      caption.textContent = shortCurveName(curve.name);
      element.dataset.of = shortCurveName(curve.name);
      element.title = words;
    },
  };
}
