// How fast a run trained.

/** @import { Run } from "./types" */

/**
 * Training samples per second over the whole run; `null` before the first steps.
 * @param {Run["summary"]} summary
 */
export function meanSpeed({ samples_seen: samples, seconds }) {
  return samples && seconds ? samples / seconds : null;
}
