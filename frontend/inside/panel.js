// The panel of the chosen layer's filters or feature maps: a page of tiles with its tools, and a second page with the
// same scale when comparing.

import { pictureUrl } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { count, formatNumber, percent } from "../lib/format.js";
import { histogramPicture, sheetView } from "./sheet.js";
import { changeFacts, changeText } from "./change.js";
import { sizes } from "./layer-names.js";
import { FEATURES, FILTERS } from "./panel-kinds.js";
import { panelPages } from "./panel-pages.js";
import { strongestList } from "./strongest.js";
import { trainingNote } from "./training-note.js";

/** @import { Layer, Sheet, Tile } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */
/** @import { SheetPage } from "./cache.js" */
/** @import { Kind } from "./panel-kinds.js" */

/** A loading state shows only after this time. */
const PATIENCE_MS = 120;

/** @param {InsideContext} context @param {() => void} onOpen a tile opened the close-up */
export const filtersPanel = (context, onOpen) => panel(context, FILTERS, onOpen);

/** @param {InsideContext} context @param {() => void} onOpen a tile opened the close-up */
export const featuresPanel = (context, onOpen) => panel(context, FEATURES, onOpen);

/** @param {InsideContext} context @param {Kind} kind @param {() => void} onOpen */
function panel(context, kind, onOpen) {
  const { state } = context;
  const view = (/** @type {string} */ label) =>
    sheetView({
      label: () => `${kind.title(context.layer)}${label}`,
      tileName: (tile, about) => (about.change ? changedTile(tile, about) : kind.tileName(context, tile, about)),
      onPick: (tile, about, cell) => {
        if (about.change) return;
        const wasClosed = state.now.tile === null;
        kind.pick(context, tile, about, cell);
        if (wasClosed && state.now.tile !== null) onOpen();
      },
    });
  const [first, second] = [view(""), view(", compared")];
  const changedTile = (/** @type {Tile} */ tile, /** @type {Sheet} */ about) => {
    const many = about.kind !== "heatmap" && about.kind !== "vector";
    return `${many ? `${kind.tile(about)} ${tile.index}: ` : ""}changed by ${formatNumber(tile.min)} to ${formatNumber(tile.max)}`;
  };
  const names = [h("p", { class: "beside-name", hidden: true }), h("p", { class: "beside-name", hidden: true })];
  const apart = h("p", { class: "notice warn small", role: "status", hidden: true });
  const caption = h("p", { class: "muted small" });
  const sort = h("select", {
    class: "select",
    "aria-label": `Order of ${kind.title(null).toLowerCase()}`,
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
  const strong = kind.what === "features" ? strongestList(context) : null;
  const note = kind.what === "filters" ? trainingNote(context) : null;
  const tools = h("div", { class: "panel-tools" }, h("div", {}, back, sort), pages);
  const body = h(
    "div",
    { class: "card-body" },
    caption,
    note?.element,
    tools,
    apart,
    names[0],
    first.element,
    names[1],
    second.element,
    stats,
    strong?.element,
    refused,
  );
  const title = h("h2", {}, kind.title(null));
  const element = h(
    "section",
    { class: `card panel panel-${kind.what}`, "aria-label": kind.title(null) },
    h("header", { class: "card-head" }, title),
    body,
  );

  const { isUncomparable, sortsOf, pagesOf } = panelPages(context, kind);
  let turnNumber = 0;

  async function update() {
    const layer = context.layer;
    const turn = ++turnNumber;
    if (!layer || !context.inside) return;
    setText(title, kind.title(layer));
    element.setAttribute("aria-label", kind.title(layer));
    sort.setAttribute("aria-label", `Order of ${kind.title(layer).toLowerCase()}`);
    const has = kind.has(layer);
    element.classList.toggle("has-none", !has);
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
      strong?.update(layer, () => turn === turnNumber);
      note?.update(layer, found[0].about, () => turn === turnNumber);
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
    for (const part of [note, strong]) if (part) part.element.hidden = true;
    for (const part of [caption, tools, apart, stats, first.element, second.element, ...names]) part.hidden = true;
  }

  /** @param {Layer} layer @param {SheetPage[]} found */
  function show(layer, found) {
    const { now } = state;
    const { about } = found[0];
    refused.hidden = true;
    caption.hidden = false;
    setText(
      caption,
      `${about.change ? changeText(context, about) : kind.caption(about, layer, now, context)}${about.reduced ? ` ${filmText(about.reduced, about)}` : ""}`,
    );
    first.element.hidden = false;
    first.show(found[0], kind.mark(now, about));
    second.element.hidden = found.length < 2;
    if (found[1]) second.show(found[1], kind.mark(now, found[1].about));
    const beside = isUncomparable() ? null : context.beside;
    element.classList.toggle("shows-change", Boolean(about.change));
    names.forEach((name, i) => (name.hidden = !beside || !found[i]));
    apart.hidden = true;
    apart.classList.toggle("warn", !isUncomparable());
    if (isUncomparable()) {
      apart.hidden = false;
      setText(
        apart,
        "These are the values themselves. The film's are of its own image, so a change is shown between two of its frames, or between the best and the last checkpoint.",
      );
    } else if (about.change) {
      for (const name of names) name.hidden = true;
    } else if (beside) {
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
    // Neurons can only be ordered here where all of them are.
    const isWhole = about.pages === 1 || layer.kind !== "linear";
    const sorts = sortsOf(layer).filter(([value]) => value !== "activation" || isWhole);
    const sortable = about.kind !== "vector" && about.kind !== "heatmap" && about.total > 1;
    sort.hidden = sorts.length === 0 || found.length > 1 || !sortable;
    sort.replaceChildren(
      ...sorts.map(([value, label]) => h("option", { value, selected: value === about.sort }, label)),
    );
    sort.value = about.sort;
    pages.hidden = about.total <= 1;
    tools.hidden = sort.hidden && back.hidden && pages.hidden;
    const start = about.page * about.per_page;
    const end = Math.min(about.total, start + about.tiles.length);
    setText(
      shown,
      about.pages > 1 ? `${count(start + 1)}–${count(end)} of ${count(about.total)}` : `All ${count(about.total)}`,
    );
    previous.hidden = next.hidden = about.pages <= 1;
    previous.disabled = about.page === 0;
    next.disabled = about.page >= about.pages - 1;
    const { statistics } = about;
    stats.hidden = !about.change && (!statistics || kind.what !== "features");
    if (about.change) stats.replaceChildren(h("dl", { class: "facts" }, ...changeFacts(about.change)));
    else if (statistics) {
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
