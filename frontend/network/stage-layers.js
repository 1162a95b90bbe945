// What there is in and behind the stages of a network, by its layers. No DOM here.

import { branchesOf } from "./branches.js";
import { kindOf } from "./kinds.js";

/** @import { CheckedLayer, Stage } from "./types" */

/** What the branches of each stage do; none without. @param {Stage[]} stages @param {CheckedLayer[]} layers @returns {string[][]} */
export function branchesOfStages(stages, layers) {
  const joins = [...branchesOf(layers)].filter(([place]) => layers[place].operation === "Concat");
  let from = 0;
  return stages.map(({ shape, branches }) => {
    const at = joins.findIndex(
      ([place, words], join) =>
        join >= from && words.length === branches.length && layers[place].shape.join() === shape.join(),
    );
    if (at < 0) return [];
    from = at + 1;
    return joins[at][1];
  });
}

/**
 * The pools after each stage: those between its last layer with weights and the first one of the next stage.
 * @param {Stage[]} stages @param {CheckedLayer[]} layers @returns {CheckedLayer[][]}
 */
export function poolsAfter(stages, layers) {
  /** @type {CheckedLayer[][]} */
  const pools = stages.map(() => []);
  let [stage, left] = [0, 0];
  /** @type {CheckedLayer[]} */
  let since = [];
  for (const layer of layers) {
    if (["convolution", "linear"].includes(kindOf(layer.operation))) {
      if (left === 0 && stage + 1 < stages.length) {
        pools[stage] = since;
        stage += 1;
        left = stages[stage].layers;
      }
      left -= 1;
      since = [];
    } else if (/Pool|^Mean$/.test(layer.operation)) since.push(layer);
  }
  return pools;
}
