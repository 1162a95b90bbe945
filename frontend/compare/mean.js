// Several seeds as one line: the mean, with the standard deviation as a band around it.

/** @typedef {{ x: ArrayLike<number>, y: ArrayLike<number>, length: number }} Curve */

/** Positions at which lines of many points are read. */
const POSITIONS = 400;

/**
 * The mean of curves and their band. Where all have the same few points, at these; else at positions
 * spread evenly, read off the straight lines between points. A position counts where at least two
 * curves reach (or the only one there is); the deviation is that of a sample. Between such positions, one where fewer
 * have a value is a hole.
 * @param {Curve[]} curves @returns {{ x: number[], y: number[], low: number[], high: number[] }}
 */
export function meanCurve(curves) {
  /** @type {{ x: number[], y: number[], low: number[], high: number[] }} */
  const out = { x: [], y: [], low: [], high: [] };
  const some = curves.filter(({ length }) => length > 0);
  if (some.length === 0) return out;
  const readers = some.map(reader);
  const least = Math.min(2, some.length);
  for (const x of positions(some)) {
    const values = readers.map((read) => read(x)).filter((value) => !Number.isNaN(value));
    if (values.length < least) {
      if (out.x.length > 0) push(out, x, Number.NaN, Number.NaN);
      continue;
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation =
      values.length > 1
        ? Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
        : 0;
    push(out, x, mean, deviation);
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
 */
function push(out, x, mean, deviation) {
  out.x.push(x);
  out.y.push(mean);
  out.low.push(mean - deviation);
  out.high.push(mean + deviation);
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
 * Reads a curve at ascending positions; not a number where it does not reach, or in a hole.
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
