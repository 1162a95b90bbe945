// The dialogs for names, tags and notes of runs.

import { labelRun } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { attempt } from "../lib/shell.js";

/** @import { Run } from "../lib/types" */

/** Parses comma-separated tags. @param {string} text */
export function tagsOf(text) {
  return [
    ...new Set(
      text
        .split(",")
        .map((tag) => tag.trim())
        .filter(Boolean),
    ),
  ];
}

/**
 * @param {string} title
 * @param {(Node | string)[]} fields
 * @param {string} yes
 * @param {() => Promise<boolean>} save returns whether it succeeded
 * @returns {HTMLDialogElement}
 */
function dialog(title, fields, yes, save) {
  const made = h(
    "dialog",
    { "aria-labelledby": "labels-title", class: "labels-dialog" },
    h(
      "form",
      {
        method: "dialog",
        on: {
          submit: async (/** @type {SubmitEvent} */ event) => {
            event.preventDefault();
            if (await save()) made.close();
          },
        },
      },
      h("h2", { id: "labels-title" }, title),
      ...fields,
      h(
        "div",
        { class: "actions" },
        h("button", { class: "button", type: "button", on: { click: () => made.close() } }, "Cancel"),
        h("button", { class: "button primary", type: "submit" }, yes),
      ),
    ),
  );
  made.addEventListener("close", () => made.remove());
  document.body.append(made);
  made.showModal();
  return made;
}

/** Suggestions of tags that are in use. @param {string[]} known */
function tagOptions(known) {
  return h("datalist", { id: "known-tags" }, ...known.map((tag) => h("option", { value: tag })));
}

/** @param {Run} run @param {string[]} known tags that are in use @param {(run: Run) => void} onRun */
export function editLabels(run, known, onRun) {
  const name = h("input", { class: "input", id: "label-name", maxlength: 200, required: true });
  const tags = h("input", {
    class: "input",
    id: "label-tags",
    list: "known-tags",
    placeholder: "final, course",
    autocomplete: "off",
  });
  const notes = h("textarea", { class: "input", id: "label-notes", rows: 5, placeholder: "Your observations" });
  name.value = run.name;
  tags.value = run.tags.join(", ");
  notes.value = run.notes;
  const fields = [
    h("label", { class: "label", for: "label-name" }, "Name"),
    name,
    h("label", { class: "label", for: "label-tags" }, "Tags, comma-separated"),
    tags,
    tagOptions(known),
    h("label", { class: "label", for: "label-notes" }, "Notes"),
    notes,
  ];
  dialog("Name, tags and notes", fields, "Save", async () => {
    const saved = await attempt(() =>
      labelRun(run.id, { name: name.value, tags: tagsOf(tags.value), notes: notes.value }),
    );
    if (saved) onRun(saved);
    return saved !== undefined;
  });
  name.focus();
}

/**
 * Adds tags to runs and removes tags from them.
 * @param {Run[]} runs
 * @param {string[]} known
 * @param {(run: Run) => void} onRun
 */
export function editTags(runs, known, onRun) {
  const add = h("input", {
    class: "input",
    id: "tags-add",
    list: "known-tags",
    placeholder: "final, course",
    autocomplete: "off",
  });
  const have = [...new Set(runs.flatMap(({ tags }) => tags))].sort();
  const boxes = have.map((tag) => ({ tag, input: h("input", { type: "checkbox", checked: true }) }));
  const fields = [
    h("label", { class: "label", for: "tags-add" }, "Add tags, comma-separated"),
    add,
    tagOptions(known),
    ...(have.length > 0
      ? [
          h("p", { class: "label" }, "Keep"),
          h("div", { class: "tag-boxes" }, ...boxes.map(({ tag, input }) => h("label", {}, input, ` ${tag}`))),
        ]
      : []),
  ];
  dialog(`Tags of ${plural(runs.length, "run")}`, fields, "Save", async () => {
    const gone = new Set(boxes.filter(({ input }) => !input.checked).map(({ tag }) => tag));
    const fresh = tagsOf(add.value);
    const saved = await attempt(() =>
      Promise.all(
        runs.map((run) => {
          const tags = [...new Set([...run.tags.filter((tag) => !gone.has(tag)), ...fresh])];
          return labelRun(run.id, { tags });
        }),
      ),
    );
    saved?.forEach(onRun);
    return saved !== undefined;
  });
  add.focus();
}
