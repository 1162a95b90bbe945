// What a layer costs, as the picture shows it. No DOM here.

import { bytes, percent } from "../lib/format.js";

/** @import { CheckedLayer } from "./types" */

/** Shares below this are not told apart. */
const LEAST_SHARE = 0.001;

/**
 * Costs of a layer that are shown as bars. `text`: in the row, where shares of memory would say little, since one layer's
 * weights may have nearly all of it.
 * @type {{ id: string, label: string, title: string, of: (layer: CheckedLayer) => number | undefined, text: (value: number, share: number) => string, words: (value: number, share: number) => string }[]} */
export const COSTS = [
  {
    id: "time",
    label: "Time",
    title: "Time of a training step",
    of: (layer) => layer.time_share,
    text: (_, share) => (share < LEAST_SHARE ? `<${percent(LEAST_SHARE)}` : percent(share)),
    words: (_, share) => `about ${percent(share)} of a step’s time`,
  },
  {
    id: "memory",
    label: "Memory",
    title: "Memory in training",
    of: (layer) => layer.memory_bytes,
    text: bytes,
    words: (value, share) => `${bytes(value)} for one sample in training, ${percent(share)} of all`,
  },
];
