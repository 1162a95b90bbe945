// Decodes a decision boundary: a grid of cells with predicted class and confidence.

/** @import { Boundary, LinearWeights } from "../lib/types" */

/**
 * `classes` and `confidence` are row-major from the lower edge. Confidence is from 0 (all classes equally likely) to 1.
 * `leads`, where they are known, has for each class how far its score is above the best other one.
 * `linear`, for a network of one linear layer, are the weights that its straight lines are drawn from.
 * @typedef {{
 *   columns: number,
 *   rows: number,
 *   x: [number, number],
 *   y: [number, number],
 *   classes: Uint8Array,
 *   confidence: Float32Array,
 *   leads?: Float32Array[],
 *   linear?: LinearWeights | null,
 * }} Grid
 */

/** The maximum of the confidence bits. */
const MAX_CONFIDENCE = 31;

/** The rounding error of a confidence. */
export const CONFIDENCE_ERROR = 0.5 / MAX_CONFIDENCE;

/** @param {Boundary} boundary @returns {Grid} */
export function decodeBoundary({ columns, rows, x, y, cells, linear }) {
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
    linear,
  };
}

/**
 * The confidence with a sign: above 0 inside the region of a class, below 0 outside.
 * @param {Grid} grid
 * @param {number} of
 */
export function signedConfidence({ classes, confidence }, of) {
  // Half a rounding step is added, so that no cell is exactly 0.
  return Float32Array.from(classes, (found, i) => (found === of ? 1 : -1) * (confidence[i] + CONFIDENCE_ERROR));
}
