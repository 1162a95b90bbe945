// The Pareto front: runs for which no other run is both cheaper and better.

/** @typedef {{ cost: number, gain: number }} Choice */

/**
 * The indices of the choices on the Pareto front, the cheapest first. Of equal choices the first counts.
 * @param {Choice[]} choices
 * @returns {number[]}
 */
export function paretoFront(choices) {
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
  return front;
}
