// Where the tiles of a page lie on its canvas: as many columns as make tiles that can be recognised, over the whole
// width. No DOM here.

/** @import { Sheet } from "../lib/types" */

/**
 * The places of the tiles: `tile` and `gap` in CSS pixels, `width` and `height` of the whole.
 * @typedef {{ columns: number, tile: [height: number, width: number], gap: number, width: number, height: number }} SheetLayout
 */

/** The width of a tile: neurons and filters of few pixels need less than maps to be recognised, but not little. */
const MIN_TILE = 40;
const MIN_NEURON = 54;
const MAX_TILE = 200;
/** So many columns fit on a phone, however narrow. */
const MIN_COLUMNS = 7;
/** The side of a cell, where a page has one tile: a heat map, a vector, a picture. */
const MAX_CELL = 44;
const MAX_PICTURE = 240;
const MAX_HEIGHT = 640;
/** The least space between two tiles. Those of a few cells would run into each other with that of maps. */
const MAP_GAP = 4;
const GAP = 8;
/** Tiles with at most so many cells a side have cells of whole pixels; else cells of one tile would differ in size. */
const MAX_WHOLE = 16;

/**
 * @param {Pick<Sheet, "kind" | "tiles" | "sheet">} about
 * @param {number} room the width that there is, in CSS pixels
 * @returns {SheetLayout}
 */
export function sheetLayout({ kind, tiles, sheet }, room) {
  const [high, wide] = [sheet.tile_height, sheet.tile_width];
  if (tiles.length <= 1) {
    const most = kind === "picture" ? MAX_PICTURE / wide : Math.min(MAX_CELL, MAX_HEIGHT / high);
    const cell = Math.min(room / wide, most);
    return { columns: 1, tile: [high * cell, wide * cell], gap: 0, width: wide * cell, height: high * cell };
  }
  const isNeurons = kind === "neurons";
  const least = kind === "maps" ? MAP_GAP : GAP;
  const of = (/** @type {number} */ columns) => (room - least * (columns - 1)) / columns;
  let columns = Math.min(sheet.columns, tiles.length);
  while (columns > MIN_COLUMNS && of(columns) < (isNeurons ? MIN_NEURON : MIN_TILE)) columns -= 1;
  while (columns < tiles.length && of(columns) > MAX_TILE) columns += 1;
  let width = Math.min(of(columns), MAX_TILE);
  if (wide <= MAX_WHOLE && width > wide) width = Math.floor(width / wide) * wide;
  // What whole cells leave over widens the gaps, so that the last column ends where the page does.
  const gap = of(columns) > MAX_TILE ? least : (room - width * columns) / (columns - 1);
  const height = (width / wide) * high;
  const rows = Math.ceil(tiles.length / columns);
  return {
    columns,
    tile: [height, width],
    gap,
    width: columns * width + (columns - 1) * gap,
    height: rows * height + (rows - 1) * gap,
  };
}

/** The corner of a tile. @param {SheetLayout} layout @param {number} place */
export function cornerOf({ columns, tile: [height, width], gap }, place) {
  return { left: (place % columns) * (width + gap), top: Math.floor(place / columns) * (height + gap) };
}

/**
 * The tile at a point, and the point within it as shares; null between tiles and outside of them.
 * @param {SheetLayout} layout
 * @param {number} x
 * @param {number} y
 */
export function tileAt({ columns, tile: [height, width], gap }, x, y) {
  const [column, row] = [Math.floor(x / (width + gap)), Math.floor(y / (height + gap))];
  if (column < 0 || column >= columns || row < 0) return null;
  const share = (/** @type {number} */ offset, /** @type {number} */ size) =>
    Math.min(0.999, Math.max(0, offset / size));
  return {
    place: row * columns + column,
    y: share(y - row * (height + gap), height),
    x: share(x - column * (width + gap), width),
  };
}

/** The layout of the server's picture itself, in its pixels. @param {Sheet["sheet"]} sheet @returns {SheetLayout} */
export const pictureLayout = ({ columns, tile_width, tile_height, zoom, gap, width, height }) => ({
  columns,
  tile: [tile_height * zoom, tile_width * zoom],
  gap,
  width,
  height,
});
