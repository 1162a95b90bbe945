// The dialog that maps the tags of an imported run to curves, charts of their own, or nothing.

import { assignTags, getTags } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { count, formatNumber } from "../lib/format.js";
import { announce } from "../lib/shell.js";

/** @import { Tag } from "../lib/types" */

/** The options for a tag. @type {[string, string][]} */
const CURVES = [
  ["none", "Not drawn"],
  ["own", "A chart of its own"],
  ["train_loss", "Training loss"],
  ["train_accuracy", "Training accuracy"],
  ["validation_loss", "Validation loss"],
  ["validation_accuracy", "Validation accuracy"],
  ["lr", "Learning rate"],
];

/** Maximum number of rows; a filter finds the others. */
const MAX_ROWS = 300;

/**
 * The mapping to send to the server: the user's choices, now or before. A curve has at most one tag.
 * @param {Tag[]} tags the current state
 * @param {Map<string, string>} chosen by tag
 */
export function tagAssignments(tags, chosen) {
  const taken = new Set([...chosen.values()].filter((curve) => curve !== "own" && curve !== "none"));
  /** @type {{ [tag: string]: string }} */
  const wanted = {};
  for (const { tag, curve, assigned: before } of tags) {
    const now = chosen.get(tag);
    if (now !== undefined) wanted[tag] = now;
    else if (curve !== null && taken.has(curve)) wanted[tag] = "none";
    else if (before) wanted[tag] = curve ?? "none";
  }
  return wanted;
}

/** @param {{ id: string, name: string }} run @param {() => void} [onSaved] */
export async function openTagMapping({ id, name }, onSaved = () => {}) {
  /** @type {Tag[]} */
  let tags = [];
  /** @type {Map<string, string>} */
  const chosen = new Map();
  const filter = h("input", {
    class: "input",
    type: "search",
    "aria-label": "Filter tags",
    placeholder: "Filter tags",
    autocomplete: "off",
    on: { input: () => show() },
  });
  const rows = h("tbody", {});
  const note = h("p", { class: "muted small" });
  const fault = h("p", { class: "notice small", role: "alert", hidden: true });
  const table = h(
    "table",
    { class: "tags-table" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Tag"),
        h("th", { scope: "col", class: "number" }, "Values"),
        h("th", { scope: "col", class: "number" }, "Last"),
        h("th", { scope: "col" }, "Drawn as"),
      ),
    ),
    rows,
  );
  const save = h(
    "button",
    { class: "button primary", type: "button", on: { click: () => send(tagAssignments(tags, chosen)) } },
    "Save",
  );
  const dialog = h(
    "dialog",
    { "aria-labelledby": "tags-title", class: "tags-dialog" },
    h("h2", { id: "tags-title" }, `Tags of ${name}`),
    h(
      "p",
      { class: "muted small" },
      "Tags are mapped to curves by name, unless you choose otherwise. Accuracies above 1.5 are read as percentages.",
    ),
    filter,
    h("div", { class: "tags-scroll" }, table),
    note,
    fault,
    h(
      "div",
      { class: "actions" },
      h(
        "button",
        {
          class: "button",
          type: "button",
          title: "Discard your choices and map tags by name",
          on: { click: () => send({}) },
        },
        "Map by name",
      ),
      h("button", { class: "button", type: "button", on: { click: () => dialog.close() } }, "Cancel"),
      save,
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  try {
    ({ tags } = await getTags(id));
    show();
  } catch (error) {
    fail(error);
  }

  /** The current option of a tag, including unsaved choices. @param {Tag} tag */
  function drawnAs({ tag, curve }) {
    return tagAssignments(tags, chosen)[tag] ?? curve ?? "none";
  }

  function show() {
    const words = filter.value.trim().toLowerCase();
    const found = tags.filter(({ tag }) => tag.toLowerCase().includes(words));
    rows.replaceChildren(...found.slice(0, MAX_ROWS).map(row));
    note.textContent =
      found.length > MAX_ROWS ? `The first ${MAX_ROWS} of ${count(found.length)} tags; filter to see others.` : "";
  }

  /** @param {Tag} tag */
  function row(tag) {
    const now = drawnAs(tag);
    const select = h(
      "select",
      { class: "input", "aria-label": `${tag.tag} is drawn as`, on: { change: () => choose(tag.tag, select.value) } },
      ...CURVES.map(([curve, title]) => h("option", { value: curve, selected: curve === now }, title)),
    );
    return h(
      "tr",
      { class: now === "none" ? "" : "drawn" },
      h("th", { scope: "row" }, h("code", {}, tag.tag)),
      h("td", { class: "number" }, count(tag.values)),
      h("td", { class: "number" }, tag.last === null ? "" : formatNumber(tag.last)),
      h("td", {}, select),
    );
  }

  /** @param {string} tag @param {string} curve */
  function choose(tag, curve) {
    // A curve has at most one tag: the previous one is no longer drawn.
    if (curve !== "own" && curve !== "none")
      for (const [other, of] of chosen) if (of === curve) chosen.set(other, "none");
    chosen.set(tag, curve);
    for (const element of rows.querySelectorAll("select")) {
      const of = tags.find((known) => element.getAttribute("aria-label") === `${known.tag} is drawn as`);
      if (of) element.value = drawnAs(of);
    }
  }

  /** @param {{ [tag: string]: string }} wanted */
  async function send(wanted) {
    save.disabled = true;
    try {
      await assignTags(id, wanted);
      announce("The mapping is saved");
      dialog.close();
      onSaved();
    } catch (error) {
      fail(error);
    }
    save.disabled = false;
  }

  /** @param {unknown} error */
  function fail(error) {
    fault.hidden = false;
    fault.textContent = error instanceof Error ? error.message : String(error);
  }
}
