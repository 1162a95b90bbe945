// Significance tests: Welch's t-test for samples of unequal variance, and Holm's correction.

/** @typedef {{ mean: number, std: number | null, count: number }} Sample `std`: of a sample, with count - 1 */

/**
 * The p value of the two-sided Welch's t-test, with the Welch–Satterthwaite degrees of freedom. Null if a sample has
 * fewer than two values. Samples without variance give 1 if they are equal, otherwise 0.
 * @param {Sample} a
 * @param {Sample} b
 * @returns {number | null}
 */
export function welch(a, b) {
  if (a.std === null || b.std === null || a.count < 2 || b.count < 2) return null;
  const [va, vb] = [a.std ** 2 / a.count, b.std ** 2 / b.count];
  const difference = Math.abs(a.mean - b.mean);
  if (va + vb === 0) return difference === 0 ? 1 : 0;
  const freedom = (va + vb) ** 2 / (va ** 2 / (a.count - 1) + vb ** 2 / (b.count - 1));
  const t = difference / Math.sqrt(va + vb);
  return incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

/**
 * Corrects the p values of several tests by the Holm–Bonferroni method (Holm 1979); the order is kept.
 * @param {(number | null)[]} ps
 * @returns {(number | null)[]}
 */
export function holm(ps) {
  const order = ps.flatMap((p, i) => (p === null ? [] : [{ p, i }])).sort((a, b) => a.p - b.p);
  /** @type {(number | null)[]} */
  const out = ps.map(() => null);
  let least = 0;
  order.forEach(({ p, i }, place) => {
    least = Math.max(least, Math.min(1, p * (order.length - place)));
    out[i] = least;
  });
  return out;
}

/**
 * The regularized incomplete beta function, by its continued fraction (Abramowitz and Stegun 26.5.8).
 * @param {number} x
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
export function incompleteBeta(x, a, b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast below the mean; above it the symmetry of the function is used.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const TINY = 1e-300;
  let [c, d, value] = [1, 0, 1];
  for (let i = 0; i <= 300; i += 1) {
    const m = Math.floor(i / 2);
    const term =
      i === 0
        ? 1
        : i % 2 === 0
          ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
          : -((a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + term * d || TINY);
    c = 1 + term / c || TINY;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-14) break;
  }
  return front * (value - 1);
}

/**
 * The logarithm of the gamma function for positive arguments, by Stirling's series.
 * @param {number} x
 * @returns {number}
 */
function logGamma(x) {
  let shift = 0;
  let z = x;
  for (; z < 12; z += 1) shift -= Math.log(z);
  const inverse = 1 / (z * z);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / z;
  return shift + (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series;
}
