// Links from a layer to those before and after it in the network.

import { h } from "../../lib/dom.js";
import { kindOf, labelOf, middleOf } from "../layer-names.js";

/** @import { Layer } from "../../lib/types" */
/** @import { ViewState } from "../view.js" */

/** Layers that keep each value where it is: their neighbours are shown instead. */
const KEEP_PLACE = new Set(["batch_norm", "activation", "dropout"]);

/**
 * The layers whose outputs a layer reads, past those that keep each value in its place.
 * @param {Layer[]} layers @param {Layer} layer @returns {{ layer: Layer, through: Layer[] }[]}
 */
export function before(layers, layer) {
  return layer.inputs.flatMap((name) => {
    const through = [];
    let at = layers.find((of) => of.name === name);
    while (at && KEEP_PLACE.has(at.kind)) {
      through.unshift(at);
      const [input] = at.inputs;
      at = layers.find((of) => of.name === input);
    }
    return at ? [{ layer: at, through }] : [];
  });
}

/**
 * The layers that read a layer's output, past those that keep each value in its place.
 * @param {Layer[]} layers @param {Layer} layer @returns {{ layer: Layer, through: Layer[] }[]}
 */
export function after(layers, layer) {
  const readers = layers.filter(({ inputs }) => inputs.includes(layer.name));
  return readers.flatMap((reader) => {
    if (!KEEP_PLACE.has(reader.kind)) return [{ layer: reader, through: [] }];
    return after(layers, reader).map((found) => ({ ...found, through: [reader, ...found.through] }));
  });
}

/**
 * Buttons that go to the layers before and after.
 * @param {Layer[]} layers
 * @param {Layer} layer
 * @param {ViewState} state
 * @param {{ channel: number, y: number, x: number }} source what is read there
 */
export function neighbourLinks(layers, layer, state, source) {
  const button = (
    /** @type {{ layer: Layer, through: Layer[] }} */ { layer: to, through },
    /** @type {string} */ sign,
    /** @type {() => void} */ go,
  ) => {
    const kinds = [...new Set(through.map(kindOf))];
    const past = kinds.length > 0 ? ` through ${kinds.join(" and ")}` : "";
    return h(
      "button",
      { class: "button small", type: "button", title: `${to.name}, ${kindOf(to)}${past}`, on: { click: go } },
      sign === "←" ? "← " : "",
      h("span", {}, `${labelOf(layers, to)}${past}`),
      sign === "→" ? " →" : "",
    );
  };
  const earlier = before(layers, layer).map((found) =>
    button(found, "←", () => {
      const [channels, height, width] = found.layer.shape.length === 3 ? found.layer.shape : [1, 1, 1];
      state.set({
        layer: found.layer.name,
        of: "map",
        tile: found.layer.kind === "input" ? 0 : Math.min(source.channel, channels - 1),
        y: Math.min(height - 1, Math.max(0, source.y)),
        x: Math.min(width - 1, Math.max(0, source.x)),
      });
    }),
  );
  const later = after(layers, layer).map((found) =>
    button(found, "→", () => state.set({ layer: found.layer.name, of: "map", tile: 0, ...middleOf(found.layer) })),
  );
  return h(
    "nav",
    { class: "neighbours", "aria-label": "Layers before and after" },
    h("div", {}, h("span", { class: "small muted" }, "Reads"), ...earlier),
    h(
      "div",
      {},
      h("span", { class: "small muted" }, later.length > 0 ? "Is read by" : "Its values are the scores of the classes"),
      ...later,
    ),
  );
}
