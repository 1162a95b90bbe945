// Smooths a contour within the rounding error of its field. Confidence has 32 levels, so the zero of a field is only
// known up to an interval of each edge, and a straight boundary would show as stairs. Among all contours that agree
// with the field, this one is smooth: each vertex moves along its edge towards the middle of its neighbours, but stays
// in its interval.

import { position } from "./contour.js";

/** @import { Contour } from "./contour.js" */

const ROUNDS = 60;

/**
 * @param {Contour} line changed in place
 * @param {ArrayLike<number>} field the field of the contour
 * @param {number} doubt the rounding error of the field
 */
export function smoothContour(line, field, doubt) {
  const { columns, edges, shares, links } = line;
  /** @type {number[][]} */
  const neighbours = edges.map(() => []);
  for (const [a, b] of links) {
    neighbours[a].push(b);
    neighbours[b].push(a);
  }
  const intervals = edges.map((edge) => {
    const from = edge >> 1;
    return zeroInterval(Math.abs(field[from]), Math.abs(field[from + (edge & 1 ? columns : 1)]), doubt);
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let k = 0; k < edges.length; k += 1) {
      if (neighbours[k].length !== 2) continue;
      const [p, q] = neighbours[k].map((index) => position(line, index));
      const along = edges[k] & 1 ? 1 : 0;
      const start = position(line, k)[along] - shares[k];
      const [low, high] = intervals[k];
      shares[k] = Math.min(high, Math.max(low, (p[along] + q[along]) / 2 - start));
    }
  }
  return line;
}

/**
 * The interval of an edge in which the zero lies, given the rounding error of its ends.
 * @param {number} from
 * @param {number} to
 * @param {number} doubt
 * @returns {[number, number]}
 */
function zeroInterval(from, to, doubt) {
  const least = Math.max(0, from - doubt);
  const most = from + doubt;
  return [least / (least + to + doubt), most / (most + Math.max(0, to - doubt))];
}
