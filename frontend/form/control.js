// A field of the form: label, control, allowed values, error, and reset button.

import { h, setText } from "../lib/dom.js";
import { exactNumber } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { formatText, toText } from "./values.js";

/** @import { Choice, Field, Json } from "../lib/types" */
/** @import { Typed } from "./values.js" */

/** Up to this many options are shown side by side, if none has a longer label. */
const MAX_SEGMENTS = 4;
const MAX_SEGMENT_LABEL = 24;

/**
 * @typedef {{
 *   element: HTMLElement,
 *   field: Field,
 *   show: (typed: Typed, standard: Json, changed: boolean, compared: boolean) => void,
 *   setError: (message: string) => void,
 *   focus: () => void,
 * }} Control
 */

/** @param {Field} field @param {(typed: Typed) => void} onTyped @param {() => void} onReset @returns {Control} */
export function control(field, onTyped, onReset) {
  const id = `f-${field.path.replaceAll(".", "-")}`;
  const describe = `${id}-hint ${id}-error`;
  const input = inputOf(field, id, describe, onTyped);
  const hint = h("p", { class: "hint", id: `${id}-hint` }, `${field.help} ${formatText(field.kind)}`.trim());
  const words = h("span");
  const error = h("p", { class: "field-error", id: `${id}-error`, hidden: true }, icon("warning", 14), words);
  const reset = h(
    "button",
    { class: "reset", type: "button", hidden: true, on: { click: onReset } },
    icon("reset", 12),
    h("span"),
  );
  const compared = h("span", { class: "chip", hidden: true }, "compared");
  const isGroup = input.segments;
  const label = isGroup
    ? h("span", { class: "label", id: `${id}-label` }, field.label)
    : h("label", { class: "label", for: id }, field.label);
  const head = h("div", { class: "field-head" }, label, compared, reset);
  const element = isGroup
    ? h(
        "div",
        {
          class: "field",
          role: "radiogroup",
          "aria-labelledby": `${id}-label`,
          "aria-describedby": describe,
          data: { path: field.path },
        },
        head,
        input.element,
        error,
        hint,
      )
    : h("div", { class: `field ${field.kind.type}`, data: { path: field.path } }, head, input.element, error, hint);

  return {
    element,
    field,
    show(typed, standard, changed, isCompared) {
      input.show(typed);
      element.classList.toggle("changed", changed);
      element.classList.toggle("compared", isCompared);
      compared.hidden = !isCompared;
      reset.hidden = !changed || isCompared;
      const text = valueText(field, toText(field, standard));
      setText(/** @type {Node} */ (reset.lastChild), text);
      reset.setAttribute("aria-label", `Reset ${field.label} to ${text}`);
      reset.title = "Reset to the default";
    },
    setError(said) {
      const message = said && `${said}${decimalComma(field, input.element)}`;
      if (error.hidden === !message && words.textContent === message) return;
      words.textContent = message;
      error.hidden = !message;
      input.setInvalid(message !== "");
      element.classList.toggle("invalid", message !== "");
    },
    focus: () => input.focus(),
  };
}

/** A number such as 0,1, as many countries write it. */
const DECIMAL_COMMA = /^\s*([+-]?\d*),(\d+)\s*$/;

/** What to write instead of a number with a comma. @param {Field} field @param {HTMLElement} element */
function decimalComma(field, element) {
  if (field.kind.type !== "number" || !(element instanceof HTMLInputElement)) return "";
  const parts = DECIMAL_COMMA.exec(element.value);
  return parts ? `; with a point: ${parts[1] || 0}.${parts[2]}` : "";
}

/** A typed value in words. @param {Field} field @param {Typed} typed */
export function valueText(field, typed) {
  if (field.kind.type === "choice" && typed !== "")
    return field.kind.options.find((option) => option.value === typed)?.label ?? String(typed);
  if (typed === "") return field.null_label ?? "empty";
  return typeof typed === "boolean" ? exactNumber(typed) : typed;
}

/**
 * @typedef {{
 *   element: HTMLElement,
 *   segments: boolean,
 *   show: (typed: Typed) => void,
 *   setInvalid: (invalid: boolean) => void,
 *   focus: () => void,
 * }} Input
 */

/**
 * @param {Field} field
 * @param {string} id
 * @param {string} describe
 * @param {(typed: Typed) => void} onTyped
 * @returns {Input}
 */
function inputOf(field, id, describe, onTyped) {
  const { kind } = field;
  if (kind.type === "choice") {
    const options =
      field.null_label === undefined ? kind.options : [{ value: "", label: field.null_label }, ...kind.options];
    const isShort = options.length <= MAX_SEGMENTS && options.every(({ label }) => label.length <= MAX_SEGMENT_LABEL);
    return isShort ? segments(options, id, onTyped) : select(options, id, describe, onTyped);
  }
  if (kind.type === "switch") {
    const input = h("input", {
      id,
      type: "checkbox",
      role: "switch",
      "aria-describedby": describe,
      on: { change: () => onTyped(input.checked) },
    });
    return {
      element: h("div", { class: "toggle" }, input, h("span", { "aria-hidden": "true" })),
      segments: false,
      show: (typed) => (input.checked = typed === true),
      setInvalid: invalid(input),
      focus: () => input.focus(),
    };
  }
  const input = h("input", {
    id,
    class: "input",
    type: "text",
    inputmode: kind.type === "integer" ? "numeric" : kind.type === "number" ? "decimal" : "text",
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": describe,
    on: { input: () => onTyped(input.value) },
  });
  if (field.null_label !== undefined) input.placeholder = field.null_label;
  return {
    element: input,
    segments: false,
    show: (typed) => {
      if (input.value !== String(typed)) input.value = String(typed);
    },
    setInvalid: invalid(input),
    focus: () => input.focus(),
  };
}

/** @param {Choice[]} options @param {string} id @param {(typed: Typed) => void} onTyped @returns {Input} */
export function segments(options, id, onTyped) {
  const inputs = options.map(({ value }) =>
    h("input", { type: "radio", name: id, value, on: { change: () => onTyped(value) } }),
  );
  const element = h(
    "div",
    { class: "segments" },
    ...inputs.map((input, i) => h("label", {}, input, h("span", {}, options[i].label))),
  );
  return {
    element,
    segments: true,
    show: (typed) => inputs.forEach((input) => (input.checked = input.value === typed)),
    setInvalid: (isInvalid) => inputs.forEach((input) => invalid(input)(isInvalid)),
    focus: () => (inputs.find((input) => input.checked) ?? inputs[0]).focus(),
  };
}

/**
 * @param {Choice[]} options
 * @param {string} id
 * @param {string} describe
 * @param {(typed: Typed) => void} onTyped
 * @returns {Input}
 */
function select(options, id, describe, onTyped) {
  const element = h(
    "select",
    { id, class: "input", "aria-describedby": describe, on: { change: () => onTyped(element.value) } },
    ...options.map(({ value, label }) => h("option", { value }, label)),
  );
  return {
    element,
    segments: false,
    show: (typed) => (element.value = String(typed)),
    setInvalid: invalid(element),
    focus: () => element.focus(),
  };
}

/** @param {HTMLElement} element @returns {(invalid: boolean) => void} */
function invalid(element) {
  return (isInvalid) =>
    isInvalid ? element.setAttribute("aria-invalid", "true") : element.removeAttribute("aria-invalid");
}
