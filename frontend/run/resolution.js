// How finely curves are asked for, and which stretch of them.

/** How finely each of several runs is asked for. @param {number} runs */
export function pointsFor(runs) {
  return Math.max(240, Math.min(6000, Math.floor(30_000 / Math.max(1, runs))));
}

/**
 * The steps to ask for when those from `from` to `to` are in sight: a little more on either side,
 * in leaps, so that a small move asks for nothing new.
 * @param {number} from @param {number} to @returns {[number, number]}
 */
export function rangeAround(from, to) {
  const leap = 2 ** Math.ceil(Math.log2(Math.max(16, to - from))) / 4;
  return [Math.max(0, (Math.floor(from / leap) - 1) * leap), (Math.ceil(to / leap) + 1) * leap];
}
