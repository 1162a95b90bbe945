// Several runs from one form: values of a setting to compare, a run for each combination.

import { h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { gridOf, typedIn } from "./draft.js";
import { fieldsOf } from "./table.js";

/** @import { Field, FormTable } from "../lib/types" */
/** @import { Draft } from "./draft.js" */

/** Settings whose values can be written side by side. @param {Field} field */
const isComparable = ({ kind, path }) => kind.type !== "text" && kind.type !== "integers" && kind.type !== "switch" && path !== "device";

/** How many runs the form starts. @param {FormTable} table @param {Draft} draft */
export function runCount(table, draft) {
  return Object.values(gridOf(table, draft)).reduce((product, values) => product * values.length, 1);
}

/** @param {FormTable} table @param {Draft} draft @param {() => void} onChange */
export function comparePart(table, draft, onChange) {
  const rows = h("div", { class: "compare-rows" });
  const select = h("select", { class: "input", "aria-label": "Setting to compare", on: { change: () => add(select.value) } });
  const sum = h("p", { class: "hint" });
  const element = h(
    "fieldset",
    { class: "card section" },
    h("legend", { class: "visually-hidden" }, "Compare"),
    h("h2", { "aria-hidden": "true" }, "Compare"),
    h("p", { class: "muted" }, "One run for each value, with everything else the same."),
    rows,
    h("div", { class: "compare-add" }, select),
    sum,
  );
  /** @type {Map<string, HTMLElement>} */
  const shown = new Map();

  /** @param {string} path */
  function add(path) {
    const field = fieldsOf(table, draft).find((field) => field.path === path);
    if (!field) return;
    draft.grid[path] = field.kind.type === "choice" ? field.kind.options.map((option) => option.value).join(", ") : String(typedIn(table, draft, field));
    onChange();
    shown.get(path)?.querySelector("input")?.focus();
  }

  /** @param {Field} field */
  function rowOf(field) {
    const id = `compare-${field.path.replaceAll(".", "-")}`;
    const input = h("input", {
      id,
      class: "input",
      type: "text",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: "values with commas between",
      on: { input: () => ((draft.grid[field.path] = input.value), onChange()) },
    });
    input.value = draft.grid[field.path];
    const remove = () => {
      delete draft.grid[field.path];
      onChange();
      select.focus();
    };
    return h(
      "div",
      { class: "compare-row" },
      h("label", { class: "label", for: id }, field.label),
      input,
      h("button", { class: "button quiet icon", type: "button", "aria-label": `Do not compare ${field.label}`, on: { click: remove } }, icon("cross")),
    );
  }

  function show() {
    const fields = fieldsOf(table, draft).filter(isComparable);
    for (const [path, row] of shown) {
      if (path in draft.grid && fields.some((field) => field.path === path)) continue;
      row.remove();
      shown.delete(path);
    }
    for (const field of fields) {
      if (!(field.path in draft.grid) || shown.has(field.path)) continue;
      const row = rowOf(field);
      shown.set(field.path, row);
      rows.append(row);
    }
    const free = fields.filter((field) => !(field.path in draft.grid));
    select.replaceChildren(h("option", { value: "" }, "Add a setting to compare…"), ...free.map(({ path, label }) => h("option", { value: path }, label)));
    const runs = runCount(table, draft);
    setText(sum, runs > 1 ? `${plural(runs, "run")} will start, as many side by side as the server allows; the others queue.` : "");
    sum.hidden = runs < 2;
  }

  show();
  return { element, show };
}
