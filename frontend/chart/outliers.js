// Which values a chart cuts off, so that the others can be read, and what it says of them.

import { countOutside } from "./extremes.js";

/** @import { Line } from "./plot-data.js" */

/**
 * What lies outside the vertical range: how many values, of which lines, and the farthest.
 * @typedef {{ count: () => { above: number, below: number, labels: string[] }, highest: number, lowest: number, top: number, bottom: number }} Cut
 */

/**
 * A leap: so small a share of the values needs so many times the height of all others. The smaller share is the first
 * steps of a run, the larger one what a moving average makes of them, or a run that diverged soon.
 */
const LEAPS = [
  { share: 0.02, times: 5 },
  { share: 0.05, times: 10 },
];
/** A short line may leap at so many of its values, unless that is more than a tenth of them. */
const FEW = 3;
const MAX_SHARE = 0.1;
/** Values within so many times the height of the others are kept, so that the end of the leap is seen. */
const ROOM = 3;

/**
 * The top of a vertical range without the leap of a few values, such as a first loss of 24 before losses of 2; null
 * without one. A fall over many steps is no leap.
 * @param {number[]} values @param {number} lines that have them
 * @returns {number | null}
 */
export function topWithoutLeap(values, lines) {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(high > low)) return null;
  /** Sorted only where there is a leap, since most drawings have none. @type {Float64Array | null} */
  let sorted = null;
  let top = high;
  for (const { share, times } of LEAPS) {
    const most = Math.floor(Math.min(MAX_SHARE * values.length, Math.max(FEW * lines, share * values.length)));
    const limit = low + (top - low) / times;
    let above = 0;
    for (const value of values) if (value > limit) above += 1;
    if (above === 0 || above > most) continue;
    sorted ??= Float64Array.from(values).sort();
    let last = sorted.length - 1 - most;
    const reach = low + (sorted[last] - low) * ROOM;
    while (last + 1 < sorted.length && sorted[last + 1] <= reach) last += 1;
    top = Math.min(top, sorted[last]);
  }
  return top < high ? top : null;
}

/** So many values are the beginning of a curve. */
const BEGINNING = 10;

/**
 * How high a curve begins, be that with a leap of a few values or before one; null of a short curve.
 * @param {ArrayLike<number>} values @param {number} from the index of the first @param {number} to the index after the last
 * @returns {number | null}
 */
export function beginningOf(values, from, to) {
  const first = Array.from({ length: Math.min(BEGINNING, to - from) }, (_, i) => values[from + i]).filter(
    Number.isFinite,
  );
  return first.length < BEGINNING ? null : Math.min(first[0], first.toSorted((a, b) => b - a)[FEW]);
}

/**
 * Tukey's outer fences: the quartiles extended by three times the interquartile range, clipped to the smallest and
 * largest value.
 * @param {ArrayLike<number>} sorted
 * @returns {[number, number]}
 */
export function tukeyFences(sorted) {
  const quantile = (/** @type {number} */ share) => sorted[Math.round(share * (sorted.length - 1))];
  const [lower, upper] = [quantile(0.25), quantile(0.75)];
  const reach = 3 * (upper - lower);
  return [Math.max(sorted[0], lower - reach), Math.min(sorted[sorted.length - 1], upper + reach)];
}

/**
 * What lies outside a vertical range. It is counted on demand, since a live chart is drawn more often than its note.
 * @param {{ line: Line, from: number, to: number }[]} parts a range of indices of each line
 * @param {{ bottom: number, top: number, lowest: number, highest: number }} range
 * @returns {Cut | null}
 */
export function cutOff(parts, range) {
  const { bottom, top, lowest, highest } = range;
  if (lowest >= bottom && highest <= top) return null;
  return {
    ...range,
    count() {
      const found = { above: 0, below: 0 };
      /** @type {Set<string>} */
      const labels = new Set();
      for (const { line, from, to } of parts) {
        const before = found.above + found.below;
        if (line.extremes) line.extremes.countOutside(from, to, bottom, top, found);
        else countOutside(line.y, from, to, bottom, top, found);
        if (found.above + found.below > before) labels.add(line.label);
      }
      return { ...found, labels: [...labels] };
    },
  };
}
