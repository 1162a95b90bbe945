// What distinguishes the panel of weights from that of activations: names, orders, captions and clicks.

import { count, formatNumber } from "../lib/format.js";
import { CONVOLUTIONS } from "./layer-names.js";

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
 *   tileName: (tile: Tile, about: Sheet) => string,
 *   caption: (about: Sheet, layer: Layer, view: View) => string,
 *   pick: (context: InsideContext, tile: Tile, about: Sheet, cell: { y: number, x: number }) => void,
 *   mark: (view: View, about: Sheet) => number | null,
 * }} Kind
 */

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
  tileName: (tile, { kind }) => {
    if (kind === "heatmap") return `weights from ${formatNumber(tile.min)} to ${formatNumber(tile.max)}`;
    const range =
      kind === "norms" ? `weight ${formatNumber(tile.norm)}` : `${formatNumber(tile.min)} to ${formatNumber(tile.max)}`;
    return `${TILES[kind] ?? "filter"} ${tile.index}: ${range}${tile.constant ? ", constant" : ""}`;
  },
  caption: ({ kind, axes }, layer, { filter }) => {
    const [outputs, inputs, height, width] = layer.weights ?? [];
    if (kind === "heatmap" && axes)
      return `Every weight: ${span(axes.y, "output", "outputs")} as rows, ${span(axes.x, "input", "inputs")} as columns. A red weight lets its input add to the output, a blue one take away from it.`;
    if (kind === "neurons")
      return `A tile for each of ${count(outputs)} ${outputs === 1 ? "neuron" : "neurons"}: the weight of each pixel, where it lies in the image. A neuron answers to images that are bright where its tile is red and dark where it is blue.`;
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
  mark: ({ of, tile }, { kind }) => ((of === "filter" || of === "kernel") && kind !== "heatmap" ? tile : null),
};

/** @type {Kind} */
export const FEATURES = {
  title: (layer) =>
    layer?.kind === "input" ? "Input" : layer && layer.shape.length < 3 ? "Activations" : "Feature maps",
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
  tileName: (tile, { kind }) => {
    if (kind === "vector")
      return `${formatNumber(tile.min)} to ${formatNumber(tile.max)}, mean ${formatNumber(tile.mean)}`;
    if (kind === "picture") return "as the network sees it";
    return `map ${tile.index}: ${formatNumber(tile.min)} to ${formatNumber(tile.max)}, mean ${formatNumber(tile.mean)}${tile.constant ? ", dead" : ""}`;
  },
  caption: ({ kind, map }, layer) => {
    if (kind === "picture") return "The image at the network's size.";
    if (kind === "vector") return `${count(layer.shape[0])} values, row by row. Click one to read it.`;
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
