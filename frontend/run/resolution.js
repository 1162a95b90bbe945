// The resolution and the range of requested curves.

/** Points per curve for a number of runs. @param {number} runs */
export function pointsFor(runs) {
  return Math.max(240, Math.min(6000, Math.floor(30_000 / Math.max(1, runs))));
}

/**
 * The steps to request for a visible range: a little more on either side, rounded, so that small moves need no new
 * request.
 * @param {number} from
 * @param {number} to
 * @returns {[number, number]}
 */
export function rangeAround(from, to) {
  const leap = 2 ** Math.ceil(Math.log2(Math.max(16, to - from))) / 4;
  return [Math.max(0, (Math.floor(from / leap) - 1) * leap), (Math.ceil(to / leap) + 1) * leap];
}
