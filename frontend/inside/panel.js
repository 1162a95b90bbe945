// The panel of the chosen layer's filters or feature maps: a page of tiles with its tools, and a second page with the
// same scale when comparing.

import { pictureUrl } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { count, formatNumber, percent } from "../lib/format.js";
import { histogramPicture, sheetView } from "./sheet.js";
import { sheetPage } from "./cache.js";
import { sizes } from "./network.js";

/** @import { Layer, Sheet, Tile } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */
/** @import { Query, SheetPage } from "./cache.js" */
/** @import { View } from "./view.js" */

/** A loading state shows only after this time. */
const PATIENCE_MS = 120;

/**
 * The differences between the two panels.
 * @typedef {{
 *   title: string,
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

/** @type {Kind} */
export const FILTERS = {
  title: "Filters",
  what: "filters",
  has: (layer) => layer.has_filters,
  none: "This layer has no filters: it has no weights, or only one per channel.",
  sort: "sort",
  page: "page",
  sorts: (context) => [
    ["norm", "largest first"],
    ["index", "in order"],
    ...(context.filming ? [] : /** @type {[string, string][]} */ ([["activation", "by activation on the image"]])),
  ],
  tileName: (tile, { kind }) => {
    if (kind === "heatmap") return `weights from ${formatNumber(tile.min)} to ${formatNumber(tile.max)}`;
    const range =
      kind === "norms" ? `weight ${formatNumber(tile.norm)}` : `${formatNumber(tile.min)} to ${formatNumber(tile.max)}`;
    return `${kind === "kernels" ? "kernel" : "filter"} ${tile.index}: ${range}${tile.constant ? ", constant" : ""}`;
  },
  caption: ({ kind, axes }, layer, { filter }) => {
    const [outputs, inputs, height, width] = layer.weights ?? [];
    if (kind === "heatmap" && axes)
      return `Every weight: ${span(axes.y, "output", "outputs")} by ${span(axes.x, "input", "inputs")}. Blue is below 0, red above.`;
    if (kind === "neurons")
      return "The weights of a neuron, where its inputs lie in the image. Blue is below 0, red above.";
    if (kind === "rgb") return `${outputs} filters of ${height}×${width} over red, green and blue. Grey is 0.`;
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
  title: "Feature maps",
  what: "features",
  has: (layer) => layer.has_features,
  none: "No feature maps are stored for this layer.",
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

/** @param {InsideContext} context */
export const filtersPanel = (context) => panel(context, FILTERS);

/** @param {InsideContext} context */
export const featuresPanel = (context) => panel(context, FEATURES);

/** @param {InsideContext} context @param {Kind} kind */
function panel(context, kind) {
  const { state } = context;
  const view = (/** @type {string} */ label) =>
    sheetView({ label, tileName: kind.tileName, onPick: (tile, about, cell) => kind.pick(context, tile, about, cell) });
  const [first, second] = [view(kind.title), view(`${kind.title}, compared`)];
  const names = [h("p", { class: "beside-name", hidden: true }), h("p", { class: "beside-name", hidden: true })];
  const apart = h("p", { class: "notice warn small", role: "status", hidden: true });
  const caption = h("p", { class: "muted small" });
  const sort = h("select", {
    class: "select",
    "aria-label": `Order of ${kind.title.toLowerCase()}`,
    on: { change: () => state.set({ [kind.sort]: sort.value }) },
  });
  const back = h(
    "button",
    {
      class: "button small",
      type: "button",
      hidden: true,
      on: { click: () => state.set({ filter: null, of: null, tile: null }) },
    },
    "‹ All filters",
  );
  const shown = h("span");
  const turn = (/** @type {number} */ by) => () =>
    state.set({ [kind.page]: /** @type {any} */ (state.now)[kind.page] + by });
  const previous = h(
    "button",
    {
      class: "button icon small",
      type: "button",
      "aria-label": "Previous page",
      title: "Previous page",
      on: { click: turn(-1) },
    },
    h("span", { class: "flip" }, "‹"),
  );
  const next = h(
    "button",
    {
      class: "button icon small",
      type: "button",
      "aria-label": "Next page",
      title: "Next page",
      on: { click: turn(1) },
    },
    "›",
  );
  const pages = h("div", { class: "pages" }, shown, previous, next);
  const stats = h("div", { class: "panel-stats", hidden: true });
  const refused = h("p", { class: "refused", role: "status", hidden: true });
  const tools = h("div", { class: "panel-tools" }, h("div", {}, back, sort), pages);
  const body = h(
    "div",
    { class: "card-body" },
    caption,
    tools,
    apart,
    names[0],
    first.element,
    names[1],
    second.element,
    stats,
    refused,
  );
  const element = h(
    "section",
    { class: `card panel panel-${kind.what}`, "aria-label": kind.title },
    h("header", { class: "card-head" }, h("h2", {}, kind.title)),
    body,
  );

  let turnNumber = 0;

  /** @param {Layer} layer @returns {{ what: string, query: Query }} */
  function asked(layer) {
    const { now } = state;
    const own = /** @type {any} */ (now)[kind.sort];
    const allowed = kind.sorts(context, layer).map(([value]) => value);
    const chosen = allowed.includes(own) ? own : null;
    /** @type {Query} */
    const query = {
      scale: now.scale === "tile" ? null : now.scale,
      page: /** @type {any} */ (now)[kind.page] || null,
      sort: chosen,
    };
    if (kind.what === "filters" && !context.filming) query.filter = now.filter;
    return { what: `layers/${encodeURIComponent(layer.name)}/${kind.what}`, query };
  }

  /**
   * Fetches one page, or two pages of the same tiles with a common range.
   * @param {Layer} layer
   * @returns {Promise<SheetPage[]>}
   */
  async function pagesOf(layer) {
    const { what, query } = asked(layer);
    const one = context.of();
    const { beside } = context;
    if (!beside) return [await sheetPage(one.run, what, { ...query, ...one.query }, one.stamp)];
    const two = context.of(beside.checkpoint, beside.run);
    // Both pages keep the layer's order, so that the same tiles are in the same places.
    const same = { ...query, sort: "index", scale: query.scale ?? "layer" };
    const both = await Promise.all([one, two].map((of) => sheetPage(of.run, what, { ...same, ...of.query }, of.stamp)));
    const ranges = both.map(({ about }) => about.range);
    if (ranges.some((range) => !range)) return both;
    const low = Math.min(...ranges.map((range) => range?.lo ?? 0));
    const high = Math.max(...ranges.map((range) => range?.hi ?? 0));
    return Promise.all(
      [one, two].map((of) => sheetPage(of.run, what, { ...same, ...of.query, range: `${low},${high}` }, of.stamp)),
    );
  }

  async function update() {
    const layer = context.layer;
    const turn = ++turnNumber;
    if (!layer || !context.inside) return;
    const has = kind.has(layer);
    if (!has) {
      refuse(kind.none);
      return;
    }
    const slow = setTimeout(() => {
      if (turn !== turnNumber) return;
      first.waits(true);
      second.waits(true);
    }, PATIENCE_MS);
    try {
      const found = await pagesOf(layer);
      if (turn !== turnNumber) return;
      show(layer, found);
    } catch (error) {
      if (turn === turnNumber) refuse(error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(slow);
      if (turn === turnNumber) {
        first.waits(false);
        second.waits(false);
        element.dataset.settled = String(turn);
      }
    }
  }

  /** @param {string} words */
  function refuse(words) {
    refused.hidden = false;
    setText(refused, words);
    for (const part of [caption, tools, apart, stats, first.element, second.element, ...names]) part.hidden = true;
  }

  /** @param {Layer} layer @param {SheetPage[]} found */
  function show(layer, found) {
    const { now } = state;
    const { about } = found[0];
    refused.hidden = true;
    caption.hidden = tools.hidden = false;
    setText(caption, `${kind.caption(about, layer, now)}${about.reduced ? ` ${filmText(about.reduced, about)}` : ""}`);
    first.element.hidden = false;
    first.show(found[0], kind.mark(now, about));
    second.element.hidden = found.length < 2;
    if (found[1]) second.show(found[1], kind.mark(now, found[1].about));
    const { beside } = context;
    names.forEach((name, i) => (name.hidden = !beside || !found[i]));
    apart.hidden = true;
    if (beside) {
      const moments = [{ checkpoint: context.checkpoint, run: context.run.id }, beside];
      const pictures = moments.map(({ checkpoint, run }) => context.pictured(checkpoint, run));
      const ofImage = kind.what === "features";
      moments.forEach(({ checkpoint, run }, i) =>
        names[i].replaceChildren(context.words(checkpoint, run), ...(ofImage ? imageName(run, pictures[i]) : [])),
      );
      apart.hidden = !ofImage || pictures[0].key === pictures[1].key;
      setText(
        apart,
        `These pages show two images, ${pictures[0].words} and ${pictures[1].words}, so they differ by more than training.`,
      );
    } else if (kind.what === "features") {
      const pictured = context.otherImage();
      apart.hidden = !pictured;
      if (pictured)
        setText(
          apart,
          `This frame shows ${pictured.words}, which was pinned at the time, not the image that is pinned now.`,
        );
    }
    back.hidden = kind.what !== "filters" || now.filter === null || context.filming;
    const sorts = kind.sorts(context, layer);
    sort.hidden = sorts.length === 0 || found.length > 1 || about.kind === "heatmap" || about.kind === "neurons";
    sort.replaceChildren(
      ...sorts.map(([value, label]) => h("option", { value, selected: value === about.sort }, label)),
    );
    sort.value = about.sort;
    pages.hidden = about.total <= 1;
    const start = about.page * about.per_page;
    const end = Math.min(about.total, start + about.tiles.length);
    setText(
      shown,
      about.pages > 1 ? `${count(start + 1)}–${count(end)} of ${count(about.total)}` : `all ${count(about.total)}`,
    );
    previous.hidden = next.hidden = about.pages <= 1;
    previous.disabled = about.page === 0;
    next.disabled = about.page >= about.pages - 1;
    const { statistics } = about;
    stats.hidden = !statistics || kind.what !== "features";
    if (statistics) {
      const dead =
        layer.shape.length === 3 && layer.kind !== "input"
          ? imagePair("dead maps", percent(statistics.dead_share))
          : null;
      stats.replaceChildren(
        h(
          "dl",
          { class: "facts" },
          imagePair("shape", sizes(layer.shape)),
          imagePair("mean", formatNumber(statistics.mean)),
          imagePair("standard deviation", formatNumber(statistics.std)),
          dead,
        ),
        histogramPicture(statistics.histogram),
      );
    }
  }

  return { element, update };
}

/**
 * The name of the maps' image, with a thumbnail if it still exists.
 * @param {string} run
 * @param {import("./image-ref.js").ImageRef} pictured
 */
function imageName(run, { image, words }) {
  const picture =
    image === null
      ? ""
      : h("img", {
          src: pictureUrl(run, `images/${encodeURIComponent(image)}.png`, { size: 64 }),
          alt: "",
          width: 24,
          height: 24,
        });
  return [picture, h("span", {}, words)];
}

/** @param {string} name @param {string} value */
const imagePair = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

/**
 * Says what a film frame leaves out.
 * @param {{ total: number, tile: number[] }} reduced the layer's number of maps, and their size
 * @param {Sheet} about
 */
function filmText({ total, tile }, { total: kept, sheet: { tile_width, tile_height } }) {
  const small =
    tile[0] === tile_height && tile[1] === tile_width ? "" : ` at ${tile_height}×${tile_width} of ${sizes(tile)}`;
  return `The film keeps ${kept === total ? "them" : `${count(kept)} of ${count(total)}`}${small}.`;
}
