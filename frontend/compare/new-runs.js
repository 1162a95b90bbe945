// Watches for runs that join a comparison by sweep or tag: started, tagged or restored ones.

import { listRunIds } from "../lib/api.js";
import { openStream } from "../lib/live.js";
import { attempt } from "../lib/shell.js";
import { apiUrl } from "../lib/base-path.js";

/** @import { Run } from "../lib/types" */

/** Runs of a sweep arrive one by one; they are handled as one change. */
const SETTLE_MS = 400;

/**
 * @param {{ sweeps: string[], tags: string[], changes: string, has: (id: string) => boolean, onChanged: () => void }} options
 *   `changes`: the place among the changes at which the page was read; `has`: whether a run is on the page; `onChanged`:
 *   the URL now stands for other runs
 */
export function watchNewRuns({ sweeps, tags, changes, has, onChanged }) {
  if (sweeps.length === 0 && tags.length === 0) return;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let settling;
  openStream({
    url: () => apiUrl(`/events?changes=${changes}`),
    on: {
      many: () => attempt(look),
      run: (/** @type {Run} */ run) => {
        const belongs =
          (run.sweep !== null && sweeps.includes(run.sweep)) || run.tags.some((tag) => tags.includes(tag));
        if (!belongs || has(run.id)) return;
        clearTimeout(settling);
        settling = setTimeout(onChanged, SETTLE_MS);
      },
    },
  });

  /** Asks for the runs, since the stream did not tell what each of them is. */
  async function look() {
    const queries = [...sweeps.map((sweep) => ({ sweep })), ...tags.map((tag) => ({ tag }))];
    const found = await Promise.all(queries.map(listRunIds));
    if (found.flat().some((id) => !has(id))) onChanged();
  }
}
