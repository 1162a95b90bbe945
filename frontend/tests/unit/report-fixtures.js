// What the tests of reports share: a run, and a storage.

/** @import { Run } from "../../lib/types" */

/** @param {Partial<Run>} own @returns {Run} */
export const run = (own) =>
  /** @type {any} */ ({
    id: "01a214aa-f832-771b-b5df-8347040e379b",
    number: 1,
    changed: 1,
    name: "first",
    status: "finished",
    sweep: null,
    tags: [],
    spec: { data: { set: "digits" }, network: { kind: "mlp" } },
    summary: { test_accuracy: 0.9812, parameters: 17226, seconds: 75.2, test_loss: null },
    ...own,
  });

/** @returns {Storage} */
export function memory() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return /** @type {any} */ ({
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
    removeItem: (/** @type {string} */ key) => kept.delete(key),
  });
}
