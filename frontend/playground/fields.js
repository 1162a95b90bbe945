// The kinds of controls: a slider, a menu, a choice of a few, a count with buttons. Each shows a value and tells a change.

import { h, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

/** @template T @typedef {{ element: HTMLElement, show: (value: T) => void }} Control */

let made = 0;

function nextId() {
  made += 1;
  return `playground-${made}`;
}

/**
 * @param {string} label
 * @param {{ min: number, max: number, step: number, text?: (value: number) => string }} range
 * @param {(value: number, more: boolean) => void} changed `more`: further changes follow
 * @returns {Control<number> & { setMax: (max: number) => void }}
 */
export function slider(label, { min, max, step, text = String }, changed) {
  const id = nextId();
  const value = h("output", { for: id });
  const input = h("input", {
    type: "range",
    id,
    min,
    max,
    step,
    on: {
      input: () => changed(input.valueAsNumber, true),
      change: () => changed(input.valueAsNumber, false),
    },
  });
  return {
    element: h("div", { class: "pg-field" }, h("label", { for: id }, label), value, input),
    show(now) {
      // A value of the address may lie between the steps, or beyond the end.
      if (input.valueAsNumber !== now) input.value = String(now);
      setText(value, text(now));
      input.setAttribute("aria-valuetext", text(now));
    },
    setMax(most) {
      input.max = String(most);
    },
  };
}

/**
 * A menu of values; one that is not offered is added when it is shown.
 * @template {string | number} T
 * @param {string} label
 * @param {{ value: T, label: string }[]} offered
 * @param {(value: T) => void} changed
 * @returns {Control<T>}
 */
export function menu(label, offered, changed) {
  const id = nextId();
  let options = offered;
  const select = h("select", {
    class: "select",
    id,
    on: { change: () => changed(options[select.selectedIndex].value) },
  });
  const fill = () => select.replaceChildren(...options.map((one) => h("option", { value: one.value }, one.label)));
  fill();
  return {
    element: h("div", { class: "pg-field" }, h("label", { for: id }, label), select),
    show(value) {
      if (!options.some((one) => one.value === value)) {
        options = [...offered, { value, label: String(value) }];
        if (typeof value === "number") options.sort((a, b) => Number(a.value) - Number(b.value));
        fill();
      }
      select.value = String(value);
    },
  };
}

/**
 * @template {string} T
 * @param {string} label
 * @param {{ value: T, label: string, title?: string }[]} offered
 * @param {(value: T) => void} changed
 * @param {{ visible?: boolean }} [look] whether the label is shown
 * @returns {Control<T>}
 */
export function segments(label, offered, changed, { visible = true } = {}) {
  const name = nextId();
  const inputs = offered.map(({ value }) =>
    h("input", { type: "radio", name, value, on: { change: () => changed(value) } }),
  );
  const group = h(
    "div",
    { class: "segments", role: "radiogroup", "aria-label": label },
    ...offered.map((one, i) => h("label", { title: one.title }, inputs[i], h("span", {}, one.label))),
  );
  return {
    element: visible ? h("div", { class: "pg-field" }, h("span", {}, label), group) : group,
    show(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}

/**
 * @param {string} label
 * @param {{ less: string, more: string, min: number, max: number }} words of the buttons
 * @param {(by: 1 | -1) => void} changed
 * @returns {Control<number>}
 */
export function counter(label, { less, more, min, max }, changed) {
  const value = h("b", {});
  const button = (/** @type {string} */ words, /** @type {1 | -1} */ by) =>
    h(
      "button",
      {
        class: "net-step",
        type: "button",
        "aria-label": words,
        title: words,
        on: {
          click: () => {
            changed(by);
            // A button that is disabled loses the focus.
            const [own, other] = by > 0 ? [further, fewer] : [fewer, further];
            if (own.disabled) other.focus();
          },
        },
      },
      icon(by > 0 ? "plus" : "minus", 12),
    );
  const fewer = button(less, -1);
  const further = button(more, 1);
  return {
    element: h("div", { class: "pg-counter" }, h("span", {}, label), fewer, value, further),
    show(now) {
      setText(value, now);
      fewer.disabled = now <= min;
      further.disabled = now >= max;
    },
  };
}

/**
 * A whole number from 0 on.
 * @param {string} label
 * @param {(value: number) => void} changed
 * @param {HTMLElement} beside
 * @returns {Control<number>}
 */
export function wholeNumber(label, changed, beside) {
  const id = nextId();
  const input = h("input", {
    class: "input",
    type: "number",
    id,
    min: 0,
    step: 1,
    on: {
      change: () => {
        const value = input.valueAsNumber;
        if (Number.isSafeInteger(value) && value >= 0) changed(value);
        else input.value = shown;
      },
    },
  });
  let shown = "";
  return {
    element: h(
      "div",
      { class: "pg-field" },
      h("label", { for: id }, label),
      h("span", { class: "pg-beside" }, input, beside),
    ),
    show(value) {
      shown = String(value);
      if (input.value !== shown) input.value = shown;
    },
  };
}
