// Activation functions in place, by the names of `models/src/ops/activation.rs`. `clamp` of the kernels is ReLU and ReLU6.

/** @param {(x: number) => number} f @returns {(values: Float32Array) => void} */
const each = (f) => (values) => {
  for (let at = 0; at < values.length; at += 1) values[at] = f(values[at]);
};

const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
const hardsigmoid = (/** @type {number} */ x) => Math.min(Math.max(x / 6 + 0.5, 0), 1);

/** The error function within 1.5e-7: Abramowitz and Stegun, 7.1.26. @param {number} x */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

/** @type {{ [name: string]: (values: Float32Array) => void }} */
export const activations = {
  silu: each((x) => x * sigmoid(x)),
  gelu: each((x) => (x * (1 + erf(x / Math.SQRT2))) / 2),
  hardswish: each((x) => x * hardsigmoid(x)),
  sigmoid: each(sigmoid),
  hardsigmoid: each(hardsigmoid),
  tanh: each(Math.tanh),
};
