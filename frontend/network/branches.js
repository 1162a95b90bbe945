// What the branches of a block do, in a word each: the size of the largest kernel, or that one pools. No DOM here.

/** @import { CheckedLayer } from "./types" */

/**
 * The branches that each concatenation and each sum joins, by its place, in the order in which it takes them: "1×1", "3×3",
 * "pool"; "unchanged" where the value is taken as it is.
 * @param {readonly CheckedLayer[]} layers
 * @returns {Map<number, string[]>}
 */
export function branchesOf(layers) {
  const takers = new Array(layers.length).fill(0);
  for (const { inputs } of layers) for (const input of inputs) takers[input] += 1;

  /** The layers of a branch, the last first, back to a value that others take too. @param {number} end */
  function branch(end) {
    const found = [];
    for (let place = end; takers[place] === 1; place = layers[place].inputs[0]) {
      found.push(layers[place]);
      if (layers[place].inputs.length !== 1) break;
    }
    return found;
  }

  return new Map(
    layers.flatMap(({ inputs }, place) =>
      inputs.length > 1 ? [[place, inputs.map((input) => wordOf(branch(input)))]] : [],
    ),
  );
}

/** @param {CheckedLayer[]} branch the last layer first */
function wordOf(branch) {
  if (branch.length === 0) return "unchanged";
  if (branch.some(({ operation }) => operation.includes("Pool"))) return "pool";
  const kernels = branch.flatMap(({ operation, detail }) => {
    const size = operation.startsWith("Conv") ? detail?.match(/^(\d+)×(\d+)/) : null;
    return size ? [{ text: size[0], area: Number(size[1]) * Number(size[2]) }] : [];
  });
  return kernels.sort((a, b) => b.area - a.area)[0]?.text ?? branch[0].operation;
}
