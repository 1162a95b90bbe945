// The control for the values of one setting in a sweep: a text field, or the choices to tick. Both hold the values as
// text, in the notation of grid-values.js.

import { h } from "../lib/dom.js";

/** @import { Field, FieldKind } from "../lib/types" */

/** Whether the values of a setting can be listed. @param {Field} field */
export const isComparable = ({ kind, path }) => kind.type !== "text" && path !== "device";

/** The values that a setting can have, if they are few. @param {FieldKind} kind */
export function choicesOf(kind) {
  if (kind.type === "choice") return kind.options;
  if (kind.type !== "switch") return null;
  return [
    { value: "off", label: "Off" },
    { value: "on", label: "On" },
  ];
}

/** @param {FieldKind} kind */
function placeholder(kind) {
  return kind.type === "integers" ? "64, 128; 32, 64, 32" : "16, 32, 64 or 0.001..0.1 log 3";
}

/**
 * @param {Field} field
 * @param {string} id
 * @param {string} text
 * @param {(text: string) => void} onText
 */
export function gridInput(field, id, text, onText) {
  const choices = choicesOf(field.kind);
  if (!choices) {
    const input = h("input", {
      id,
      class: "input",
      type: "text",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: placeholder(field.kind),
      on: { input: () => onText(input.value) },
    });
    input.value = text;
    return { element: input, label: h("label", { class: "label", for: id }, field.label) };
  }
  const chosen = new Set(text.split(",").map((part) => part.trim()));
  const boxes = choices.map(({ value }) =>
    h("input", { type: "checkbox", value, checked: chosen.has(value), on: { change: read } }),
  );
  function read() {
    onText(
      boxes
        .filter((box) => box.checked)
        .map((box) => box.value)
        .join(", "),
    );
  }
  const element = h(
    "div",
    { class: "segments", role: "group", "aria-labelledby": `${id}-label` },
    ...boxes.map((box, i) => h("label", {}, box, h("span", {}, choices[i].label))),
  );
  return { element, label: h("span", { class: "label", id: `${id}-label` }, field.label) };
}
