// Which differences of costs are noise: the same run, repeated on the same machine, differs as much.

/** @import { Run } from "../lib/types" */

/** Values are alike up to `share` of the larger one, or up to `least`. @typedef {{ share: number, least: number }} Noise */

/** Of what is counted, not timed: 26.35 and 26.6 MiB are the same for most purposes. @type {Noise} */
export const OF_SIZES = { share: 0.02, least: 0 };

/**
 * Of times, in seconds. Half a second is what the start of a run and the first step may take on a busy machine; a tenth is
 * what its other programs take.
 * @type {Noise}
 */
export const OF_TIMES = { share: 0.1, least: 0.5 };

/** Of samples per second: as large as that of the times, of which the shortest decides. @param {Run[]} runs @returns {Noise} */
export function ofSpeeds(runs) {
  const shortest = Math.min(...runs.flatMap(({ summary }) => summary.seconds || []));
  return { share: Math.min(1, Math.max(OF_TIMES.share, OF_TIMES.least / shortest)), least: 0 };
}

/** The difference that is still noise. @param {Noise} noise @param {number} a @param {number} b */
export const noiseBetween = ({ share, least }, a, b) => Math.max(least, share * Math.max(Math.abs(a), Math.abs(b)));

/** @param {Noise} noise @param {number[]} values */
export function areAlike(noise, values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return high - low <= noiseBetween(noise, low, high);
}

/**
 * Those of the values that are best, which are several where noise alone is between them; none if all values are alike.
 * @param {number[]} values @param {"high" | "low"} best @param {Noise} [noise]
 * @returns {Set<number>}
 */
export function bestOf(values, best, noise = { share: 0, least: 0 }) {
  if (values.length < 2 || areAlike(noise, values)) return new Set();
  const first = best === "high" ? Math.max(...values) : Math.min(...values);
  return new Set(values.filter((value) => areAlike(noise, [value, first])));
}
