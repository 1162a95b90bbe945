// Which of several runs no other one beats at once in what it costs and in what it gives.

/** @typedef {{ cost: number, gain: number }} Choice */

/**
 * The places of those that are not beaten, the cheapest first. Of equals the first counts.
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
