// The activations that an MLP may have between its layers.

/** @typedef {"relu" | "silu" | "sigmoid" | "tanh"} ActivationName */

/**
 * `gain` is that of the initial weights before it. `apply` takes sums to values; `scale` multiplies the gradient of the
 * values by the derivative. `reach` is the greatest magnitude of a value; null where there is none.
 * @typedef {{
 *   label: string,
 *   gain: number,
 *   reach: number | null,
 *   apply: (sums: Float64Array, values: Float64Array, length: number) => void,
 *   scale: (delta: Float64Array, sums: Float64Array, values: Float64Array, length: number) => void,
 * }} Activation
 */

/** @param {number} x */
const logistic = (x) => 1 / (1 + Math.exp(-x));

/** @type {{ [name in ActivationName]: Activation }} */
export const ACTIVATIONS = {
  relu: {
    label: "ReLU",
    gain: Math.SQRT2,
    reach: null,
    apply(sums, values, length) {
      // NaN stays NaN, as in PyTorch.
      for (let i = 0; i < length; i += 1) values[i] = Math.max(sums[i], 0);
    },
    scale(delta, sums, _, length) {
      for (let i = 0; i < length; i += 1) if (sums[i] <= 0) delta[i] = 0;
    },
  },
  silu: {
    label: "SiLU",
    gain: Math.SQRT2,
    reach: null,
    apply(sums, values, length) {
      for (let i = 0; i < length; i += 1) values[i] = sums[i] * logistic(sums[i]);
    },
    scale(delta, sums, values, length) {
      for (let i = 0; i < length; i += 1) {
        const share = logistic(sums[i]);
        delta[i] *= share + values[i] * (1 - share);
      }
    },
  },
  sigmoid: {
    label: "Sigmoid",
    gain: 1,
    reach: 1,
    apply(sums, values, length) {
      for (let i = 0; i < length; i += 1) values[i] = logistic(sums[i]);
    },
    scale(delta, _, values, length) {
      for (let i = 0; i < length; i += 1) delta[i] *= values[i] * (1 - values[i]);
    },
  },
  tanh: {
    label: "Tanh",
    gain: 5 / 3,
    reach: 1,
    apply(sums, values, length) {
      for (let i = 0; i < length; i += 1) values[i] = Math.tanh(sums[i]);
    },
    scale(delta, _, values, length) {
      for (let i = 0; i < length; i += 1) delta[i] *= 1 - values[i] * values[i];
    },
  },
};
