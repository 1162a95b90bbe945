// A decision boundary as it comes: a grid of cells, each a class and how sure the network is.

/** @import { Boundary } from "../lib/types" */

/**
 * `classes` and `confidence` row by row from the lower edge; confidence 0 to 1, where 0 means that no class is more
 * likely than another.
 * @typedef {{
 *   columns: number,
 *   rows: number,
 *   x: [number, number],
 *   y: [number, number],
 *   classes: Uint8Array,
 *   confidence: Float32Array,
 * }} Grid
 */

/** The most that a byte's confidence can be. */
const MAX_CONFIDENCE = 31;

/** By how much a confidence may be off, because it comes rounded. */
export const CONFIDENCE_ERROR = 0.5 / MAX_CONFIDENCE;

/** @param {Boundary} boundary @returns {Grid} */
export function decodeBoundary({ columns, rows, x, y, cells }) {
  const bytes = Uint8Array.from(atob(cells), (char) => char.charCodeAt(0));
  if (bytes.length !== columns * rows)
    throw new Error(`a boundary of ${columns} × ${rows} cells came with ${bytes.length}`);
  return {
    columns,
    rows,
    x,
    y,
    classes: bytes.map((byte) => byte >> 5),
    confidence: Float32Array.from(bytes, (byte) => (byte & MAX_CONFIDENCE) / MAX_CONFIDENCE),
  };
}

/**
 * How much a cell speaks for a class: above 0 inside its region, below 0 outside.
 * @param {Grid} grid
 * @param {number} of
 */
export function signedConfidence({ classes, confidence }, of) {
  // Half a step of confidence, so that no cell stands exactly on the line.
  return Float32Array.from(classes, (found, i) => (found === of ? 1 : -1) * (confidence[i] + CONFIDENCE_ERROR));
}
