// The dialog that inserts or changes a figure: kinds, settings, and a preview.

import { h } from "../lib/dom.js";
import { lastImage } from "../lib/last-image.js";
import { writeBlock } from "./block.js";
import { figureField } from "./figure-fields.js";
import { KINDS } from "./figures/index.js";
import { placeFigure } from "./placed-figure.js";

/** @import { Run } from "../lib/types" */
/** @import { Block } from "./block.js" */
/** @import { Kind } from "./figures/index.js" */
/** @import { Sources } from "./sources.js" */

const DRAW_AFTER_MS = 250;

/**
 * Asks the user for a figure; null if cancelled.
 * @param {Sources} sources
 * @param {{ block?: Block, suggestion?: string, uploads?: string[] }} [from] a figure to change, or runs to suggest and
 *   the ids of uploaded images, the newest first
 * @returns {Promise<string | null>} its block
 */
export function promptFigure(sources, { block, suggestion, uploads = [] } = {}) {
  return new Promise((resolve) => {
    /** @type {Map<string, string>} */
    const settings = new Map(block?.settings ?? []);
    let kind = KINDS.find((known) => known.kind === block?.kind) ?? KINDS[0];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let waiting;
    const kinds = h(
      "div",
      { class: "kind-list", role: "radiogroup", "aria-label": "Kind of figure" },
      ...KINDS.map(kindChoice),
    );
    // Where the kinds do not fit beside the fields, they are one field.
    const about = h("small", { class: "muted" });
    const choice = h(
      "select",
      { id: "figure-kind", on: { change: () => choose(KINDS.find((known) => known.kind === choice.value) ?? kind) } },
      ...KINDS.map((one) => h("option", { value: one.kind }, one.title)),
    );
    const narrow = h(
      "div",
      { class: "kind-field figure-fields" },
      h("div", { class: "field" }, h("label", { for: "figure-kind" }, "Kind of figure"), choice, about),
    );
    const form = h("div", { class: "figure-fields" });
    const preview = h("div", { class: "report-document figure-preview" });
    const dialog = h(
      "dialog",
      { class: "figure-dialog", "aria-labelledby": "figure-dialog-title" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "figure-dialog-title" }, block ? "Change the figure" : "Insert a figure"),
        h(
          "div",
          { class: "figure-dialog-columns" },
          kinds,
          narrow,
          h("div", { class: "figure-dialog-side" }, form, preview),
        ),
        h(
          "div",
          { class: "actions" },
          h("button", { class: "button", value: "no", formnovalidate: true }, "Cancel"),
          h("button", { class: "button primary", value: "yes" }, block ? "Change" : "Insert"),
        ),
      ),
    );

    /** @param {Kind} one */
    function choose(one) {
      kind = one;
      showKind();
      fields();
      draw();
    }

    function showKind() {
      choice.value = kind.kind;
      about.textContent = kind.about;
      for (const radio of kinds.querySelectorAll("input")) radio.checked = radio.value === kind.kind;
    }

    /** @param {Kind} one */
    function kindChoice(one) {
      const radio = h("input", {
        type: "radio",
        name: "kind",
        value: one.kind,
        on: { change: () => choose(one) },
      });
      radio.checked = one.kind === kind.kind;
      return h(
        "label",
        { class: "kind-choice" },
        radio,
        h("span", {}, h("b", {}, one.title), h("small", {}, one.about)),
      );
    }

    const text = () =>
      writeBlock({
        kind: kind.kind,
        settings: new Map(
          kind.fields.flatMap(({ name, value }) =>
            settings.has(name) && settings.get(name) !== value ? [[name, settings.get(name) ?? ""]] : [],
          ),
        ),
      });

    function fields() {
      const runs = [...sources.runs.values()].sort((a, b) => b.number - a.number);
      // Kinds have settings of the same name with other options.
      for (const { name, type, options } of kind.fields)
        if (type === "choice" && !options?.some(([value]) => value === settings.get(name))) settings.delete(name);
      // A figure of one run starts with one of the runs chosen for the previous kind.
      for (const { name, type, start } of kind.fields) {
        if (!block && start !== undefined && !settings.has(name)) settings.set(name, start);
        if (type === "runs" && !settings.get(name))
          settings.set(name, settings.get("run") ?? suggestion ?? newestTrained(runs));
        if (type === "run" && !settings.get(name))
          settings.set(name, firstOf(settings.get("runs") ?? suggestion ?? "", runs));
      }
      // A new figure shows the image that was looked at last.
      const run = sources.runs.get(settings.get("run") ?? "");
      if (!block && run && !settings.has("image") && kind.fields.some(({ type }) => type === "image"))
        settings.set("image", lastImage(run, uploads));
      form.replaceChildren(
        ...kind.fields.map((field) => figureField(field, { kind: kind.kind, runs, settings, set, refill: fields })),
      );
    }

    /** @param {string} words @param {Run[]} runs */
    function firstOf(words, runs) {
      try {
        return sources.find(words)[0].id;
      } catch {
        return newestTrained(runs);
      }
    }

    /** @param {string} name @param {string} value */
    function set(name, value) {
      settings.set(name, value);
      clearTimeout(waiting);
      waiting = setTimeout(draw, DRAW_AFTER_MS);
    }

    function draw() {
      clearTimeout(waiting);
      const [, ...lines] = text().split("\n");
      const placed = placeFigure(sources, kind.kind, lines.slice(0, -1).join("\n"));
      placed.count(1);
      placed.draw().then(() => {
        placed.terms(new Set());
        preview.replaceChildren(placed.element);
      });
      if (preview.childElementCount === 0) preview.replaceChildren(placed.element);
    }

    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close("no"));
    dialog.addEventListener("close", () => {
      clearTimeout(waiting);
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? text() : null);
    });
    showKind();
    fields();
    document.body.append(dialog);
    dialog.showModal();
    draw();
    /** @type {HTMLElement | null} */
    const chosen = kinds.querySelector("input:checked");
    // The one that is shown takes the focus.
    for (const place of [choice, chosen]) if (place?.checkVisibility()) place.focus();
  });
}

/** The newest run that has something to show, or the newest one. @param {Run[]} runs the newest first */
export function newestTrained(runs) {
  return (runs.find(({ summary }) => (summary.step ?? 0) > 0) ?? runs[0])?.id ?? "";
}
