// Fetches finer data if the screen can show it. Long runs arrive thinned: a zoom needs the points in its range, and a
// moving average needs all points.

import { getMetricsOf } from "../lib/api.js";
import { attempt } from "../lib/shell.js";
import { pointsFor, rangeAround } from "./resolution.js";

/** @import { RunStore } from "./store.js" */
/** @import { RunLines } from "./lines.js" */

/** @typedef {{ id: string, store: RunStore, lines: RunLines }} Followed */

/** Debounces pointer moves. */
const PAUSE_MS = 25;
const NAMES = /** @type {const} */ (["train_loss", "train_accuracy"]);

/**
 * @param {{
 *   runs: () => Followed[],
 *   range: () => [number, number] | null,
 *   weight: () => number,
 *   onData: () => void,
 * }} options `range`: the visible positions, or null for the whole run
 */
export function refiner({ runs, range, weight, onData }) {
  /** The last request. */
  let asked = "";
  /** The range of steps that is complete. @type {[number, number] | null} */
  let exact = null;
  let timer = 0;
  let flight = new AbortController();

  /** Checks whether finer data is needed. Called after each drawing. */
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
    // Series with one value per epoch are never thinned.
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
      // The next drawing asks again.
      asked = "";
      throw error;
    }
  }

  return {
    check,
    /** Resets after the curves were fetched again without the finer data. */
    forget() {
      asked = "";
      exact = null;
    },
  };
}
