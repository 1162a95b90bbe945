// What there is in and behind the stages of a network, by its layers. No DOM here.

import { branchesOf, isProjected } from "./branches.js";
import { kindOf } from "./kinds.js";

/** @import { CheckedLayer, Stage } from "./types" */
/** @import { Branch } from "./branches.js" */

/** What the branches of each stage do; none without. @param {Stage[]} stages @param {CheckedLayer[]} layers @returns {Branch[][]} */
export function branchesOfStages(stages, layers) {
  const joins = [...branchesOf(layers)].filter(([place]) => layers[place].operation === "Concat");
  let from = 0;
  return stages.map(({ shape, branches }) => {
    const at = joins.findIndex(
      ([place, found], join) =>
        join >= from && found.length === branches.length && layers[place].shape.join() === shape.join(),
    );
    if (at < 0) return [];
    from = at + 1;
    return joins[at][1];
  });
}

/**
 * The skips around the blocks of each stage: whether each has a convolution of its own. Those over several blocks are left out.
 * @param {Stage[]} stages @param {CheckedLayer[]} layers
 * @returns {boolean[][]}
 */
export function skipsOfStages(stages, layers) {
  const sums = [...branchesOf(layers)].filter(
    ([place, branches]) => layers[place].operation === "Sum" && !branches.some(({ begins }) => begins === "Sum"),
  );
  let from = 0;
  return stages.map(({ skips }) => {
    const own = sums.slice(from, from + skips);
    from += skips;
    return own.map(([, branches]) => isProjected(branches));
  });
}

/**
 * The convolutions and linear layers of each stage, and the pools behind it, before the first such layer of the next one.
 * @param {Stage[]} stages @param {CheckedLayer[]} layers
 * @returns {{ weighted: CheckedLayer[], pools: CheckedLayer[] }[]}
 */
export function layersOfStages(stages, layers) {
  const found = stages.map(() => ({
    weighted: /** @type {CheckedLayer[]} */ ([]),
    pools: /** @type {CheckedLayer[]} */ ([]),
  }));
  let at = 0;
  /** @type {CheckedLayer[]} */
  let since = [];
  for (const layer of layers) {
    if (["convolution", "linear"].includes(kindOf(layer.operation))) {
      if (found[at].weighted.length === stages[at].layers && at + 1 < stages.length) {
        found[at].pools = since;
        at += 1;
      }
      found[at].weighted.push(layer);
      since = [];
    } else if (/Pool|^Mean$/.test(layer.operation)) since.push(layer);
  }
  return found;
}
