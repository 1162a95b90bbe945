// What runs cost: time, memory and parameters, with their units.

import { bytes, compactNumber, duration } from "../lib/format.js";
import { OF_SIZES, OF_TIMES } from "./noise.js";

/** @import { Run } from "../lib/types" */
/** @import { Noise } from "./noise.js" */

/**
 * Chooses a unit from a list of sizes and symbols, the largest first.
 * @type {(units: [number, string][]) => (most: number) => [number, string]}
 */
const unitFor = (units) => (most) => units.find(([size]) => most >= size * 2) ?? units[units.length - 1];

/**
 * @type {{ id: string, title: string, of: (run: Run) => number | null, format: (value: number) => string, unit: (most:
 *   number) => [number, string], noise: Noise }[]}
 */
export const COSTS = [
  {
    id: "seconds",
    title: "Time",
    of: ({ summary }) => summary.seconds,
    noise: OF_TIMES,
    format: duration,
    unit: unitFor([
      [3600, "h"],
      [60, "min"],
      [1, "s"],
    ]),
  },
  {
    id: "memory",
    title: "Peak memory",
    of: ({ summary }) => summary.peak_memory_bytes,
    noise: OF_SIZES,
    format: bytes,
    unit: unitFor([
      [2 ** 30, "GiB"],
      [2 ** 20, "MiB"],
    ]),
  },
  {
    id: "parameters",
    title: "Parameters",
    of: ({ summary }) => summary.parameters,
    noise: OF_SIZES,
    format: compactNumber,
    unit: () => [1, ""],
  },
];
