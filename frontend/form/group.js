// A choice of the form that brings fields of its own, such as the optimizer.

import { h } from "../lib/dom.js";
import { segments } from "./control.js";
import { fieldGrid } from "./field-grid.js";
import { isSwitch } from "./table.js";

/** @import { Group } from "../lib/types" */
/** @import { Control } from "./control.js" */

/** The value of a group that is off. */
const OFF = "off";

/**
 * @param {Group} group
 * @param {HTMLElement | null} extra what stands below the fields
 * @param {(variant: string | null) => void} onChosen
 */
export function groupPart(group, extra, onChosen) {
  const fields = fieldGrid();
  const input = segments(choicesOf(group), idOf(group), (value) => onChosen(value === OFF ? null : String(value)));
  const element = h(
    "div",
    { class: "group", data: { path: group.path } },
    h(
      "div",
      { class: "group-head", role: "radiogroup", "aria-labelledby": idOf(group) },
      h("span", { id: idOf(group), class: "group-title" }, group.label),
      input.element,
    ),
    group.help && h("p", { class: "hint" }, group.help),
    fields.element,
    extra,
  );
  return {
    element,
    group,
    /** @param {boolean} means whether it means something for the data and the network @param {string | null} chosen @param {Control[]} controls */
    show(means, chosen, controls) {
      element.hidden = !means;
      input.show(chosen ?? OFF);
      fields.show(controls);
    },
  };
}

/** @param {Group} group */
const idOf = (group) => `g-${group.path.replaceAll(".", "-")}`;

/** @param {Group} group */
function choicesOf(group) {
  if (isSwitch(group))
    return [
      { value: OFF, label: "Off" },
      { value: "", label: "On" },
    ];
  const options = group.variants.map(({ value, label }) => ({ value: value ?? "", label }));
  return group.nullable ? [{ value: OFF, label: "None" }, ...options] : options;
}
