// The trash dialog: recently deleted runs, to restore or to delete permanently.

import { listTrash, deletePermanently, restoreRun } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { ago } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt } from "../lib/shell.js";

/** @import { Deleted } from "../lib/types" */

export async function openTrash() {
  const runs = await attempt(listTrash);
  if (!runs) return;
  const list = h("ul", { class: "trash-list" });
  const none = h("p", { class: "muted" }, "The trash is empty.");
  const dialog = h(
    "dialog",
    { "aria-labelledby": "trash-title", class: "trash-dialog" },
    h("h2", { id: "trash-title" }, "Deleted runs"),
    h("p", { class: "muted small" }, "A deleted run is kept for seven days."),
    list,
    none,
    h(
      "div",
      { class: "actions" },
      h("button", { class: "button", type: "button", autofocus: true, on: { click: () => dialog.close() } }, "Close"),
    ),
  );
  list.append(...runs.map(item));
  showNone();
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();

  /** @param {Deleted} run */
  function item(run) {
    /** @param {() => Promise<unknown>} action */
    const act = async (action) => {
      if ((await attempt(action)) === undefined) return;
      row.remove();
      showNone();
    };
    const row = h(
      "li",
      {},
      h(
        "div",
        {},
        h("span", { class: "trash-name", title: run.name }, run.name),
        h("small", { class: "muted" }, `deleted ${ago(run.deleted, Date.now())}`),
      ),
      h(
        "button",
        {
          class: "button small",
          type: "button",
          "aria-label": `Restore ${run.name}`,
          on: { click: () => act(() => restoreRun(run.id)) },
        },
        icon("reset", 14),
        "Restore",
      ),
      h(
        "button",
        {
          class: "button quiet icon small",
          type: "button",
          title: "Delete permanently",
          "aria-label": `Delete ${run.name} permanently`,
          on: { click: () => act(() => deletePermanently(run.id)) },
        },
        icon("cross", 14),
      ),
    );
    return row;
  }

  function showNone() {
    none.hidden = list.children.length > 0;
  }
}
