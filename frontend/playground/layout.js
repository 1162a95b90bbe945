// Where the neurons and the links of the network's figure lie. No DOM here; lengths are CSS pixels.

/** @import { Layer } from "./network.js" */
/** @import { Neuron } from "./maps.js" */

/** The side of a neuron, and the least distance between the left edges of two columns. */
const SIDE = { wide: 46, narrow: 32 };
const MIN_PITCH = 74;
const WIDE_PITCH = 104;
const GAP = 10;
/** Above the neurons, for the buttons of each layer; below them, for the bars. */
export const HEAD = 58;
export const FOOT = 46;
/** The rows that there is always room for, so that the page moves seldom; fewer on a phone. */
const MIN_ROWS = { wide: 6, narrow: 4 };
const PHONE = 420;
/** The half width of a column's head, for which there is room at both ends. */
const MARGIN = 40;
/** How near a link the pointer must be. */
const REACH = 7;

/** @typedef {{ widths: number[], side: number, width: number, height: number, left: number[], top: number[][] }} Layout */

/** In place of a neuron of the column before, for the bias. */
export const BIAS = -1;

/** A weight: that of the link from a neuron of the column before; or the bias. @typedef {Neuron & { from: number }} Link */

/** @param {number[]} widths of all columns @param {number} room @returns {Layout} */
export function layoutOf(widths, room) {
  const gaps = widths.length - 1;
  const pitch = Math.max(MIN_PITCH, (room - 2 * MARGIN) / gaps);
  const side = pitch < WIDE_PITCH ? SIDE.narrow : SIDE.wide;
  const rows = Math.max(room < PHONE ? MIN_ROWS.narrow : MIN_ROWS.wide, ...widths);
  const body = rows * (side + GAP) - GAP;
  return {
    widths,
    side,
    width: Math.round(pitch * gaps + 2 * MARGIN),
    height: HEAD + body + FOOT,
    left: widths.map((_, column) => Math.round(MARGIN + column * pitch - side / 2)),
    top: widths.map((count) => {
      const start = HEAD + (body - (count * (side + GAP) - GAP)) / 2;
      return Array.from({ length: count }, (_, index) => Math.round(start + index * (side + GAP)));
    }),
  };
}

/** The ends of a link. @param {Layout} layout @param {Link} link */
export function ends({ left, top, side }, { column, index, from }) {
  return {
    x0: left[column - 1] + side,
    y0: top[column - 1][from] + side / 2,
    x1: left[column],
    y1: top[column][index] + side / 2,
  };
}

/**
 * How high a link lies at a fraction of its way to the right. It is a Bézier curve that leaves and arrives level.
 * @param {number} y0 @param {number} y1 @param {number} share
 */
const heightAt = (y0, y1, share) => {
  // Bisects for the curve's parameter, as the fraction 1.5·t·(1 - t) + t³ grows with it.
  let [low, high] = [0, 1];
  for (let i = 0; i < 20; i += 1) {
    const t = (low + high) / 2;
    if (1.5 * (1 - t) * t + t ** 3 < share) low = t;
    else high = t;
  }
  const t = (low + high) / 2;
  return y0 + (y1 - y0) * t * t * (3 - 2 * t);
};

/** The link at a place; null where there is none. @param {Layout} layout @param {number} x @param {number} y @returns {Link | null} */
export function linkAt(layout, x, y) {
  const { widths, left, side } = layout;
  const column = left.findIndex((start, i) => i > 0 && x > left[i - 1] + side && x < start);
  if (column < 0) return null;
  const share = (x - left[column - 1] - side) / (left[column] - left[column - 1] - side);
  /** @type {Link | null} */
  let best = null;
  let nearest = REACH;
  for (let index = 0; index < widths[column]; index += 1) {
    for (let from = 0; from < widths[column - 1]; from += 1) {
      const link = { column, index, from };
      const { y0, y1 } = ends(layout, link);
      const distance = Math.abs(heightAt(y0, y1, share) - y);
      if (distance < nearest) [best, nearest] = [link, distance];
    }
  }
  return best;
}

/** How thick a weight is drawn. @param {number} weight */
export const thickness = (weight) => 0.5 + 5.5 * Math.tanh(Math.abs(weight) / 4);

/** How far a bar goes for a gradient, from 0 to 1: four powers of ten below the greatest.
 * @param {number} gradient @param {number[]} all */
export function barShare(gradient, all) {
  const most = Math.max(...all);
  if (!(gradient > 0) || !(most > 0)) return 0;
  return Math.max(0.03, 1 + Math.log10(gradient / most) / 4);
}

/** A weight or a bias. @param {Layer[]} layers @param {Link} link */
export function parameterAt(layers, { column, index, from }) {
  const { weight, bias, inputs } = layers[column - 1];
  return from === BIAS ? bias[index] : weight[index * inputs + from];
}

/** Where the dot of a bias lies: beside the lower left corner of its neuron. @param {Layout} layout @param {Neuron} neuron */
export const biasPlace = ({ left, top, side }, { column, index }) => ({
  x: left[column] - 6,
  y: top[column][index] + side - 5,
});

/** The bias at a place; null where there is none. @param {Layout} layout @param {number} x @param {number} y @returns {Link | null} */
export function biasAt(layout, x, y) {
  for (let column = 1; column < layout.widths.length; column += 1)
    for (let index = 0; index < layout.widths[column]; index += 1) {
      const place = biasPlace(layout, { column, index });
      if (Math.hypot(x - place.x, y - place.y) < REACH) return { column, index, from: BIAS };
    }
  return null;
}
