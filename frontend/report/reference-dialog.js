// The dialog that refers to a figure or table of the report.

import { h } from "../lib/dom.js";

/** @import { PlacedFigure } from "./placed-figure.js" */

/**
 * Asks the user for one of the figures; null if cancelled.
 * @template {{ placed: PlacedFigure }} T
 * @param {T[]} figures
 * @returns {Promise<T | null>}
 */
export function promptReference(figures) {
  return new Promise((resolve) => {
    const list = h(
      "div",
      { class: "reference-list" },
      ...figures.map((figure, i) =>
        h(
          "button",
          { class: "reference-choice", value: `figure ${i}` },
          h("b", {}, figure.placed.label),
          h("span", {}, figure.placed.words() || "could not be drawn"),
        ),
      ),
    );
    const dialog = h(
      "dialog",
      { class: "number-dialog", "aria-labelledby": "reference-title" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "reference-title" }, "Refer to a figure or table"),
        h(
          "p",
          { class: "muted" },
          figures.length > 0
            ? "The text says its number, also after others are inserted before it."
            : "The report has no figures and tables yet.",
        ),
        list,
        h("div", { class: "actions" }, h("button", { class: "button", value: "no" }, "Cancel")),
      ),
    );
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close("no"));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(figures[Number(dialog.returnValue.replace("figure ", "") || -1)] ?? null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
