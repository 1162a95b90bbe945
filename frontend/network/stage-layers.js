// What there is in and behind the stages of a network, by its layers. No DOM here.

import { kindOf } from "./kinds.js";

/** @import { CheckedLayer, Stage } from "./types" */

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
