// The shape of the samples that a text is checked for: that of a data set, or any.

import { h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { safeLocalStorage } from "../lib/storage.js";
import { shapeText } from "./shapes.js";

/** @import { DataShape } from "./types" */

const KEPT = "vivarium.network-shape";
const OTHER = "";
const DEFAULT_SHAPE = { set: OTHER, input: [3, 32, 32], classes: 10 };
const MOST = 1 << 20;

/**
 * @param {DataShape[]} sets
 * @param {{ name: string, data_set?: string }} network `data_set`: the one for which it is checked at first
 * @param {() => void} onChange
 */
export function inputShape(sets, { name, data_set: preferred }, onChange) {
  const key = `${KEPT}.${name}`;
  let shape = first();
  const choose = h(
    "select",
    { class: "input", id: "check-for", on: { change: chosen } },
    ...sets.map(({ set, title, input }) => h("option", { value: set }, `${title}, ${shapeText(input)}`)),
    h("option", { value: OTHER }, "Other images…"),
  );
  const numbers = ["Channels", "Height", "Width", "Classes"].map((label) =>
    h("input", {
      class: "input",
      type: "number",
      min: 1,
      max: MOST,
      step: 1,
      inputmode: "numeric",
      "aria-label": label,
      title: label,
      on: { input: typed },
    }),
  );
  const own = h(
    "div",
    { class: "own-shape", role: "group", "aria-label": "Shape of the images" },
    numbers[0],
    "×",
    numbers[1],
    "×",
    numbers[2],
    h("span", {}, "in"),
    numbers[3],
    h("span", {}, "classes"),
  );
  const about = h("small");
  show();

  function first() {
    const find = (/** @type {string | undefined} */ name) => sets.find(({ set }) => set === name);
    return kept() ?? find(preferred) ?? sets.find(({ input }) => input.length === 3) ?? DEFAULT_SHAPE;
  }

  /** The shape that was last chosen for this network. @returns {typeof DEFAULT_SHAPE | null} */
  function kept() {
    try {
      const last = JSON.parse(safeLocalStorage.getItem(key) ?? "null");
      if (last?.set) return sets.find(({ set }) => set === last.set) ?? null;
      return isShape(last) ? last : null;
    } catch {
      return null;
    }
  }

  function show() {
    choose.value = shape.set;
    setText(about, plural(shape.classes, "class", "classes"));
    own.hidden = shape.set !== OTHER;
    if (!own.hidden) [...shape.input, shape.classes].forEach((size, i) => (numbers[i].value = String(size)));
  }

  function chosen() {
    const set = sets.find((each) => each.set === choose.value);
    // Points have no height and width to begin with.
    const input = shape.input.length === 3 ? shape.input : DEFAULT_SHAPE.input;
    shape = set ?? { set: OTHER, input, classes: shape.classes };
    show();
    if (!set) numbers[1].focus();
    keep();
  }

  function typed() {
    const sizes = numbers.map((input) => Number(input.value));
    numbers.forEach((input, i) => input.setAttribute("aria-invalid", String(!isSize(sizes[i]))));
    if (!sizes.every(isSize)) return;
    shape = { set: OTHER, input: sizes.slice(0, 3), classes: sizes[3] };
    setText(about, plural(shape.classes, "class", "classes"));
    keep();
  }

  function keep() {
    if (name !== "")
      safeLocalStorage.setItem(key, JSON.stringify({ set: shape.set, input: shape.input, classes: shape.classes }));
    onChange();
  }

  return {
    element: h("div", { class: "check-for" }, h("label", { for: "check-for" }, "Input", about), choose, own),
    value: () => ({ input: shape.input, classes: shape.classes }),
  };
}

/** @param {unknown} size */
const isSize = (size) => Number.isInteger(size) && Number(size) >= 1 && Number(size) <= MOST;

/** @param {any} shape */
const isShape = (shape) =>
  Array.isArray(shape?.input) && shape.input.length === 3 && [...shape.input, shape.classes].every(isSize);
