// A page of tiles on a canvas, with pointer and arrow-key navigation and a legend.

import { h, s, setText } from "../lib/dom.js";
import { formatNumber } from "../lib/format.js";
import { onTheme } from "../lib/theme.js";
import { inTheme, pictureInTheme } from "./colours.js";
import { cornerOf, pictureLayout, sheetLayout, tileAt } from "./sheet-layout.js";

/** @import { Sheet, Tile } from "../lib/types" */
/** @import { SheetPage } from "./cache.js" */
/** @import { SheetLayout } from "./sheet-layout.js" */

/**
 * @param {{
 *   label: () => string,
 *   tileName: (tile: Tile, about: Sheet) => string,
 *   onPick: (tile: Tile, about: Sheet, cell: { y: number, x: number }) => void,
 * }} options
 */
export function sheetView({ label, tileName, onPick }) {
  const canvas = h("canvas", { class: "sheet-picture", tabindex: 0, role: "img", "aria-label": label() });
  const cursor = h("div", { class: "sheet-cursor", hidden: true });
  const chosen = h("div", { class: "sheet-chosen", hidden: true });
  const frame = h("div", { class: "sheet-frame" }, canvas, chosen, cursor);
  const words = h("output", { class: "sheet-words small" });
  const legend = h("div", { class: "legend-bar" });
  const element = h("div", { class: "sheet" }, frame, h("div", { class: "sheet-foot" }, legend, words));

  /** @type {SheetPage | null} */
  let shown = null;
  /** @type {SheetLayout | null} */
  let layout = null;
  let at = -1;
  /** @type {number | null} */
  let marked = null;

  onTheme(() => {
    if (!shown) return;
    draw(shown);
    tell();
  });
  new ResizeObserver(() => {
    if (shown && element.clientWidth > 0 && element.clientWidth !== drawnFor) draw(shown);
  }).observe(element);
  /** The width that the canvas was drawn for. */
  let drawnFor = 0;

  /** @param {number} place */
  function box(place) {
    if (!layout) return null;
    const { left, top } = cornerOf(layout, place);
    return {
      left: left / layout.width,
      top: top / layout.height,
      width: layout.tile[1] / layout.width,
      height: layout.tile[0] / layout.height,
    };
  }

  /** Draws the tiles over the width that there is, in pixels of the screen. @param {SheetPage} page */
  function draw(page) {
    const { about, places } = page;
    drawnFor = element.clientWidth;
    const { sheet } = about;
    layout = sheetLayout(about, drawnFor || sheet.width);
    const { tile, width, height } = layout;
    const density = devicePixelRatio;
    [canvas.width, canvas.height] = [Math.round(width * density), Math.round(height * density)];
    frame.style.setProperty("width", `${width}px`);
    frame.style.setProperty("aspect-ratio", `${width} / ${height}`);
    const ctx = canvas.getContext("2d");
    if (!ctx) return;
    ctx.imageSmoothingEnabled = false;
    const from = pictureLayout(sheet);
    const picture = pictureInTheme(page);
    about.tiles.forEach((_, place) => {
      const source = cornerOf(from, places?.[place] ?? place);
      const { left, top } = cornerOf(/** @type {SheetLayout} */ (layout), place);
      const [x, y] = [Math.round(left * density), Math.round(top * density)];
      const [right, bottom] = [Math.round((left + tile[1]) * density), Math.round((top + tile[0]) * density)];
      ctx.drawImage(picture, source.left, source.top, from.tile[1], from.tile[0], x, y, right - x, bottom - y);
    });
    crossOutDead(ctx, about, layout, density);
  }

  /** @param {HTMLElement} mark @param {number} place */
  function put(mark, place) {
    const where = place < 0 ? null : box(place);
    mark.hidden = !where;
    if (!where) return;
    for (const [name, share] of Object.entries(where)) mark.style.setProperty(name, `${share * 100}%`);
  }

  /** The tile under a pointer, and its cell. @param {PointerEvent | MouseEvent} event */
  function under(event) {
    if (!shown || !layout) return null;
    const rect = canvas.getBoundingClientRect();
    const found = tileAt(
      layout,
      ((event.clientX - rect.left) / rect.width) * layout.width,
      ((event.clientY - rect.top) / rect.height) * layout.height,
    );
    const { tiles, sheet } = shown.about;
    if (!found || found.place >= tiles.length) return null;
    return {
      place: found.place,
      cell: { y: Math.floor(found.y * sheet.tile_height), x: Math.floor(found.x * sheet.tile_width) },
    };
  }

  /** @param {number} place */
  function walk(place) {
    at = place;
    put(cursor, place);
    tell();
  }

  function tell() {
    if (!shown) return;
    const { about } = shown;
    const tile = about.tiles[at] ?? about.tiles.find(({ index }) => index === marked) ?? about.tiles[0];
    setText(words, tile ? tileName(tile, about) : "");
    showLegend(legend, { ...about, legend: inTheme(about.legend, about.map) }, tile);
  }

  canvas.addEventListener("pointermove", (event) => {
    const found = under(event);
    if ((found?.place ?? -1) !== at) walk(found?.place ?? -1);
  });
  canvas.addEventListener("pointerleave", () => walk(-1));
  canvas.addEventListener("blur", () => walk(-1));
  canvas.addEventListener("click", (event) => {
    const found = under(event);
    if (found && shown) onPick(shown.about.tiles[found.place], shown.about, found.cell);
  });
  canvas.addEventListener("keydown", (event) => {
    if (!shown || !layout) return;
    const { tile_width, tile_height } = shown.about.sheet;
    const { columns } = layout;
    const step = /** @type {{ [key: string]: number }} */ ({
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
    })[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const to = at < 0 ? 0 : at + step;
      if (to >= 0 && to < shown.about.tiles.length) walk(to);
    } else if ((event.key === "Enter" || event.key === " ") && at >= 0) {
      event.preventDefault();
      onPick(shown.about.tiles[at], shown.about, { y: tile_height >> 1, x: tile_width >> 1 });
    }
  });

  return {
    element,
    /** @param {SheetPage} page @param {number | null} [mark] the index of the enlarged tile */
    show(page, mark = null) {
      const { about, picture } = page;
      const isNew = shown?.picture !== picture || String(shown.places) !== String(page.places);
      shown = page;
      marked = mark;
      if (isNew) {
        draw(page);
        if (at >= about.tiles.length) at = -1;
      }
      canvas.setAttribute(
        "aria-label",
        `${label()}, ${about.tiles.length} of ${about.total}. Arrow keys move, Enter opens.`,
      );
      put(chosen, mark === null ? -1 : about.tiles.findIndex(({ index }) => index === mark));
      put(cursor, at);
      tell();
    },
    /** @param {boolean} is */
    waits(is) {
      element.classList.toggle("waits", is);
    },
  };
}

/**
 * Marks constant tiles with a cross: they are dead.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Sheet} about
 * @param {SheetLayout} [layout] where the tiles lie
 * @param {number} [density] pixels of the canvas for one of the layout
 */
export function crossOutDead(ctx, { tiles, sheet }, layout = pictureLayout(sheet), density = 1) {
  const [t, w] = layout.tile.map((side) => side * density);
  tiles.forEach(({ constant }, place) => {
    if (!constant) return;
    const corner = cornerOf(layout, place);
    const [x, y] = [corner.left * density, corner.top * density];
    for (const [colour, thickness] of /** @type {[string, number][]} */ ([
      ["rgb(0 0 0 / 70%)", 3],
      ["rgb(255 255 255 / 85%)", 1],
    ])) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = thickness * density;
      ctx.beginPath();
      const inset = Math.min(w, t) * 0.3;
      ctx.moveTo(x + inset, y + inset);
      ctx.lineTo(x + w - inset, y + t - inset);
      ctx.moveTo(x + w - inset, y + inset);
      ctx.lineTo(x + inset, y + t - inset);
      ctx.stroke();
    }
  });
}

/** The colours of one channel's weights while the others are 0. @type {[name: string, low: string, high: string][]} */
const CHANNELS = [
  ["red", "#008080", "#ff8080"],
  ["green", "#800080", "#80ff80"],
  ["blue", "#808000", "#8080ff"],
];

/** @param {[name: string, low: string, high: string]} channel */
const channelBar = ([name, low, high]) => [
  h("span", { class: "legend-channel" }, name),
  colourBar([low, "#808080", high]),
];

/** @param {string[]} colours */
function colourBar(colours) {
  const bar = h("span", { class: "legend-colours", "aria-hidden": "true" });
  bar.style.setProperty("background", `linear-gradient(to right, ${colours.join(", ")})`);
  return bar;
}

/**
 * Shows the colour map and its range.
 * @param {HTMLElement} place
 * @param {Sheet} about
 * @param {Tile} [tile]
 */
export function showLegend(place, { map, legend, range, kind }, tile) {
  if (kind === "picture") {
    place.replaceChildren();
    return;
  }
  const [lo, hi] = range ? [range.lo, range.hi] : tile ? [tile.min, tile.max] : [0, 0];
  // Zero is in the middle of a diverging map, and of RGB.
  const reach = Math.max(Math.abs(lo), Math.abs(hi));
  const [from, to] = map === "sequential" ? [lo, hi] : [-reach, reach];
  // Where they wrap, a bar stays beside its name.
  const bars =
    map === "rgb"
      ? CHANNELS.map((channel) => h("span", { class: "legend-part" }, ...channelBar(channel)))
      : [colourBar(legend)];
  place.replaceChildren(h("span", {}, formatNumber(from)), ...bars, h("span", {}, formatNumber(to)));
  place.setAttribute(
    "aria-label",
    `Colours from ${formatNumber(from)} to ${formatNumber(to)}${range ? "" : ", of this tile"}`,
  );
  place.title = range ? "" : "Each tile has its own scale; this is the scale of the named tile.";
}

/** A histogram. @param {{ from: number, to: number, counts: number[] }} histogram */
export function histogramPicture({ from, to, counts }) {
  const most = Math.max(...counts, 1);
  const bars = counts.map((count, i) => {
    // Square roots keep the many zeros after a ReLU from flattening the other bars.
    const height = count === 0 ? 0 : Math.max(1, 30 * Math.sqrt(count / most));
    return s("rect", { x: i * 5, y: 30 - height, width: 4, height });
  });
  return h(
    "figure",
    {
      class: "histogram",
      title: `Counts of values from ${formatNumber(from)} to ${formatNumber(to)}; heights are square roots`,
    },
    s(
      "svg",
      {
        viewBox: `0 0 ${counts.length * 5} 30`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": `Histogram of values from ${formatNumber(from)} to ${formatNumber(to)}`,
      },
      ...bars,
    ),
    h("figcaption", {}, h("span", {}, formatNumber(from)), h("span", {}, formatNumber(to))),
  );
}
