// Asks the server for more where the screen could show more: a long run comes thinned, a zoom needs
// its points, and a moving average needs all of them.

import { getMetricsOf } from "../lib/api.js";
import { attempt } from "../lib/shell.js";
import { pointsFor, rangeAround } from "./resolution.js";

/** @import { RunStore } from "./store.js" */
/** @import { RunLines } from "./lines.js" */

/** @typedef {{ id: string, store: RunStore, lines: RunLines }} Followed */

/** Moves of a pointer are many; the last one counts. */
const PAUSE_MS = 25;
const NAMES = /** @type {const} */ (["train_loss", "train_accuracy"]);

/**
 * @param {{
 *   runs: () => Followed[],
 *   range: () => [number, number] | null,
 *   weight: () => number,
 *   onData: () => void,
 * }} wiring `range`: the positions in sight, where the view is not of the whole
 */
export function refiner({ runs, range, weight, onData }) {
  /** What was asked for last. */
  let asked = "";
  /** Between these steps nothing is left out. @type {[number, number] | null} */
  let exact = null;
  let timer = 0;
  let flight = new AbortController();

  /** Looks whether something finer is needed; to be called after each drawing. */
  function check() {
    const thinned = runs().filter(({ store }) => store.thinned);
    if (thinned.length === 0) return;
    const sight = range();
    const steps = sight ? thinned.flatMap(({ lines }) => lines.stepsBetween(sight) ?? []) : [];
    const stretch = steps.length > 0 ? rangeAround(Math.min(...steps), Math.max(...steps)) : null;
    const averages = weight() > 0 && thinned.some(({ store }) => store.series.train_loss.smooth?.weight !== weight());
    const known = !stretch || (exact !== null && exact[0] <= stretch[0] && exact[1] >= stretch[1]);
    const what = JSON.stringify([stretch, weight(), thinned.length]);
    if (what === asked) return;
    asked = what;
    if (known && !averages) return;
    clearTimeout(timer);
    timer = window.setTimeout(() => attempt(() => bring(thinned, stretch, averages)), PAUSE_MS);
  }

  /** @param {Followed[]} of @param {[number, number] | null} stretch @param {boolean} averages */
  async function bring(of, stretch, averages) {
    flight.abort();
    flight = new AbortController();
    const { signal } = flight;
    const by = weight();
    // What comes once an epoch is never thinned.
    const names = new Set([
      ...NAMES,
      ...of.flatMap(({ store }) => store.names.filter((name) => name === "lr" || name.startsWith("tag:"))),
    ]);
    const query = { series: [...names, "time"], points: pointsFor(of.length), smooth: by, signal };
    const ids = of.map(({ id }) => id);
    try {
      const [whole, part] = await Promise.all([
        averages ? getMetricsOf(ids, query) : null,
        stretch ? getMetricsOf(ids, { ...query, from: stretch[0], to: stretch[1] }) : null,
      ]);
      let complete = true;
      for (const { id, store } of of) {
        for (const name of names) {
          if (!store.series[name]) continue;
          const average = whole?.[id]?.series[name]?.smoothed;
          if (average && store.series[name].thinned) store.series[name].smoothBy(by, average);
          const finer = part?.[id]?.series[name];
          if (finer && finer.total > finer.x.length) complete = false;
        }
        if (part?.[id]) store.refine(part[id], by);
      }
      exact = complete ? stretch : null;
      onData();
    } catch (error) {
      if (signal.aborted) return;
      // It is asked for again when the page is drawn the next time.
      asked = "";
      throw error;
    }
  }

  return {
    check,
    /** The curves were read anew: what came finer is gone. */
    forget() {
      asked = "";
      exact = null;
    },
  };
}
