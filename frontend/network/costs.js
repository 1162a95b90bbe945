// What a layer costs, as the picture shows it. No DOM here.

import { bytes, count, percent } from "../lib/format.js";

/** @import { CheckedLayer } from "./types" */

/**
 * Costs of a layer that are shown as bars, where the server says them.
 * @type {{ id: string, label: string, title: string, of: (layer: CheckedLayer) => number | undefined, words: (value: number, share: number) => string }[]} */
export const COSTS = [
  {
    id: "work",
    label: "MACs",
    title: "Multiply-accumulate operations",
    of: (layer) => layer.multiply_adds,
    words: (value, share) => `${count(value)} multiply-adds, ${percent(share)} of all`,
  },
  {
    id: "time",
    label: "Time",
    title: "Time of a training step",
    of: (layer) => layer.time_share,
    words: (_, share) => `about ${percent(share)} of a step’s time`,
  },
  {
    id: "memory",
    label: "Memory",
    title: "Memory in training",
    of: (layer) => layer.memory_bytes,
    words: (value, share) => `${bytes(value)} for one sample in training, ${percent(share)} of all`,
  },
];
