// A comparison that names its runs by a sweep or by tags has other runs when one is started, tagged or brought back.

import { openStream } from "../lib/live.js";
import { apiUrl } from "../lib/base-path.js";

/** @import { Run } from "../lib/types" */

/** Runs of a sweep come one after the other; they are one change. */
const SETTLE_MS = 400;

/**
 * @param {{ sweeps: string[], tags: string[], has: (id: string) => boolean, onChanged: () => void }} wiring
 * `has`: whether a run is on the page; `onChanged`: the runs of the address are others than those
 */
export function watchNewRuns({ sweeps, tags, has, onChanged }) {
  if (sweeps.length === 0 && tags.length === 0) return;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let settling;
  openStream({
    url: () => apiUrl("/events"),
    on: {
      run: (/** @type {Run} */ run) => {
        const belongs =
          (run.sweep !== null && sweeps.includes(run.sweep)) || run.tags.some((tag) => tags.includes(tag));
        if (!belongs || has(run.id)) return;
        clearTimeout(settling);
        settling = setTimeout(onChanged, SETTLE_MS);
      },
    },
  });
}
