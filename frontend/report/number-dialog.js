// The dialog that inserts a number of a run into the text.

import { h, setText } from "../lib/dom.js";
import { runName } from "../lib/run-name.js";
import { NUMBERS, resolveNumber } from "./numbers.js";

/** @import { Sources } from "./sources.js" */

/**
 * Asks the user for a number; null if cancelled.
 * @param {Sources} sources
 * @param {string} [suggestion] runs as a report names them
 * @returns {Promise<string | null>} its source text
 */
export function promptNumber(sources, suggestion) {
  return new Promise((resolve) => {
    const runs = [...sources.runs.values()].sort((a, b) => b.number - a.number);
    const run = h(
      "select",
      { id: "number-run", on: { change: show } },
      ...runs.map((run) => h("option", { value: run.id }, runName(run))),
    );
    const which = h(
      "select",
      { id: "number-name", on: { change: show } },
      ...Object.entries(NUMBERS).map(([name, { title }]) => h("option", { value: name }, title)),
    );
    const said = h("output", { class: "number-said" });
    const yes = h("button", { class: "button primary", value: "yes" }, "Insert");
    const dialog = h(
      "dialog",
      { class: "number-dialog", "aria-labelledby": "number-title" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "number-title" }, "Insert a number"),
        h("p", { class: "muted" }, "It is taken from the run and updated with it."),
        h("div", { class: "field" }, h("label", { for: "number-run" }, "Run"), run),
        h("div", { class: "field" }, h("label", { for: "number-name" }, "Number"), which),
        said,
        h("div", { class: "actions" }, h("button", { class: "button", value: "no" }, "Cancel"), yes),
      ),
    );
    try {
      if (suggestion) run.value = sources.find(suggestion)[0].id;
    } catch {
      // The suggested runs have been deleted.
    }
    function show() {
      try {
        setText(said, resolveNumber(`${run.value} ${which.value}`, sources).text);
        yes.disabled = false;
      } catch (error) {
        setText(said, error instanceof Error ? error.message : String(error));
        yes.disabled = true;
      }
    }
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close("no"));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? `{{${run.value} ${which.value}}}` : null);
    });
    document.body.append(dialog);
    dialog.showModal();
    show();
  });
}
