// The bias and the incoming weights of a neuron, to read and to change.

import { h, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { BIAS } from "./layout.js";
import { neuronName, sourceName } from "./words.js";

/** @import { Neuron } from "./maps.js" */
/** @import { Playground } from "./playground.js" */

/** What an arrow key changes a weight by. */
const STEP = 0.1;

/** @typedef {{ input: HTMLInputElement, values: Float64Array, index: number }} Field */

/** @param {Playground} playground @param {() => void} closed */
export function inspector(playground, closed) {
  const title = h("h3", {});
  const body = h("div", { class: "net-weights" });
  const close = h(
    "button",
    { class: "button quiet icon small", type: "button", "aria-label": "Close", on: { click: () => hide(true) } },
    icon("cross", 14),
  );
  const hint = h(
    "p",
    { class: "hint" },
    "Point at a neuron to see its picture large. Press it, or a link, to read and change its weights.",
  );
  const panel = h(
    "section",
    { class: "net-inspector", hidden: true, "aria-label": "Weights of a neuron", on: { keydown } },
    h("header", {}, title, close),
    body,
    h("p", { class: "hint" }, "Arrow keys change a number by 0.1. Reset brings the first weights back."),
  );
  /** @type {Field[]} */
  let fields = [];
  /** @type {HTMLElement | null} */
  let opener = null;

  /** @param {KeyboardEvent} event */
  function keydown(event) {
    if (event.key === "Escape") hide(true);
  }

  /** Opens the panel for a neuron; `from` is the source of the weight to begin with, or the bias. @param {Neuron} neuron @param {number} [from] */
  function show(neuron, from) {
    const { layers } = playground.trainer.network;
    // An input has no weights.
    if (neuron.column === 0) {
      hide();
      return;
    }
    opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    const { weight, bias, inputs } = layers[neuron.column - 1];
    setText(title, neuronName(neuron, layers.length + 1));
    fields = [
      field("Bias", bias, neuron.index),
      ...Array.from({ length: inputs }, (_, i) =>
        field(sourceName(neuron.column, i), weight, neuron.index * inputs + i),
      ),
    ];
    body.replaceChildren(
      ...fields.map(({ input }, i) =>
        h("label", { class: "net-weight" }, h("span", {}, i === 0 ? "Bias" : sourceName(neuron.column, i - 1)), input),
      ),
    );
    panel.hidden = false;
    hint.hidden = true;
    refresh();
    // The first field is the bias. A screen keyboard would hide what is shown, so it comes when a number is touched.
    const { input } = fields[(from ?? BIAS) + 1];
    if (matchMedia("(pointer: coarse)").matches) return;
    input.focus({ preventScroll: true });
    input.select();
  }

  /** @param {string} label @param {Float64Array} values @param {number} index @returns {Field} */
  function field(label, values, index) {
    const input = h("input", {
      class: "input",
      type: "number",
      step: STEP,
      "aria-label": label,
      on: {
        input: () => {
          const value = input.valueAsNumber;
          input.setAttribute("aria-invalid", String(!Number.isFinite(value)));
          if (Number.isFinite(value)) playground.edit(values, index, value);
        },
        blur: () => {
          input.removeAttribute("aria-invalid");
          refresh();
        },
      },
    });
    return { input, values, index };
  }

  /** Shows the numbers of now, but for the one that is being typed. */
  function refresh() {
    if (panel.hidden) return;
    for (const { input, values, index } of fields) {
      if (input === document.activeElement && input.value !== "") continue;
      const text = values[index].toFixed(3);
      if (input.value !== text) input.value = text;
    }
  }

  /** @param {boolean} [back] whether the focus goes back to where it was */
  function hide(back = false) {
    if (panel.hidden) return;
    panel.hidden = true;
    hint.hidden = false;
    fields = [];
    closed();
    if (back && opener?.isConnected) opener.focus();
  }

  return { element: h("div", { class: "net-below" }, hint, panel), show, hide, refresh };
}
