// A page of tiles on a canvas, with pointer and arrow-key navigation and a legend.

import { h, s, setText } from "../lib/dom.js";
import { formatNumber } from "../lib/format.js";

/** @import { Sheet, Tile } from "../lib/types" */
/** @import { SheetPage } from "./cache.js" */

/** The width that a page is enlarged to, and how many times at most. */
const WIDTH = 560;
const MAX_SCALE = 3;

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
  let at = -1;
  /** @type {number | null} */
  let marked = null;

  /** @param {number} place */
  function box(place) {
    if (!shown) return null;
    const { columns, tile_width, tile_height, zoom, gap, width, height } = shown.about.sheet;
    const [w, t] = [tile_width * zoom, tile_height * zoom];
    return {
      left: ((place % columns) * (w + gap)) / width,
      top: (Math.floor(place / columns) * (t + gap)) / height,
      width: w / width,
      height: t / height,
    };
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
    if (!shown) return null;
    const { columns, tile_width, tile_height, zoom, gap, width, height } = shown.about.sheet;
    const rect = canvas.getBoundingClientRect();
    const x = ((event.clientX - rect.left) / rect.width) * width;
    const y = ((event.clientY - rect.top) / rect.height) * height;
    const [column, row] = [Math.floor(x / (tile_width * zoom + gap)), Math.floor(y / (tile_height * zoom + gap))];
    const place = row * columns + column;
    if (column < 0 || column >= columns || place < 0 || place >= shown.about.tiles.length) return null;
    const cell = (/** @type {number} */ offset, /** @type {number} */ size) =>
      Math.min(size - 1, Math.max(0, Math.floor(offset / zoom)));
    return {
      place,
      cell: {
        y: cell(y - row * (tile_height * zoom + gap), tile_height),
        x: cell(x - column * (tile_width * zoom + gap), tile_width),
      },
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
    showLegend(legend, about, tile);
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
    if (!shown) return;
    const { columns, tile_width, tile_height } = shown.about.sheet;
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
      const renewed = shown?.picture !== picture;
      shown = page;
      marked = mark;
      if (renewed) {
        const { width, height } = about.sheet;
        if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
        const ctx = canvas.getContext("2d");
        ctx?.clearRect(0, 0, width, height);
        ctx?.drawImage(picture, 0, 0);
        if (ctx) crossOutDead(ctx, about);
        frame.style.setProperty("--natural", String(width));
        frame.style.setProperty("--most", String(Math.min(MAX_SCALE, Math.max(1, WIDTH / width))));
        frame.style.setProperty("aspect-ratio", `${width} / ${height}`);
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
 */
export function crossOutDead(ctx, { tiles, sheet: { columns, tile_width, tile_height, zoom, gap } }) {
  const [w, t] = [tile_width * zoom, tile_height * zoom];
  tiles.forEach(({ constant }, place) => {
    if (!constant) return;
    const [x, y] = [(place % columns) * (w + gap), Math.floor(place / columns) * (t + gap)];
    for (const [colour, thickness] of /** @type {[string, number][]} */ ([
      ["rgb(0 0 0 / 70%)", 3],
      ["rgb(255 255 255 / 85%)", 1],
    ])) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = thickness;
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
  const bar = h("span", { class: "legend-colours", "aria-hidden": "true" });
  bar.style.setProperty("background", `linear-gradient(to right, ${legend.join(", ")})`);
  place.replaceChildren(h("span", {}, formatNumber(from)), bar, h("span", {}, formatNumber(to)));
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
