// What the branches of a block do. No DOM here.

/** @import { CheckedLayer } from "./types" */

/**
 * `name` is the size of the largest kernel, such as "3×3", or "pool"; "unchanged" where a value is taken as it is. `steps`
 * are its convolutions, by their kernels, and pools in their order. `channels` are those of its result.
 * @typedef {{ name: string, steps: string[], channels: number }} Branch
 */

/**
 * The branches that each concatenation and each sum joins, by its place, in the order in which it takes them.
 * @param {readonly CheckedLayer[]} layers
 * @returns {Map<number, Branch[]>}
 */
export function branchesOf(layers) {
  const takers = new Array(layers.length).fill(0);
  for (const { inputs } of layers) for (const input of inputs) takers[input] += 1;

  /** The layers of a branch, the last first, back to a value that others take too. @param {number} end */
  function layersTo(end) {
    const found = [];
    for (let place = end; takers[place] === 1; place = layers[place].inputs[0]) {
      found.push(layers[place]);
      if (layers[place].inputs.length !== 1) break;
    }
    return found;
  }

  return new Map(
    layers.flatMap(({ inputs }, place) =>
      inputs.length > 1 ? [[place, inputs.map((input) => branch(layersTo(input), layers[input].shape[0]))]] : [],
    ),
  );
}

/** @param {CheckedLayer[]} layers the last first @param {number} channels @returns {Branch} */
function branch(layers, channels) {
  const steps = layers.filter((layer) => isPool(layer) || isConvolution(layer)).reverse();
  return {
    name: nameOf(layers),
    steps: steps.map((layer) => (isPool(layer) ? "pool" : (kernelOf(layer)?.text ?? ""))),
    channels,
  };
}

/** @param {CheckedLayer[]} layers the last first */
function nameOf(layers) {
  if (layers.length === 0) return "unchanged";
  if (layers.some(isPool)) return "pool";
  const kernels = layers.filter(isConvolution).flatMap((layer) => kernelOf(layer) ?? []);
  return kernels.sort((a, b) => b.area - a.area)[0]?.text ?? layers[0].operation;
}

/** @param {CheckedLayer} layer a convolution */
function kernelOf({ detail }) {
  const size = detail?.match(/^(\d+)×(\d+)/);
  return size ? { text: size[0], area: Number(size[1]) * Number(size[2]) } : null;
}

const isPool = (/** @type {CheckedLayer} */ { operation }) => operation.includes("Pool");
const isConvolution = (/** @type {CheckedLayer} */ { operation }) => operation.startsWith("Conv");

/** Whether a skip has a convolution of one pixel, which fits its channels to those of the body. @param {Branch[]} branches of a sum */
export const isProjected = (branches) =>
  branches.some(({ name }) => name === "1×1") && !branches.some(({ name }) => name === "unchanged");
