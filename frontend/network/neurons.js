// A network of linear layers as columns of neurons, each connected with all of the column before. Pressing a column leads
// to the line that makes it.

import { h, s } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";

/** @import { Column } from "./dense.js" */

/** Larger columns are drawn as the first and the last of their neurons. */
const MOST = 11;
const HALF = 5;
const STEP = 10;
const HEIGHT = MOST * STEP;
const RADIUS = 3.5;
/** An image is drawn with no more rows than this. */
const MOST_PIXELS = 8;

/**
 * The heights at which the neurons of a column are drawn, and where dots stand for those left out.
 * @param {number} size
 */
export function placesOf(size) {
  const slots = Math.min(size, MOST);
  const at = (/** @type {number} */ slot) => HEIGHT / 2 + (slot - (slots - 1) / 2) * STEP;
  const all = Array.from({ length: slots }, (_, slot) => at(slot));
  return size <= MOST ? { neurons: all, dots: null } : { neurons: all.toSpliced(HALF, 1), dots: all[HALF] };
}

/**
 * @param {Column[]} columns
 * @param {number[]} input the shape of a sample
 * @param {(line: number) => void} onGo
 * @returns {HTMLElement[]} items of a list
 */
export function neurons(columns, input, onGo) {
  const isImage = input.length === 3;
  return [
    isImage ? h("li", { class: "neurons-image" }, image(input)) : null,
    ...columns.map((column, at) => {
      const before = columns[at - 1];
      const isLast = at === columns.length - 1;
      const drawn = h(
        "span",
        { class: "neurons-column" },
        circles(column.size, before ? "is-neuron" : "is-value"),
        h("b", {}, count(column.size)),
        h("small", {}, before ? meaningOf(column, isLast) : "values"),
      );
      if (!before) return h("li", { class: isImage ? "neurons-flat" : "" }, isImage ? arrow() : null, drawn);
      const face = [links(before.size, column.size), weightsOf(column, before.size), drawn];
      return h(
        "li",
        { class: "neurons-layer" },
        column.line > 0
          ? h(
              "button",
              { type: "button", title: inWords(column, before.size), on: { click: () => onGo(column.line) } },
              face,
            )
          : h("span", {}, face),
      );
    }),
  ].filter((item) => item !== null);
}

/** @param {Column} column @param {boolean} isLast */
function meaningOf({ after }, isLast) {
  const activation = after.findLast((operation) => !/Norm|Dropout|Pad/.test(operation));
  return activation ?? (isLast ? "outputs" : "");
}

/** @param {Column} column @param {number} from */
function inWords({ size, after, weights, biases }, from) {
  const parameters = `${count(from)} × ${count(size)} = ${plural(weights, "weight")}`;
  const rest = biases > 0 ? ` and ${plural(biases, "bias", "biases")}` : "";
  const then = after.length > 0 ? `, then ${after.join(", ")}` : "";
  return `Linear: ${parameters}${rest}${then}`;
}

/** @param {Column} column @param {number} from */
function weightsOf({ size, biases }, from) {
  return h(
    "span",
    { class: "neurons-weights" },
    h("span", {}, `${count(from)} × ${count(size)}`, h("i", {}, " weights")),
    h("small", {}, biases > 0 && [`+ ${count(biases)}`, h("i", {}, biases === 1 ? " bias" : " biases")]),
  );
}

/** All links, and those of one neuron, which takes every value before it. @param {number} from @param {number} to */
function links(from, to) {
  const [left, right] = [placesOf(from).neurons, placesOf(to).neurons];
  const into = (/** @type {number} */ y2) => left.map((y1) => `M0 ${y1}L100 ${y2}`).join("");
  const one = right[Math.floor((right.length - 1) / 3)];
  const size = { viewBox: `0 0 100 ${HEIGHT}`, preserveAspectRatio: "none", height: HEIGHT };
  return h(
    "span",
    { class: "neurons-links" },
    s(
      "svg",
      { ...size, "aria-hidden": "true" },
      s("path", { d: right.map(into).join("") }),
      s("path", { class: "of-one", d: into(one) }),
    ),
  );
}

/** @param {number} size @param {string} kind */
function circles(size, kind) {
  const { neurons: places, dots } = placesOf(size);
  const middle = 2 * RADIUS;
  return s(
    "svg",
    { class: kind, width: 2 * middle, height: HEIGHT, "aria-hidden": "true" },
    ...places.map((y) => s("circle", { cx: middle, cy: y, r: RADIUS })),
    ...(dots === null
      ? []
      : [-3.5, 0, 3.5].map((by) => s("circle", { class: "dot", cx: middle, cy: dots + by, r: 1.2 }))),
  );
}

/** The pixels of a sample as squares: one channel of them. @param {number[]} shape */
function image([channels, rows, columns]) {
  const most = Math.max(rows, columns);
  const [across, down] = [columns, rows].map((side) =>
    Math.max(1, Math.round((side / most) * Math.min(most, MOST_PIXELS))),
  );
  const pixels = Array.from({ length: across * down }, (_, at) =>
    s("rect", { x: (at % across) * 6 + 0.5, y: Math.floor(at / across) * 6 + 0.5, width: 6, height: 6 }),
  );
  const size = { width: across * 6 + 1, height: down * 6 + 1 };
  const shape = channels === 1 ? `${rows} × ${columns}` : `${channels} × ${rows} × ${columns}`;
  return h(
    "span",
    { class: "neurons-column" },
    h("span", { class: "neurons-pixels" }, s("svg", { ...size, "aria-hidden": "true" }, ...pixels)),
    h("b", {}, "Input"),
    h("small", {}, shape),
  );
}

function arrow() {
  const path = s("path", { d: "M1 6h20M16 1.5 21 6l-5 4.5" });
  return h("span", { class: "neurons-arrow" }, s("svg", { width: 23, height: 12, "aria-hidden": "true" }, path));
}
