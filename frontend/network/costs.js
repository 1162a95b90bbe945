// What a layer costs, as the picture shows it. No DOM here.

import { bytes, percent } from "../lib/format.js";

/** @import { CheckedLayer } from "./types" */

/**
 * Costs of a layer that are shown as bars.
 * @type {{ id: string, label: string, title: string, of: (layer: CheckedLayer) => number | undefined, words: (value: number, share: number) => string }[]} */
export const COSTS = [
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
