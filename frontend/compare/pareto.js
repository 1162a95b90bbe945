// The Pareto front: runs for which no other run is both cheaper and better.

import { noiseBetween } from "./noise.js";

/** @import { Noise } from "./noise.js" */

/** @typedef {{ cost: number, gain: number }} Choice */

/**
 * The indices of the choices on the Pareto front, the cheapest first. Of equal choices the first counts, and where noise
 * alone is between two costs, the better choice.
 * @param {Choice[]} choices
 * @param {Noise} [noise] of costs
 * @returns {number[]}
 */
export function paretoFront(choices, noise = { share: 0, least: 0 }) {
  const order = choices
    .map((_, i) => i)
    .sort((a, b) => choices[a].cost - choices[b].cost || choices[b].gain - choices[a].gain || a - b);
  /** @type {number[]} */
  const front = [];
  let best = Number.NEGATIVE_INFINITY;
  for (const i of order) {
    if (choices[i].gain <= best) continue;
    best = choices[i].gain;
    front.push(i);
  }
  // The front rises, so that a better choice of the same cost is the next one.
  return front.filter((i, place) => {
    const next = choices[front[place + 1]];
    return !next || next.cost - choices[i].cost > noiseBetween(noise, next.cost, choices[i].cost);
  });
}
