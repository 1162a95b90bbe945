// Pulls a line taut as far as the grid allows.
//
// Confidence comes in 32 steps, so a field's 0 is only known to lie somewhere on a stretch of each
// edge: a straight boundary would show as stairs. Among all lines that agree with the grid this
// takes a smooth one: each corner moves along its edge towards the middle of its neighbours, and
// never out of its stretch.

import { position } from "./contour.js";

/** @import { Contour } from "./contour.js" */

const ROUNDS = 60;

/**
 * @param {Contour} line changed in place
 * @param {ArrayLike<number>} field what the line was found in
 * @param {number} doubt by how much a value of the field may be off
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
 * Where on an edge the 0 can be, if its ends may be off by so much.
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
