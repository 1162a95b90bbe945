// The strongest values of a layer that has no maps: neurons, or the scores of the classes.

import { h } from "../lib/dom.js";
import { sameDecimals } from "../lib/format.js";
import { onTheme } from "../lib/theme.js";
import { numbers, sheetPage } from "./cache.js";
import { pictureInTheme } from "./colours.js";
import { isIn } from "./film-keeps.js";
import { cornerOf, pictureLayout } from "./sheet-layout.js";
import { hasWindow } from "./window/geometry.js";

/** @import { Layer, TileValues } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */
/** @import { SheetPage } from "./cache.js" */

/** Values that are listed. */
const LISTED = 20;

/** The values that are farthest from 0, the farthest first; with `signed`, the greatest first. @param {(number | null)[]} values @param {boolean} signed */
export function strongest(values, signed) {
  const all = values.flatMap((value, index) => (value === null ? [] : [{ index, value }]));
  all.sort(signed ? (a, b) => b.value - a.value : (a, b) => Math.abs(b.value) - Math.abs(a.value));
  return all.slice(0, LISTED);
}

/**
 * The layer whose weights make a layer's values: the layer itself, or the fully connected one before an activation.
 * @param {Layer[]} layers
 * @param {Layer} layer
 */
export function weightsOf(layers, layer) {
  let of = /** @type {Layer | undefined} */ (layer);
  while (of && of.kind !== "linear") {
    if (!["activation", "dropout"].includes(of.kind)) return null;
    const [input] = of.inputs;
    of = layers.find(({ name }) => name === input);
  }
  return of ?? null;
}

/** @param {InsideContext} context */
export function strongestList(context) {
  const title = h("h3", {});
  const hint = h(
    "p",
    { class: "muted small" },
    "Beside each neuron are its weights: it answers to images that are bright where they are red and dark where they are blue.",
  );
  const list = h("ol", { class: "class-bars strongest" });
  /** Shows the same, in another theme. */
  let again = () => {};
  onTheme(() => again());
  const element = h("div", { class: "strongest-values", hidden: true }, title, hint, list);

  /** @param {Layer} layer @param {() => boolean} isCurrent */
  async function update(layer, isCurrent) {
    element.hidden = layer.shape.length === 3 || layer.shape[0] < 2;
    if (element.hidden) return;
    const one = context.of();
    const path = `layers/${encodeURIComponent(layer.name)}/values`;
    try {
      /** @type {TileValues} */
      const { values, shape } = await numbers(one.run, path, { of: "feature", index: 0, ...one.query }, one.stamp);
      const weights = await pictureOfWeights(layer).catch(() => null);
      if (!isCurrent()) return;
      again = () => show(layer, values, shape.at(-1) ?? 1, weights);
      again();
    } catch {
      // The panel says why the layer cannot be shown.
      if (isCurrent()) element.hidden = true;
    }
  }

  /** The weights of all neurons, where they can be seen as images. @param {Layer} layer @returns {Promise<SheetPage | null>} */
  async function pictureOfWeights(layer) {
    const of = weightsOf(context.layers, layer);
    if (!of?.has_filters) return null;
    if (context.filming && !(await isIn(context, context.checkpoint, of, "filters"))) return null;
    const { run, query, stamp } = context.of();
    const asked = { scale: "layer", sort: "index", ...query };
    const page = await sheetPage(run, `layers/${encodeURIComponent(of.name)}/filters`, asked, stamp);
    return page.about.kind === "neurons" && page.about.pages === 1 ? page : null;
  }

  /**
   * @param {Layer} layer
   * @param {(number | null)[]} values
   * @param {number} width of their picture
   * @param {SheetPage | null} weights
   */
  function show(layer, values, width, weights) {
    const classes = context.inside?.classes ?? [];
    const isScores = context.layers.at(-1) === layer && classes.length === layer.shape[0];
    const found = strongest(values.slice(0, layer.shape[0]), isScores);
    const most = Math.max(...found.map(({ value }) => Math.abs(value)), 1e-30);
    const say = sameDecimals(found.map(({ value }) => value));
    const what = layer.kind === "pool" ? "Channel" : "Neuron";
    const opens = hasWindow(layer) && !context.filming;
    hint.hidden = weights === null;
    list.classList.toggle("with-weights", weights !== null);
    title.textContent = isScores ? "Scores of the classes" : "Strongest values";
    list.replaceChildren(
      ...found.map(({ index, value }) => {
        const name = isScores ? classes[index] : `${what} ${index}`;
        const open = () =>
          context.state.set({ of: "map", tile: 0, y: Math.floor(index / width), x: index % width, way: "forward" });
        return h(
          "li",
          { class: value < 0 ? "below" : "above" },
          weights && weightsTile(weights, index),
          opens
            ? h(
                "button",
                { class: "name", type: "button", title: `How ${name} is computed`, on: { click: open } },
                name,
              )
            : h("span", { class: "name", title: name }, name),
          h("i", { vars: { share: Math.abs(value) / most } }),
          h("span", { class: "value" }, say(value)),
        );
      }),
    );
  }

  return { element, update };
}

/** The weights of one neuron. @param {SheetPage} page @param {number} index */
function weightsTile(page, index) {
  const { sheet } = page.about;
  const { tile_width, tile_height } = sheet;
  const canvas = h("canvas", { width: tile_width, height: tile_height, "aria-hidden": "true" });
  const layout = pictureLayout(sheet);
  const { left, top } = cornerOf(layout, index);
  const ctx = canvas.getContext("2d");
  if (ctx) ctx.imageSmoothingEnabled = false;
  ctx?.drawImage(pictureInTheme(page), left, top, layout.tile[1], layout.tile[0], 0, 0, tile_width, tile_height);
  return canvas;
}
