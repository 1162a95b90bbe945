// PyTorch's update rules of SGD and AdamW.

/** @typedef {{ optimizer: "sgd" | "adamw", lr: number, momentum: number, decay: number }} OptimizerSettings */

/** The number of steps, and for each parameter two moments of its gradient, of which SGD uses the first.
 * @typedef {{ steps: number, first: Float64Array[], second: Float64Array[] }} OptimizerState */

const [BETA1, BETA2, EPS] = [0.9, 0.999, 1e-8];

/** @param {[Float64Array, Float64Array][]} parameters with their gradients @returns {OptimizerState} */
export function createState(parameters) {
  const zeros = () => parameters.map(([values]) => new Float64Array(values.length));
  return { steps: 0, first: zeros(), second: zeros() };
}

/**
 * Updates parameters by their gradients.
 * @param {[Float64Array, Float64Array][]} parameters with their gradients
 * @param {OptimizerState} state
 * @param {OptimizerSettings} settings
 */
export function update(parameters, state, settings) {
  state.steps += 1;
  const rule = settings.optimizer === "sgd" ? sgd : adamw;
  for (const [i, [values, gradient]] of parameters.entries())
    rule(values, gradient, state.first[i], state.second[i], settings, state.steps);
}

/**
 * SGD with momentum and an L2 penalty.
 * @param {Float64Array} values
 * @param {Float64Array} gradient
 * @param {Float64Array} velocity
 * @param {Float64Array} _
 * @param {OptimizerSettings} settings
 */
function sgd(values, gradient, velocity, _, { lr, momentum, decay }) {
  for (let i = 0; i < values.length; i += 1) {
    velocity[i] = momentum * velocity[i] + gradient[i] + decay * values[i];
    values[i] -= lr * velocity[i];
  }
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019).
 * @param {Float64Array} values
 * @param {Float64Array} gradient
 * @param {Float64Array} mean
 * @param {Float64Array} square
 * @param {OptimizerSettings} settings
 * @param {number} step from 1
 */
function adamw(values, gradient, mean, square, { lr, decay }, step) {
  const rate = lr / (1 - BETA1 ** step);
  const root = Math.sqrt(1 - BETA2 ** step);
  for (let i = 0; i < values.length; i += 1) {
    mean[i] = BETA1 * mean[i] + (1 - BETA1) * gradient[i];
    square[i] = BETA2 * square[i] + (1 - BETA2) * gradient[i] * gradient[i];
    values[i] -= lr * decay * values[i] + (rate * mean[i]) / (Math.sqrt(square[i]) / root + EPS);
  }
}
