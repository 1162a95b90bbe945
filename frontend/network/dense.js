// Networks of which every layer takes the one before it and whose weights are all those of linear layers: drawn as
// columns of neurons. No DOM here.

/** @import { CheckedLayer, CheckedNetwork } from "./types" */

/**
 * The values of a sample, or the outputs of a linear layer. `after`: what is applied to them. `weights` and `biases` are
 * those of the linear layer, 0 of the sample.
 * @typedef {{ size: number, after: string[], weights: number, biases: number, line: number }} Column
 */

/**
 * The columns from the sample's values to the outputs, or null if the network is of another kind.
 * @param {CheckedNetwork} network
 * @returns {Column[] | null}
 */
export function columnsOf({ layers: [input, ...layers] }) {
  /** @type {Column[]} */
  const columns = [{ size: product(input.shape), after: [], weights: 0, biases: 0, line: input.line }];
  for (const [at, layer] of layers.entries()) {
    if (layer.inputs.length !== 1 || layer.inputs[0] !== at) return null;
    const last = columns[columns.length - 1];
    const size = product(layer.shape);
    if (layer.operation === "Linear") {
      // On a map, it would be applied to each of its rows.
      if (layer.shape.length > 1) return null;
      const weights = last.size * size;
      columns.push({ size, after: [], weights, biases: layer.parameters - weights, line: layer.line });
    } else if (isOfVectors(layer) && (size === last.size || at === layers.length - 1)) {
      if (layer.operation !== "Flatten") last.after.push(layer.operation);
    } else return null;
  }
  return columns.length > 1 ? columns : null;
}

/** @param {CheckedLayer} layer */
const isOfVectors = ({ shape, parameters, operation }) =>
  shape.length === 1 && (parameters === 0 || operation.startsWith("BatchNorm"));

/** @param {number[]} shape */
const product = (shape) => shape.reduce((all, size) => all * size, 1);
