// Axes of results that do not blow up small differences: 26.35 and 26.6 MiB are the same for most purposes.

import { formatNumber } from "../lib/format.js";
import { areAlike, OF_SIZES } from "./noise.js";

/** @import { Noise } from "./noise.js" */

/** @typedef {[low: number, high: number]} Span */

/** An axis of costs spans at least so much of its largest value. */
const LEAST_SHARE = 0.2;
/** An axis of accuracies spans at least so much: two points of a hundred. */
const LEAST_ACCURACY = 0.02;

/** Widens a span around its middle, but not below 0. @param {Span} span @param {number} least @returns {Span} */
function widen([low, high], least) {
  const missing = least - (high - low);
  if (!(missing > 0)) return [low, high];
  const from = Math.max(Math.min(low, 0), low - missing / 2);
  return [from, Math.max(high, from + least)];
}

/** The span of an axis of costs. @param {number[]} values @returns {Span} */
export function costSpan(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return widen([low, high], Math.abs(high) * LEAST_SHARE);
}

/** The span of an axis of accuracies, fractions. @param {number[]} lows @param {number[]} highs @returns {Span} */
export function accuracySpan(lows, highs) {
  const [low, high] = widen([Math.min(...lows), Math.max(...highs)], LEAST_ACCURACY);
  const over = Math.max(0, high - Math.max(1, ...highs));
  return [Math.max(0, low - over), high - over];
}

/** Rounds up to one digit. @param {number} value */
function roundUp(value) {
  if (value === 0) return 0;
  const unit = 10 ** Math.floor(Math.log10(value));
  return Number((Math.ceil(Number((value / unit).toPrecision(6))) * unit).toPrecision(1));
}

/**
 * How close values are: their span as a share of the largest, in percent rounded up to a digit; null unless they are the
 * same for most purposes.
 * @param {number[]} values @param {Noise} [noise]
 */
export function sameWithin(values, noise = OF_SIZES) {
  if (values.length < 2) return null;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (!(high > 0) || !areAlike(noise, values)) return null;
  return roundUp(((high - low) / high) * 100);
}

/**
 * Says that costs are the same: "all the same within 1%", and with what they are and of how many runs; null if they differ.
 * @param {{ title: string, noise?: Noise, format?: (value: number) => string }} cost @param {number[]} values
 */
export function sameText({ title, noise = OF_SIZES, format = formatNumber }, values) {
  const within = sameWithin(values, noise);
  if (within === null) return null;
  // Of short times a share says little: 0.6 and 0.9 s are half a second of chance apart.
  const isShare = within <= noise.share * 100;
  const span = isShare ? `${within}%` : format(roundUp(Math.max(...values) - Math.min(...values)));
  const words = within === 0 ? "the same" : `the same within ${span}`;
  const runs = values.length === 2 ? "in both runs" : `in all ${values.length} runs`;
  const why = noise === OF_SIZES || within === 0 ? "" : ", which may be chance";
  return { short: `all ${words}`, long: `${title}: ${words} ${runs}${why}.` };
}
