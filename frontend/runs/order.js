// The order of the runs table.

import { settingsOf } from "../lib/settings-diff.js";

/** @import { Run } from "../lib/types" */

/** @typedef {{ key: string, descending: boolean }} Order */

/** The sort key of each column. @type {{ [key: string]: (run: Run) => string | number | null }} */
export const SORT_KEYS = {
  created: (run) => run.created,
  status: (run) => ["running", "queued", "interrupted", "failed", "stopped", "finished"].indexOf(run.status),
  name: (run) => run.name.toLocaleLowerCase(),
  network: (run) => run.spec.network?.kind ?? null,
  data: (run) => run.spec.data?.set ?? null,
  progress: (run) => progressOf(run),
  train_loss: (run) => run.summary.train_loss,
  loss: (run) => run.summary.validation_loss,
  last: (run) => run.summary.validation_accuracy,
  validation: (run) => run.summary.best_validation_accuracy,
  parameters: (run) => run.summary.parameters,
  memory: (run) => run.summary.peak_memory_bytes,
  test: (run) => run.summary.test_accuracy,
  speed: (run) => run.summary.images_per_s,
  seconds: (run) => run.summary.seconds,
};

/** Whether the table can be sorted by a column key or setting path. @param {string} key */
export const canSort = (key) => Object.hasOwn(SORT_KEYS, key) || key.includes(".");

/**
 * The sort key of a setting: a number, a text, or null if it is missing.
 * @param {string} path
 * @returns {(run: Run) => string | number | null}
 */
function settingKey(path) {
  return (run) => {
    const value = settingsOf(run).get(path) ?? null;
    return value === null || typeof value === "number" ? value : String(value);
  };
}

/** @param {string | number} a @param {string | number} b numbers sort before text */
function compare(a, b) {
  return typeof a === typeof b ? a < b : typeof a === "number";
}

/** The completed fraction of a run, 0 to 1. @param {Run} run */
export function progressOf({ summary: { step, steps } }) {
  return step !== null && steps ? Math.min(1, step / steps) : 0;
}

/**
 * Returns the runs sorted. Missing values come last in both directions, and newer runs first among equals.
 * @param {Run[]} runs
 * @param {Order} order
 */
export function sortRuns(runs, { key, descending }) {
  const value = Object.hasOwn(SORT_KEYS, key) ? SORT_KEYS[key] : canSort(key) ? settingKey(key) : SORT_KEYS.created;
  const sign = descending ? -1 : 1;
  return [...runs].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1;
    } else if (x !== y) {
      return (compare(x, y) ? -1 : 1) * sign;
    }
    return a.created < b.created ? 1 : a.created > b.created ? -1 : a.id < b.id ? 1 : -1;
  });
}
