// What the vertical axes of the common charts show.

/** @import { Unit } from "./plot-data.js" */

/** @type {Unit} */
export const LOSS = { name: "loss", size: 1 };
/** Stored as a fraction. @type {Unit} */
export const ACCURACY = { name: "accuracy (%)", size: 0.01, possible: [0, 1] };
