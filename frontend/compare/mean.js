// Several seeds as one line: the mean with a band of one standard deviation.

/** @typedef {{ x: ArrayLike<number>, y: ArrayLike<number>, length: number }} Curve */

/** Number of positions at which long curves are sampled. */
const POSITIONS = 400;

/**
 * The mean of curves and its band. Curves with the same few points are averaged at these; others are interpolated
 * linearly at evenly spaced positions. A position needs at least two curves (or the only one); the standard deviation
 * is the sample's. Positions with fewer values in between are gaps.
 * @param {Curve[]} curves
 * @param {[low: number, high: number]} [possible] the values that there can be: the band stays within them
 * @returns {{ x: number[], y: number[], low: number[], high: number[] }}
 */
export function meanCurve(curves, possible = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
  /** @type {{ x: number[], y: number[], low: number[], high: number[] }} */
  const out = { x: [], y: [], low: [], high: [] };
  const some = curves.filter(({ length }) => length > 0);
  if (some.length === 0) return out;
  const readers = some.map(reader);
  const least = Math.min(2, some.length);
  for (const x of positions(some)) {
    const values = readers.map((read) => read(x)).filter((value) => !Number.isNaN(value));
    if (values.length < least) {
      if (out.x.length > 0) push(out, x, Number.NaN, Number.NaN, possible);
      continue;
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation =
      values.length > 1
        ? Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
        : 0;
    push(out, x, mean, deviation, possible);
  }
  while (out.y.length > 0 && Number.isNaN(out.y[out.y.length - 1]))
    for (const column of Object.values(out)) column.pop();
  return out;
}

/**
 * @param {{ x: number[], y: number[], low: number[], high: number[] }} out
 * @param {number} x
 * @param {number} mean
 * @param {number} deviation
 * @param {[low: number, high: number]} possible
 */
function push(out, x, mean, deviation, [least, most]) {
  out.x.push(x);
  out.y.push(mean);
  out.low.push(Math.max(least, mean - deviation));
  out.high.push(Math.min(most, mean + deviation));
}

/** @param {Curve[]} curves @returns {number[]} */
function positions(curves) {
  const longest = curves.reduce((a, b) => (b.length > a.length ? b : a));
  if (longest.length <= POSITIONS) return Array.from({ length: longest.length }, (_, i) => longest.x[i]);
  const first = Math.min(...curves.map(({ x }) => x[0]));
  const last = Math.max(...curves.map(({ x, length }) => x[length - 1]));
  return Array.from({ length: POSITIONS }, (_, i) => first + ((last - first) * i) / (POSITIONS - 1));
}

/**
 * Interpolates a curve at ascending positions; NaN outside the curve and in a gap.
 * @param {Curve} curve
 * @returns {(x: number) => number}
 */
function reader({ x: xs, y: ys, length }) {
  let i = 0;
  return (x) => {
    const beyond = 1e-9 * Math.abs(x);
    while (i < length && xs[i] < x - beyond) i += 1;
    if (i === length) return Number.NaN;
    if (xs[i] <= x + beyond) return ys[i];
    if (i === 0) return Number.NaN;
    return ys[i - 1] + ((ys[i] - ys[i - 1]) * (x - xs[i - 1])) / (xs[i] - xs[i - 1]);
  };
}
