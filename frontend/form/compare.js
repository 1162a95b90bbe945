// The form's part for sweeps: values to compare for each setting, one run per combination.

import { h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { formatGridValues } from "./grid-values.js";
import { runCount, fieldText } from "./draft.js";
import { choicesOf, gridInput, isComparable } from "./grid-input.js";
import { NETWORK, fieldsOf, labelAt, networkField } from "./table.js";

/** @import { Field, FormTable } from "../lib/types" */
/** @import { Draft } from "./draft.js" */

/** The settings that can be compared. @param {FormTable} table @param {Draft} draft */
const comparable = (table, draft) => [networkField(table, draft), ...fieldsOf(table, draft)].filter(isComparable);

/** @param {FormTable} table @param {Draft} draft @param {() => void} onChange */
export function comparePart(table, draft, onChange) {
  const rows = h("div", { class: "compare-rows" });
  const select = h("select", {
    class: "input",
    id: "compare-add",
    on: { change: () => add(select.value) },
  });
  const sum = h("p", { class: "hint" });
  const fixed = h("p", { class: "hint", hidden: true });
  const repeats = h("input", {
    class: "input",
    id: "repeats",
    type: "text",
    inputmode: "numeric",
    on: {
      input: () => {
        draft.repeats = repeats.value;
        onChange();
      },
    },
  });
  const trials = h("input", {
    class: "input",
    id: "trials",
    type: "text",
    inputmode: "numeric",
    on: {
      input: () => {
        draft.trials = trials.value;
        onChange();
      },
    },
  });
  const byChance = h("input", {
    type: "checkbox",
    role: "switch",
    id: "by-chance",
    on: {
      change: () => {
        draft.trials = byChance.checked ? "20" : "";
        trials.value = draft.trials;
        onChange();
      },
    },
  });
  const random = labelled("trials", "Random combinations", trials, "So many in all.");
  const chance = labelled(
    "by-chance",
    "Random search",
    h("div", { class: "toggle" }, byChance, h("span", { "aria-hidden": "true" })),
    "Tries random combinations instead of all; ranges are sampled continuously.",
  );
  repeats.value = draft.repeats;
  trials.value = draft.trials;
  byChance.checked = draft.trials !== "";
  const element = h(
    "fieldset",
    { class: "card section" },
    h("legend", { class: "visually-hidden" }, "Compare"),
    h("h2", { "aria-hidden": "true" }, "Compare"),
    h(
      "p",
      { class: "muted" },
      "One run for each combination of values: “16, 32, 64”, a range such as “0.0001..0.1 log 4”, or lists such as “64, 128; 32, 64”.",
    ),
    fixed,
    rows,
    h(
      "div",
      { class: "fields" },
      labelled("compare-add", "Setting to compare", select),
      labelled("repeats", "Seeds per combination", repeats, "Runs that differ in their random numbers alone."),
      chance,
      random,
    ),
    sum,
  );
  /** @type {Map<string, HTMLElement>} */
  const shown = new Map();

  /** @param {string} path */
  function add(path) {
    const field = comparable(table, draft).find((field) => field.path === path);
    if (!field) return;
    const choices = path === NETWORK ? [{ value: draft.kind }] : choicesOf(field.kind);
    draft.grid[path] = choices
      ? choices.map((choice) => choice.value).join(", ")
      : String(fieldText(table, draft, field));
    onChange();
    shown.get(path)?.querySelector("input")?.focus();
  }

  /** @param {Field} field */
  function rowOf(field) {
    const id = `compare-${field.path.replaceAll(".", "-")}`;
    const input = gridInput(field, id, draft.grid[field.path], (text) => {
      draft.grid[field.path] = text;
      onChange();
    });
    const remove = () => {
      delete draft.grid[field.path];
      onChange();
      select.focus();
    };
    return h(
      "div",
      { class: "compare-row" },
      input.label,
      input.element,
      h(
        "button",
        {
          class: "button quiet icon",
          type: "button",
          "aria-label": `Do not compare ${field.label}`,
          on: { click: remove },
        },
        icon("cross"),
      ),
    );
  }

  function show() {
    const fields = comparable(table, draft);
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
    select.replaceChildren(
      h("option", { value: "" }, "Add a setting…"),
      ...free.map(({ path, label }) => h("option", { value: path }, label)),
    );
    const compared = Object.keys(draft.grid).length + Object.keys(draft.fixed).length > 0;
    chance.hidden = !compared;
    random.hidden = !compared || (draft.trials === "" && !byChance.checked);
    setText(
      fixed,
      Object.entries(draft.fixed)
        .map(([path, axis]) => `${labelAt(table, path)}: ${formatGridValues(axis)}`)
        .join("; "),
    );
    fixed.hidden = fixed.textContent === "";
    const runs = runCount(table, draft);
    setText(
      sum,
      runs > 1
        ? `${plural(runs, "run")} will start, as many in parallel as the server allows; the others are queued.`
        : "",
    );
    sum.hidden = runs < 2;
  }

  show();
  return { element, show };
}

/** @param {string} id @param {string} label @param {HTMLElement} input @param {string} [hint] */
function labelled(id, label, input, hint) {
  return h(
    "div",
    { class: "field" },
    h("div", { class: "field-head" }, h("label", { class: "label", for: id }, label)),
    input,
    hint ? h("p", { class: "hint" }, hint) : null,
  );
}
