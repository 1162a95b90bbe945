// The strongest values of a layer that has no maps: neurons, or the scores of the classes.

import { h } from "../lib/dom.js";
import { sameDecimals } from "../lib/format.js";
import { numbers } from "./cache.js";
import { hasWindow } from "./window/geometry.js";

/** @import { Layer, TileValues } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

/** Values that are listed. */
const LISTED = 20;

/** The values that are farthest from 0, the farthest first; with `signed`, the greatest first. @param {(number | null)[]} values @param {boolean} signed */
export function strongest(values, signed) {
  const all = values.flatMap((value, index) => (value === null ? [] : [{ index, value }]));
  all.sort(signed ? (a, b) => b.value - a.value : (a, b) => Math.abs(b.value) - Math.abs(a.value));
  return all.slice(0, LISTED);
}

/** @param {InsideContext} context */
export function strongestList(context) {
  const title = h("h3", {});
  const list = h("ol", { class: "class-bars strongest" });
  const element = h("div", { class: "strongest-values", hidden: true }, title, list);

  /** @param {Layer} layer @param {() => boolean} isCurrent */
  async function update(layer, isCurrent) {
    element.hidden = layer.shape.length === 3 || layer.shape[0] < 2;
    if (element.hidden) return;
    const one = context.of();
    const path = `layers/${encodeURIComponent(layer.name)}/values`;
    try {
      /** @type {TileValues} */
      const { values, shape } = await numbers(one.run, path, { of: "feature", index: 0, ...one.query }, one.stamp);
      if (isCurrent()) show(layer, values, shape.at(-1) ?? 1);
    } catch {
      // The panel says why the layer cannot be shown.
      if (isCurrent()) element.hidden = true;
    }
  }

  /** @param {Layer} layer @param {(number | null)[]} values @param {number} width of their picture */
  function show(layer, values, width) {
    const classes = context.inside?.classes ?? [];
    const isScores = context.layers.at(-1) === layer && classes.length === layer.shape[0];
    const found = strongest(values.slice(0, layer.shape[0]), isScores);
    const most = Math.max(...found.map(({ value }) => Math.abs(value)), 1e-30);
    const say = sameDecimals(found.map(({ value }) => value));
    const what = layer.kind === "pool" ? "Channel" : "Neuron";
    const opens = hasWindow(layer) && !context.filming;
    title.textContent = isScores ? "Scores of the classes" : "Strongest values";
    list.replaceChildren(
      ...found.map(({ index, value }) => {
        const name = isScores ? classes[index] : `${what} ${index}`;
        const open = () =>
          context.state.set({ of: "map", tile: 0, y: Math.floor(index / width), x: index % width, way: "forward" });
        return h(
          "li",
          { class: value < 0 ? "below" : "above" },
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
