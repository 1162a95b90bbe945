// A network of fully connected layers: forward, cross-entropy, backward. No DOM here. Matrices are row by row; a layer's
// weight is `[outputs, inputs]` and its values are `[samples, outputs]`, as PyTorch's.

import { ACTIVATIONS } from "./activations.js";
import { Generator } from "./random.js";

/** @import { ActivationName } from "./activations.js" */
/** @import { Samples } from "./data.js" */

/**
 * @typedef {{
 *   inputs: number,
 *   outputs: number,
 *   weight: Float64Array,
 *   bias: Float64Array,
 *   weightGradient: Float64Array,
 *   biasGradient: Float64Array,
 * }} Layer
 */

/** @typedef {{ activation: ActivationName, layers: Layer[] }} Network */

/**
 * Memory for the passes of up to `capacity` samples: for each layer its sums, its values (of the last layer these are the
 * scores) and the gradient of the sums.
 * @typedef {{ capacity: number, sums: Float64Array[], values: Float64Array[], deltas: Float64Array[] }} Workspace
 */

/**
 * The network of a run's MLP, from its first weights on: Kaiming's initialisation (`models/src/graph/init.rs`), biases 0.
 * @param {{ hidden: number[], activation: ActivationName, classes: number, seed: number }} shape
 * @returns {Network}
 */
export function createNetwork({ hidden, activation, classes, seed }) {
  const widths = [2, ...hidden, classes];
  const layers = widths.slice(1).map((outputs, i) => {
    const inputs = widths[i];
    const gain = i < hidden.length ? ACTIVATIONS[activation].gain : 1;
    const random = new Generator(seed, `init net.${2 * i}.weight`);
    const weight = Float64Array.from({ length: outputs * inputs }, () =>
      Math.fround((gain / Math.sqrt(inputs)) * random.normal()),
    );
    return {
      inputs,
      outputs,
      weight,
      bias: new Float64Array(outputs),
      weightGradient: new Float64Array(weight.length),
      biasGradient: new Float64Array(outputs),
    };
  });
  return { activation, layers };
}

/** The trainable tensors with their gradients. @param {Network} network @returns {[Float64Array, Float64Array][]} */
export function parameters({ layers }) {
  return layers.flatMap(({ weight, bias, weightGradient, biasGradient }) => [
    /** @type {[Float64Array, Float64Array]} */ ([weight, weightGradient]),
    /** @type {[Float64Array, Float64Array]} */ ([bias, biasGradient]),
  ]);
}

/** @param {Network} network @param {number} capacity @returns {Workspace} */
export function createWorkspace({ layers }, capacity) {
  const each = () => layers.map(({ outputs }) => new Float64Array(capacity * outputs));
  return { capacity, sums: each(), values: each(), deltas: each() };
}

/**
 * Computes the values of all layers, and returns those of the last: the scores of the classes.
 * @param {Network} network
 * @param {Workspace} workspace
 * @param {Float64Array} input `[count, 2]`
 * @param {number} count
 */
export function forward({ layers, activation }, { sums, values }, input, count) {
  let from = input;
  for (const [i, { inputs, outputs, weight, bias }] of layers.entries()) {
    const to = sums[i];
    for (let n = 0; n < count; n += 1) {
      const row = n * inputs;
      for (let o = 0; o < outputs; o += 1) {
        let sum = bias[o];
        const at = o * inputs;
        for (let k = 0; k < inputs; k += 1) sum += weight[at + k] * from[row + k];
        to[n * outputs + o] = sum;
      }
    }
    if (i === layers.length - 1) return to;
    ACTIVATIONS[activation].apply(to, values[i], count * outputs);
    from = values[i];
  }
  return from;
}

/**
 * The mean cross-entropy of scores with the classes, and how many are classified right. With `delta`, also the gradient
 * of the loss with respect to the scores.
 * @param {Float64Array} scores `[count, classes]`
 * @param {Uint8Array} labels
 * @param {number} count
 * @param {number} classes
 * @param {Float64Array | null} [delta]
 */
export function crossEntropy(scores, labels, count, classes, delta = null) {
  let loss = 0;
  let correct = 0;
  for (let n = 0; n < count; n += 1) {
    const row = n * classes;
    let best = 0;
    for (let c = 1; c < classes; c += 1) if (scores[row + c] > scores[row + best]) best = c;
    const most = scores[row + best];
    let sum = 0;
    for (let c = 0; c < classes; c += 1) sum += Math.exp(scores[row + c] - most);
    loss += Math.log(sum) + most - scores[row + labels[n]];
    if (best === labels[n]) correct += 1;
    if (!delta) continue;
    for (let c = 0; c < classes; c += 1) {
      const probability = Math.exp(scores[row + c] - most) / sum;
      delta[row + c] = (probability - (c === labels[n] ? 1 : 0)) / count;
    }
  }
  return { loss: loss / count, correct };
}

/**
 * The loss of some samples, and its gradients in `weightGradient` and `biasGradient` of each layer.
 * @param {Network} network
 * @param {Workspace} workspace
 * @param {Samples} samples at most as many as the workspace has room for
 */
export function backward(network, workspace, { values: input, labels, count }) {
  const { layers, activation } = network;
  const { sums, values, deltas } = workspace;
  const last = layers.length - 1;
  const result = crossEntropy(
    forward(network, workspace, input, count),
    labels,
    count,
    layers[last].outputs,
    deltas[last],
  );
  for (let i = last; i >= 0; i -= 1) {
    const layer = layers[i];
    const from = i === 0 ? input : values[i - 1];
    accumulate(layer, deltas[i], from, count);
    if (i === 0) break;
    propagate(layer, deltas[i], deltas[i - 1], count);
    ACTIVATIONS[activation].scale(deltas[i - 1], sums[i - 1], values[i - 1], count * layer.inputs);
  }
  return result;
}

/** The gradients of a layer's parameters. @param {Layer} layer @param {Float64Array} delta @param {Float64Array} from @param {number} count */
function accumulate({ inputs, outputs, weightGradient, biasGradient }, delta, from, count) {
  weightGradient.fill(0);
  biasGradient.fill(0);
  for (let n = 0; n < count; n += 1) {
    for (let o = 0; o < outputs; o += 1) {
      const d = delta[n * outputs + o];
      const at = o * inputs;
      biasGradient[o] += d;
      for (let k = 0; k < inputs; k += 1) weightGradient[at + k] += d * from[n * inputs + k];
    }
  }
}

/** The gradient of a layer's input. @param {Layer} layer @param {Float64Array} delta @param {Float64Array} to @param {number} count */
function propagate({ inputs, outputs, weight }, delta, to, count) {
  for (let n = 0; n < count; n += 1) {
    for (let k = 0; k < inputs; k += 1) {
      let sum = 0;
      for (let o = 0; o < outputs; o += 1) sum += delta[n * outputs + o] * weight[o * inputs + k];
      to[n * inputs + k] = sum;
    }
  }
}
