// What distinguishes the panel of weights from that of activations: names, orders, captions and clicks.

import { count, formatNumber } from "../lib/format.js";
import { CONVOLUTIONS } from "./layer-names.js";
import { hasWindow } from "./window/geometry.js";

/** @import { Layer, Sheet, Tile } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */
/** @import { View } from "./view.js" */

/**
 * The differences between the two panels. `title` and `tile` are what the layer's picture and one of its tiles are
 * called: only convolutions have filters and maps.
 * @typedef {{
 *   title: (layer: Layer | null) => string,
 *   tile: (about: Sheet) => string,
 *   what: "filters" | "features",
 *   has: (layer: Layer) => boolean,
 *   none: string,
 *   sorts: (context: InsideContext, layer: Layer) => [value: string, label: string][],
 *   sort: "sort" | "order",
 *   page: "page" | "mapPage",
 *   tileName: (context: InsideContext, tile: Tile, about: Sheet) => string,
 *   caption: (about: Sheet, layer: Layer, view: Pick<View, "filter">, context?: InsideContext) => string,
 *   pick: (context: InsideContext, tile: Tile, about: Sheet, cell: { y: number, x: number }) => void,
 *   mark: (view: View, about: Sheet) => number | null,
 * }} Kind
 */

/** The classes whose scores a layer gives; null for another layer. @param {InsideContext | undefined} context @param {Layer | null} layer */
function scoredClasses(context, layer) {
  const classes = context?.inside?.classes ?? [];
  return layer?.kind === "linear" && context?.layers.at(-1) === layer && classes.length === layer.shape[0]
    ? classes
    : null;
}

/** What a tile of weights is called. @type {{ [kind: string]: string }} */
const TILES = { kernels: "kernel", neurons: "neuron", heatmap: "block" };

/** @type {Kind} */
export const FILTERS = {
  title: (layer) => (layer && !CONVOLUTIONS.has(layer.kind) ? "Weights" : "Filters"),
  tile: ({ kind }) => TILES[kind] ?? "filter",
  what: "filters",
  has: (layer) => layer.has_filters,
  none: "This layer has no weights, or only one per channel.",
  sort: "sort",
  page: "page",
  sorts: (context) => [
    ["norm", "largest first"],
    ["index", "in order"],
    ...(context.filming ? [] : /** @type {[string, string][]} */ ([["activation", "strongest on the image first"]])),
  ],
  tileName: (context, tile, { kind }) => {
    if (kind === "heatmap") return `weights from ${formatNumber(tile.min)} to ${formatNumber(tile.max)}`;
    const range =
      kind === "norms" ? `weight ${formatNumber(tile.norm)}` : `${formatNumber(tile.min)} to ${formatNumber(tile.max)}`;
    const classes = kind === "neurons" ? scoredClasses(context, context.layer) : null;
    const name = classes ? `class ${classes[tile.index]}` : `${TILES[kind] ?? "filter"} ${tile.index}`;
    return `${name}: ${range}${tile.constant ? ", constant" : ""}`;
  },
  caption: ({ kind, axes }, layer, { filter }, context) => {
    const [outputs, inputs, height, width] = layer.weights ?? [];
    const classes = scoredClasses(context, layer);
    if (kind === "heatmap" && axes) {
      const isWhole = classes !== null && axes.y.to - axes.y.from === classes.length;
      const rows = isWhole
        ? `a row for each class, from “${classes[0]}” at the top to “${classes[classes.length - 1]}” at the bottom`
        : `${span(axes.y, "output", "outputs")} as rows`;
      return `Every weight: ${rows}, ${span(axes.x, "input", "inputs")} as columns. A red weight lets its input add to the ${isWhole ? "score" : "output"}, a blue one take away from it.`;
    }
    if (kind === "neurons")
      return classes
        ? `A tile for each of ${count(outputs)} classes: the weight of each pixel, where it lies in the image. The score of a class grows with images that are bright where its tile is red and dark where it is blue.`
        : `A tile for each of ${count(outputs)} ${outputs === 1 ? "neuron" : "neurons"}: the weight of each pixel, where it lies in the image. A neuron answers to images that are bright where its tile is red and dark where it is blue.`;
    if (kind === "rgb")
      return `${outputs} filters of ${height}×${width} over red, green and blue: a cell mixes its three weights. Grey is 0. Where it is red, the red of the image adds to the output, and where it is cyan, it takes away; so do green and magenta, blue and yellow.`;
    if (kind === "norms")
      return `${outputs} filters of ${height}×${width} over ${inputs} channels: the norm over channels at each position. Click one for its kernels.`;
    if (filter !== null)
      return `The kernels of filter ${filter}: one for each of ${inputs} channels. Blue is below 0, red above.`;
    return `${outputs} kernels of ${height}×${width}. Blue is below 0, red above.`;
  },
  pick: ({ state }, tile, { kind }, cell) => {
    const { filter } = state.now;
    if (kind === "norms") state.set({ filter: tile.index });
    else
      state.set({
        of: filter === null ? "filter" : "kernel",
        tile: tile.index,
        ...(kind === "heatmap" ? { y: cell.y, x: cell.x } : { y: null, x: null }),
      });
  },
  mark: ({ of, tile, filter }, { kind }) => {
    // The film has no kernels, and shows which filter they are of.
    if (filter !== null && kind === "norms") return filter;
    return (of === "filter" || of === "kernel") && kind !== "heatmap" ? tile : null;
  },
};

/** @type {Kind} */
export const FEATURES = {
  title: (layer) =>
    layer?.kind === "input"
      ? "Input"
      : layer && layer.shape.length < 3
        ? // What a fully connected layer gives is not activated yet.
          layer.kind === "activation"
          ? "Activations"
          : "Outputs"
        : "Feature maps",
  tile: () => "map",
  what: "features",
  has: (layer) => layer.has_features,
  none: "Nothing is stored of this layer's activations.",
  sort: "order",
  page: "mapPage",
  sorts: (_, layer) =>
    layer.shape.length === 3 && layer.kind !== "input"
      ? [
          ["mean", "strongest first"],
          ["index", "in order"],
        ]
      : [],
  tileName: (_, tile, { kind }) => {
    if (kind === "vector")
      return `${formatNumber(tile.min)} to ${formatNumber(tile.max)}, mean ${formatNumber(tile.mean)}`;
    if (kind === "picture") return "as the network sees it";
    return `map ${tile.index}: ${formatNumber(tile.min)} to ${formatNumber(tile.max)}, mean ${formatNumber(tile.mean)}${tile.constant ? ", dead" : ""}`;
  },
  caption: ({ kind, map }, layer, _, context) => {
    if (kind === "picture") return "The image at the network's size.";
    if (kind === "vector") {
      const what = scoredClasses(context, layer)
        ? `The scores of ${count(layer.shape[0])} classes, in their order`
        : `What each of ${count(layer.shape[0])} ${layer.kind === "pool" ? "channels" : "neurons"} answers to the image, row by row`;
      // A picture in a report cannot be clicked.
      if (!context) return `${what}.`;
      return `${what}. Click one to ${hasWindow(layer) && !context.filming ? "see how it is computed" : "read it"}.`;
    }
    return `The response of each of ${count(layer.shape[0])} channels to the image. ${map === "diverging" ? "Blue is below 0, red above" : "Bright is strong"}; a cross marks a dead map.`;
  },
  pick: ({ state }, tile, _, cell) => {
    const { now } = state;
    // A click asks where a value comes from; another map may read other channels.
    const input = now.tile === tile.index && now.way === "forward" ? now.input : null;
    state.set({ of: "map", tile: tile.index, y: cell.y, x: cell.x, way: "forward", input });
  },
  mark: ({ of, tile }) => (of === "map" ? tile : null),
};

/** @param {{ from: number, to: number, of: number }} axis @param {string} one @param {string} many */
const span = ({ from, to, of }, one, many) =>
  of === 1 ? `1 ${one}` : to - from === of ? `${count(of)} ${many}` : `${many} ${from} to ${to - 1} of ${count(of)}`;
