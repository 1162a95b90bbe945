// The boundary of a linear network: straight lines, computed from its weights.

/** @import { LinearWeights } from "../lib/types" */
/** @import { Grid } from "./grid.js" */
/** @import { Domain } from "./toy2d.js" */

/** The part of a line on which two classes share the highest score. @typedef {{ from: [number, number], to: [number, number] }} Segment */

/** Cells along each side of a grid. */
const CELLS = 64;

/**
 * The scores of the classes as functions of the raw coordinates: the factors of x and y, and a constant. A single row is
 * the score of the second of two classes; the first scores 0.
 * @param {LinearWeights} linear
 * @returns {[number, number, number][]}
 */
export function scoreFunctions({ rows, mean, deviation }) {
  const functions = rows.map(([wx, wy, bias]) => {
    const [a, b] = [wx / deviation[0], wy / deviation[1]];
    return /** @type {[number, number, number]} */ ([a, b, bias - a * mean[0] - b * mean[1]]);
  });
  return functions.length === 1 ? [[0, 0, 0], ...functions] : functions;
}

/**
 * The boundary within a domain: for each pair of classes the part of the line between them where no other class scores
 * more. Two classes whose weights are the same have no line between them.
 * @param {LinearWeights} linear
 * @param {Domain} domain
 * @returns {Segment[]}
 */
export function boundaryLines(linear, { x, y }) {
  const scores = scoreFunctions(linear);
  const edges = /** @type {[number, number, number][]} */ ([
    [1, 0, -x[0]],
    [-1, 0, x[1]],
    [0, 1, -y[0]],
    [0, -1, y[1]],
  ]);
  return scores.flatMap((first, i) =>
    scores.slice(i + 1).flatMap((second, offset) => {
      const others = scores
        .filter((_, k) => k !== i && k !== i + 1 + offset)
        .map((other) => /** @type {[number, number, number]} */ (first.map((value, k) => value - other[k])));
      const line = first.map((value, k) => value - second[k]);
      return clip(/** @type {[number, number, number]} */ (line), [...edges, ...others]) ?? [];
    }),
  );
}

/**
 * The part of the line a·x + b·y + c = 0 where all `limits`, of the same form, are at least 0.
 * @param {[number, number, number]} line
 * @param {[number, number, number][]} limits
 * @returns {Segment | null}
 */
function clip([a, b, c], limits) {
  const length = Math.hypot(a, b);
  if (length === 0) return null;
  const [nx, ny] = [a / length, b / length];
  // The point of the line closest to the origin, and the direction along the line.
  const [px, py] = [(-c / length) * nx, (-c / length) * ny];
  let [from, to] = [-Infinity, Infinity];
  for (const [la, lb, lc] of limits) {
    const start = la * px + lb * py + lc;
    const slope = lb * nx - la * ny;
    if (slope === 0) {
      if (start < 0) return null;
    } else if (slope > 0) from = Math.max(from, -start / slope);
    else to = Math.min(to, -start / slope);
  }
  if (!(from < to)) return null;
  const at = (/** @type {number} */ t) => /** @type {[number, number]} */ ([px - t * ny, py + t * nx]);
  return { from: at(from), to: at(to) };
}

/**
 * The regions of the classes: in each cell the class that scores most, and its lead over the second, relative to the
 * largest lead.
 * @param {LinearWeights} linear
 * @param {Domain} domain
 * @returns {Grid}
 */
export function gridOf(linear, { x, y }) {
  const scores = scoreFunctions(linear);
  const classes = new Uint8Array(CELLS * CELLS);
  const confidence = new Float32Array(CELLS * CELLS);
  const middle = (/** @type {[number, number]} */ [low, high], /** @type {number} */ i) =>
    low + ((high - low) * (i + 0.5)) / CELLS;
  for (let row = 0; row < CELLS; row += 1) {
    for (let column = 0; column < CELLS; column += 1) {
      const [px, py] = [middle(x, column), middle(y, row)];
      let [best, lead, first] = [0, -Infinity, -Infinity];
      scores.forEach(([a, b, c], of) => {
        const score = a * px + b * py + c;
        if (score > first) [best, lead, first] = [of, score - first, score];
        else lead = Math.min(lead, first - score);
      });
      classes[row * CELLS + column] = best;
      confidence[row * CELLS + column] = lead;
    }
  }
  const most = confidence.reduce((most, lead) => Math.max(most, lead), 0);
  return {
    columns: CELLS,
    rows: CELLS,
    x,
    y,
    classes,
    confidence: confidence.map((lead) => (most > 0 ? lead / most : 0)),
    linear,
  };
}
