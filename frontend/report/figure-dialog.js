// The dialog that inserts or changes a figure: kinds, settings, and a preview.

import { listImages, inspect, uploadImage } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { ago, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt } from "../lib/shell.js";
import { writeBlock } from "./block.js";
import { KINDS } from "./figures/index.js";
import { placeFigure } from "./report-view.js";

/** @import { Inside, Run } from "../lib/types" */
/** @import { Block } from "./block.js" */
/** @import { Field, Kind } from "./figures/index.js" */
/** @import { Sources } from "./sources.js" */

const DRAW_AFTER_MS = 250;
const TYPES = "image/png,image/jpeg,image/webp,image/gif,image/bmp,image/tiff";

/**
 * Asks the user for a figure; null if cancelled.
 * @param {Sources} sources
 * @param {{ block?: Block, suggestion?: string }} [from] a figure to change, or runs to suggest
 * @returns {Promise<string | null>} its block
 */
export function promptFigure(sources, { block, suggestion } = {}) {
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
    const form = h("div", { class: "figure-fields" });
    const preview = h("div", { class: "report-document figure-preview" });
    const dialog = h(
      "dialog",
      { class: "figure-dialog", "aria-labelledby": "figure-dialog-title" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "figure-dialog-title" }, block ? "Change the figure" : "Insert a figure"),
        h("div", { class: "figure-dialog-columns" }, kinds, h("div", { class: "figure-dialog-side" }, form, preview)),
        h(
          "div",
          { class: "actions" },
          h("button", { class: "button", value: "no", formnovalidate: true }, "Cancel"),
          h("button", { class: "button primary", value: "yes" }, block ? "Change" : "Insert"),
        ),
      ),
    );

    /** @param {Kind} one */
    function kindChoice(one) {
      const radio = h("input", {
        type: "radio",
        name: "kind",
        value: one.kind,
        on: {
          change: () => {
            kind = one;
            fields();
            draw();
          },
        },
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
      // A figure of one run starts with one of the runs chosen for the previous kind.
      for (const { name, type } of kind.fields) {
        if (type === "runs" && !settings.get(name))
          settings.set(name, settings.get("run") ?? suggestion ?? firstChoice(runs));
        if (type === "run" && !settings.get(name))
          settings.set(name, firstOf(settings.get("runs") ?? suggestion ?? "", runs));
      }
      form.replaceChildren(...kind.fields.map((field) => control(field, runs)));
    }

    /** @param {string} words @param {Run[]} runs */
    function firstOf(words, runs) {
      try {
        return sources.find(words)[0].id;
      } catch {
        return runs[0]?.id ?? "";
      }
    }

    /** @param {string} name @param {string} value */
    function set(name, value) {
      settings.set(name, value);
      clearTimeout(waiting);
      waiting = setTimeout(draw, DRAW_AFTER_MS);
    }

    /** @param {Field} field @param {Run[]} runs @returns {HTMLElement} */
    function control(field, runs) {
      const { name, label, type, value = "", help } = field;
      const now = settings.get(name) ?? value;
      const id = `figure-${name}`;
      const labelled = (/** @type {HTMLElement} */ input, /** @type {HTMLElement[]} */ ...more) =>
        h(
          "div",
          { class: "field" },
          h("label", { for: id }, label),
          input,
          ...more,
          help ? h("small", { class: "muted" }, help) : "",
        );
      const choose = (/** @type {[string, string][]} */ options) => {
        const select = h(
          "select",
          {
            id,
            on: {
              change: () => {
                set(name, select.value);
                if (type === "run") fields();
              },
            },
          },
          ...options.map(([of, words]) => h("option", { value: of }, words)),
        );
        // A written value that is not an option is kept.
        if (now && !options.some(([of]) => of === now)) select.append(h("option", { value: now }, now));
        select.value = now;
        return select;
      };
      if (type === "choice") return labelled(choose(field.options ?? []));
      if (type === "run") return labelled(choose(runs.map((run) => [run.id, run.name])));
      if (type === "runs") return runsControl(field, runs, labelled, id);
      if (type === "layer") {
        const select = choose([
          ["first convolution", "First convolution"],
          ["last convolution", "Last convolution"],
        ]);
        const run = settings.get("run");
        if (run) {
          inspect(run, "layers", {}).then(
            (/** @type {Inside} */ { layers }) => {
              const wanted = layers.filter((layer) =>
                kind.kind === "features" ? layer.has_features : layer.has_filters,
              );
              for (const layer of wanted)
                if (layer.name !== now) select.append(h("option", { value: layer.name }, layer.name));
            },
            // The error shows in place of the figure.
            () => {},
          );
        }
        return labelled(select);
      }
      if (type === "image") {
        const select = choose([["pinned", "The image pinned for the film"]]);
        const file = h("input", {
          type: "file",
          accept: TYPES,
          hidden: true,
          on: { change: () => file.files?.[0] && send(file.files[0]) },
        });
        const send = (/** @type {File} */ picked) =>
          attempt(async () => {
            const made = await uploadImage(picked, { onProgress: () => {}, signal: new AbortController().signal });
            select.append(h("option", { value: made.id }, picked.name));
            select.value = made.id;
            set(name, made.id);
          });
        listImages().then(
          (images) => {
            for (const image of images)
              if (image.id !== now)
                select.append(
                  h(
                    "option",
                    { value: image.id },
                    `Uploaded ${image.created ? ago(image.created, Date.now()) : ""}, ${image.width}×${image.height}`,
                  ),
                );
            for (const option of select.options)
              if (option.value === now && now !== "pinned") option.textContent = "The uploaded one";
          },
          () => {},
        );
        return labelled(
          h(
            "div",
            { class: "image-field" },
            select,
            h(
              "button",
              { class: "button small", type: "button", on: { click: () => file.click() } },
              icon("plus", 14),
              "Upload",
            ),
            file,
          ),
        );
      }
      const input = h("input", {
        id,
        type: type === "number" ? "number" : "text",
        min: field.min,
        max: field.max,
        step: type === "number" ? "any" : undefined,
        value: now,
        on: { input: () => set(name, input.value.trim()) },
      });
      return labelled(input);
    }

    /**
     * The control to choose runs: by sweep or tag, which includes later runs, or one by one.
     * @param {Field} field
     * @param {Run[]} runs
     * @param {(input: HTMLElement, ...more: HTMLElement[]) => HTMLElement} labelled
     * @param {string} id
     */
    function runsControl({ name }, runs, labelled, id) {
      const now = settings.get(name) ?? "";
      const groups = groupsOf(runs);
      const known = groups.some(([of]) => of === now);
      const chosen = new Set(known ? [] : now.split(/[\s,]+/).filter(Boolean));
      const select = h(
        "select",
        { id, on: { change: change } },
        ...groups.map(([of, words]) => h("option", { value: of }, words)),
        h("option", { value: "" }, "Runs chosen here"),
      );
      select.value = known ? now : "";
      const search = h("input", {
        type: "search",
        placeholder: "Search runs",
        "aria-label": "Search runs",
        on: { input: find },
      });
      const pick = (/** @type {Run} */ run, /** @type {boolean} */ is) => {
        for (const beginning of [...chosen]) if (run.id.startsWith(beginning)) chosen.delete(beginning);
        if (is) chosen.add(run.id);
      };
      const isChosen = (/** @type {Run} */ run) => [...chosen].some((beginning) => run.id.startsWith(beginning));
      // Chosen runs come first, since they may be old.
      const inOrder = [...runs].sort((a, b) => Number(isChosen(b)) - Number(isChosen(a)));
      const list = h(
        "div",
        { class: "run-choices", role: "group", "aria-label": "Runs" },
        ...inOrder.map((run) => {
          const box = h("input", {
            type: "checkbox",
            value: run.id,
            on: {
              change: () => {
                pick(run, box.checked);
                set(name, [...chosen].join(", "));
              },
            },
          });
          box.checked = isChosen(run);
          return h("label", {}, box, h("span", {}, run.name));
        }),
      );
      const own = h("div", { class: "run-picker" }, search, list);
      own.hidden = known;
      function change() {
        own.hidden = select.value !== "";
        set(name, select.value === "" ? [...chosen].join(", ") : select.value);
      }
      function find() {
        const word = search.value.toLowerCase();
        for (const row of list.children) {
          const element = /** @type {HTMLElement} */ (row);
          element.hidden = !(row.textContent ?? "").toLowerCase().includes(word);
        }
      }
      return labelled(select, own);
    }

    function draw() {
      clearTimeout(waiting);
      const [, ...lines] = text().split("\n");
      const placed = placeFigure(sources, kind.kind, lines.slice(0, -1).join("\n"));
      placed.count(1);
      placed.draw().then(() => preview.replaceChildren(placed.element));
      if (preview.childElementCount === 0) preview.replaceChildren(placed.element);
    }

    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close("no"));
    dialog.addEventListener("close", () => {
      clearTimeout(waiting);
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? text() : null);
    });
    fields();
    document.body.append(dialog);
    dialog.showModal();
    draw();
    /** @type {HTMLElement | null} */ (dialog.querySelector("input:checked"))?.focus();
  });
}

/** Sweeps and tags as a report names them, the newest first. @param {Run[]} runs @returns {[string, string][]} */
function groupsOf(runs) {
  /** @type {Map<string, Run[]>} */
  const groups = new Map();
  const add = (/** @type {string} */ key, /** @type {Run} */ run) => groups.set(key, [...(groups.get(key) ?? []), run]);
  for (const run of runs) {
    if (run.sweep) add(`sweep ${run.sweep}`, run);
    for (const tag of run.tags) add(`tag ${tag}`, run);
  }
  return [...groups].map(([key, of]) => [
    key,
    key.startsWith("tag ")
      ? `Tagged “${key.slice(4)}”, ${plural(of.length, "run")}`
      : `Sweep “${of[0].name.split(" · ")[0]}”, ${plural(of.length, "run")}, ${ago(of[0].created, Date.now())}`,
  ]);
}

/** The default runs of a new figure: the newest sweep, or the newest run. @param {Run[]} runs */
function firstChoice(runs) {
  return groupsOf(runs)[0]?.[0] ?? runs[0]?.id ?? "";
}
