// Which pages of tiles a panel shows: of one moment, of two side by side, or of what changed between them.

import { numbers, sheetPage } from "./cache.js";
import { isIn, keptIn } from "./film-keeps.js";
import { arranged, byValue } from "./tile-order.js";
import { isFrame } from "./view.js";

/** @import { Layer, TileValues } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */
/** @import { Query, SheetPage } from "./cache.js" */
/** @import { Kind } from "./panel-kinds.js" */

const NOT_KEPT = "The film keeps nothing of this layer. The best and the last checkpoint have it.";
const KEPT_IN_PART =
  "The film keeps only a part of this layer, so nothing can be subtracted from a checkpoint. Two frames of the film can be compared, and the best and the last checkpoint.";

/** @param {InsideContext} context @param {Kind} kind */
export function panelPages(context, kind) {
  const { state } = context;
  /** The order of the tiles that was shown last. @type {{ key: string, indices: number[] }} */
  let order = { key: "", indices: [] };

  /** Whether there is no change to show: the activations of the film are of its own image. */
  const isUncomparable = () =>
    kind.what === "features" && context.since !== null && isFrame(context.since) !== context.filming;

  /** The moment since which this panel shows the changes. */
  const sinceOf = () => (isUncomparable() ? null : context.since);

  /** @param {Layer} layer @returns {[value: string, label: string][]} */
  const sortsOf = (layer) =>
    sinceOf() === null
      ? kind.sorts(context, layer)
      : [
          ["norm", "most changed first"],
          ["index", "in order"],
        ];

  /** The chosen order, where the layer has it. @param {Layer} layer @returns {string | null} */
  function sortOf(layer) {
    const own = /** @type {any} */ (state.now)[kind.sort];
    return sortsOf(layer).some(([value]) => value === own) ? own : null;
  }

  /** Whether the tiles are ordered here: the server orders filters by the maps that they make, but no neurons. @param {Layer} layer */
  const isOrderedHere = (layer) =>
    kind.what === "filters" && layer.kind === "linear" && sortOf(layer) === "activation" && !context.beside;

  /** @param {Layer} layer @returns {{ what: string, query: Query }} */
  function asked(layer) {
    const { now } = state;
    /** @type {Query} */
    const query = {
      scale: context.scale === "tile" ? null : context.scale,
      page: /** @type {any} */ (now)[kind.page] || null,
      sort: isOrderedHere(layer) ? "index" : sortOf(layer),
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
    if (context.filming && !(await isIn(context, context.checkpoint, layer, kind.what))) throw new Error(NOT_KEPT);
    if (!beside || isUncomparable()) {
      const page = await sheetPage(one.run, what, { ...query, ...one.query }, one.stamp);
      return [await inOrder(layer, page)];
    }
    const since = sinceOf();
    if (since !== null) {
      const then = context.of(since);
      if (isFrame(since) && !context.filming && (await keptIn(context, since, layer, kind.what)) !== "all")
        throw new Error(KEPT_IN_PART);
      const change = {
        ...query,
        ...one.query,
        scale: query.scale === "network" ? "layer" : query.scale,
        v: null,
        minus: since,
      };
      return [await sheetPage(one.run, what, change, `${one.stamp} ${then.stamp}`)];
    }
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

  /** Neurons by what they answer to the image; in the film, tiles in the places that they had. @param {Layer} layer @param {SheetPage} page */
  async function inOrder(layer, page) {
    const key = JSON.stringify([layer.name, /** @type {any} */ (state.now)[kind.sort], page.about.page]);
    if (isOrderedHere(layer) && page.about.pages === 1) {
      const one = context.of();
      const path = `layers/${encodeURIComponent(layer.name)}/values`;
      /** @type {TileValues} */
      const { values } = await numbers(one.run, path, { of: "feature", index: 0, ...one.query }, one.stamp);
      const shown = arranged(page, byValue(values.slice(0, layer.shape[0])));
      return kept({ ...shown, about: { ...shown.about, sort: "activation" } });
    }
    return kept(context.filming && key === order.key ? arranged(page, order.indices) : page);

    /** @param {SheetPage} shown */
    function kept(shown) {
      order = { key, indices: shown.about.tiles.map(({ index }) => index) };
      return shown;
    }
  }

  return { isUncomparable, sortsOf, pagesOf };
}
