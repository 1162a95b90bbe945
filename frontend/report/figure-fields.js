// The controls for a figure's settings.

import { getSamples, inspect, listImages, pictureUrl, uploadImage } from "../lib/api.js";
import { thumbnail } from "../inside/thumbnail.js";
import { h } from "../lib/dom.js";
import { ago } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt } from "../lib/shell.js";
import { runName } from "../lib/run-name.js";
import { listOf } from "./figures/members.js";
import { runsField } from "./runs-field.js";

/** @import { Inside, Run } from "../lib/types" */
/** @import { Field } from "./figures/index.js" */

/**
 * What a control knows of its dialog: `set` keeps a value; `refill` makes the controls anew, after another run was
 * chosen.
 * @typedef {{
 *   kind: string,
 *   runs: Run[],
 *   settings: Map<string, string>,
 *   set: (name: string, value: string) => void,
 *   refill: () => void,
 * }} Context
 */

const TYPES = "image/png,image/jpeg,image/webp,image/gif,image/bmp,image/tiff";
/** Figures that are computed from weights, which the film has none of. */
const NEED_WEIGHTS = new Set(["arithmetic", "mistakes"]);
/** Samples to choose from. */
const SAMPLES = 12;

/** @param {Field} field @param {Context} context @returns {HTMLElement} */
export function figureField(field, context) {
  const { name, label, type, help } = field;
  const id = `figure-${name}`;
  const now = context.settings.get(name) ?? field.value ?? "";
  const set = (/** @type {string} */ value) => context.set(name, value);
  if (type === "several") return severalField(field, now, set);
  const labelled = (/** @type {HTMLElement[]} */ ...inputs) =>
    h(
      "div",
      { class: "field" },
      h("label", { for: id }, label),
      ...inputs,
      help ? h("small", { class: "muted" }, help) : "",
    );
  const choose = (/** @type {[string, string][]} */ options) =>
    chooser(id, now, options, (value) => {
      set(value);
      if (type === "run") context.refill();
    });
  switch (type) {
    case "choice":
      return labelled(choose(field.options ?? []));
    case "run":
      return labelled(choose(context.runs.map((run) => [run.id, runName(run)])));
    case "runs":
      return labelled(...runsField(id, now, context.runs, set));
    case "layer":
      return labelled(layerSelect(choose, context, now));
    case "checkpoint":
      return labelled(checkpointSelect(choose, context, now));
    case "image":
      return labelled(...imageField(choose, context, now, set));
    default: {
      const input = h("input", {
        id,
        type: type === "number" ? "number" : "text",
        min: field.min,
        max: field.max,
        step: type === "number" ? "any" : undefined,
        value: now,
        on: { input: () => set(input.value.trim()) },
      });
      return labelled(input);
    }
  }
}

/** @param {string} id @param {string} now @param {[string, string][]} options @param {(value: string) => void} onChange */
function chooser(id, now, options, onChange) {
  const select = h(
    "select",
    { id, on: { change: () => onChange(select.value) } },
    ...options.map(([of, words]) => h("option", { value: of }, words)),
  );
  // A written value that is not an option is kept.
  if (now && !options.some(([of]) => of === now)) select.append(h("option", { value: now }, now));
  select.value = now;
  return select;
}

/** Any of some options. @param {Field} field @param {string} now @param {(value: string) => void} set */
function severalField({ name, label, options = [], help }, now, set) {
  const chosen = new Set(listOf(now));
  const boxes = options.map(([value, words]) => {
    const box = h("input", {
      type: "checkbox",
      value,
      on: {
        change: () => {
          if (box.checked) chosen.add(value);
          else chosen.delete(value);
          set(
            options
              .map(([of]) => of)
              .filter((of) => chosen.has(of))
              .join(", "),
          );
        },
      },
    });
    box.checked = chosen.has(value);
    return h("label", {}, box, h("span", {}, words));
  });
  return h(
    "fieldset",
    { class: "field several", id: `figure-${name}` },
    h("legend", {}, label),
    ...boxes,
    help ? h("small", { class: "muted" }, help) : "",
  );
}

/** @typedef {(options: [string, string][]) => HTMLSelectElement} Choose */

/** What the network of the chosen run has inside; null if that cannot be said. @param {Context} context @returns {Promise<Inside | null>} */
async function insideOf({ settings }) {
  const run = settings.get("run");
  // The error shows in place of the figure.
  return run ? inspect(run, "layers", {}).catch(() => null) : null;
}

/** @param {Choose} choose @param {Context} context @param {string} now */
function layerSelect(choose, context, now) {
  const select = choose([
    ["first convolution", "First convolution"],
    ["last convolution", "Last convolution"],
  ]);
  insideOf(context).then((inside) => {
    for (const layer of inside?.layers ?? []) {
      const fits = context.kind === "features" ? layer.has_features : layer.has_filters;
      if (fits && layer.name !== now) select.append(h("option", { value: layer.name }, layer.name));
    }
  });
  return select;
}

/** The best and the last weights, and the epochs of the film. @param {Choose} choose @param {Context} context @param {string} now */
function checkpointSelect(choose, context, now) {
  const select = choose([
    ["best", "Best epoch"],
    ["last", "Last epoch"],
  ]);
  insideOf(context).then((inside) => {
    for (const { name, epoch } of inside?.checkpoints ?? []) {
      const option = [...select.options].find(({ value }) => value === name);
      if (option && epoch !== null) option.textContent = `${name === "best" ? "Best" : "Last"} epoch, ${epoch}`;
    }
    for (const epoch of NEED_WEIGHTS.has(context.kind) ? [] : (inside?.film ?? [])) {
      const words = epoch === 0 ? "Film, before training" : `Film, epoch ${epoch}`;
      const known = [...select.options].find(({ value }) => value === String(epoch));
      if (known) known.textContent = words;
      else select.append(h("option", { value: String(epoch) }, words));
    }
    select.value = context.settings.get("checkpoint") ?? now;
  });
  return select;
}

/**
 * The pinned image, uploaded ones, and samples of the test split.
 * @param {Choose} choose
 * @param {Context} context
 * @param {string} now
 * @param {(value: string) => void} set
 * @returns {HTMLElement[]}
 */
function imageField(choose, context, now, set) {
  const select = choose([["pinned", "The image pinned for the film"]]);
  const thumbs = h("div", { class: "thumbs", role: "group", "aria-label": "Samples of the test split" });
  const show = () => {
    for (const thumb of thumbs.children)
      thumb.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (thumb).dataset.image === select.value));
  };
  const use = (/** @type {string} */ image, /** @type {string} */ words) => {
    if (![...select.options].some(({ value }) => value === image)) select.append(h("option", { value: image }, words));
    select.value = image;
    set(image);
    show();
  };
  select.addEventListener("change", show);
  const file = h("input", {
    type: "file",
    accept: TYPES,
    hidden: true,
    on: { change: () => file.files?.[0] && send(file.files[0]) },
  });
  const send = (/** @type {File} */ picked) =>
    attempt(async () => {
      const made = await uploadImage(picked, { onProgress: () => {}, signal: new AbortController().signal });
      use(made.id, picked.name);
    });
  for (const option of select.options)
    if (option.value === now && now !== "pinned")
      option.textContent = /:\d+$/.test(now) ? `Sample ${now.replace(":", " ")}` : "The uploaded one";
  listImages().then(
    (images) => {
      for (const { id, created, width, height } of images)
        if (id !== now)
          select.append(
            h("option", { value: id }, `Uploaded ${created ? ago(created, Date.now()) : ""}, ${width}×${height}`),
          );
    },
    () => {},
  );
  const run = context.settings.get("run");
  if (run)
    getSamples(run, { split: "test" }).then(
      ({ samples }) => {
        thumbs.replaceChildren(
          ...samples.slice(0, SAMPLES).map(({ id }) => {
            const words = `Sample ${id.replace(":", " ")}`;
            const thumb = thumbnail({
              src: pictureUrl(run, `images/${id}.png`, { size: 64 }),
              title: words,
              pressed: id === select.value,
              onClick: () => use(id, words),
            });
            thumb.dataset.image = id;
            return thumb;
          }),
        );
      },
      () => {},
    );
  return [
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
    thumbs,
  ];
}
