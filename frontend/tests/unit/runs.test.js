import assert from "node:assert/strict";
import { test } from "node:test";
import { progressOf, sortRuns } from "../../runs/order.js";

/** @import { Run } from "../../lib/types" */

/** @param {string} id @param {Partial<Run>} more @param {Partial<Run["summary"]>} [summary] @returns {Run} */
const run = (id, more, summary = {}) =>
  /** @type {any} */ ({
    id,
    name: id,
    status: "finished",
    created: `2026-01-0${id.length}T00:00:00Z`,
    tags: [],
    spec: {
      data: { set: "digits" },
      network: { kind: "mlp", activation: "relu" },
      training: { optimizer: { kind: "sgd" } },
    },
    ...more,
    summary: { best_validation_accuracy: null, step: null, steps: null, ...summary },
  });
const ids = (/** @type {Run[]} */ runs) => runs.map(({ id }) => id);

test("runs come newest first", () => {
  assert.deepEqual(ids(sortRuns([run("a", {}), run("ccc", {}), run("bb", {})], { key: "created", descending: true })), [
    "ccc",
    "bb",
    "a",
  ]);
});

test("missing values come last in both sort directions", () => {
  const runs = [
    run("a", {}),
    run("bb", {}, { best_validation_accuracy: 0.5 }),
    run("ccc", {}, { best_validation_accuracy: 0.9 }),
  ];
  assert.deepEqual(ids(sortRuns(runs, { key: "validation", descending: true })), ["ccc", "bb", "a"]);
  assert.deepEqual(ids(sortRuns(runs, { key: "validation", descending: false })), ["bb", "ccc", "a"]);
});

test("equals keep the newest first", () => {
  assert.deepEqual(ids(sortRuns([run("a", {}), run("bb", {})], { key: "network", descending: false })), ["bb", "a"]);
});

test("settings are sorted by as numbers or as text, and what has none comes last", () => {
  const wide = (/** @type {string} */ id, /** @type {any} */ width) =>
    run(id, { spec: /** @type {any} */ ({ data: { set: "digits" }, network: { kind: "mlp", width }, training: {} }) });
  const runs = [wide("a", 100), wide("bb", 9), run("ccc", {}), wide("dddd", "auto")];
  assert.deepEqual(ids(sortRuns(runs, { key: "network.width", descending: false })), ["bb", "a", "dddd", "ccc"]);
  assert.deepEqual(ids(sortRuns(runs, { key: "network.width", descending: true })), ["dddd", "a", "bb", "ccc"]);
});

test("an unknown order becomes the default", () => {
  for (const key of ["constructor", "nothing"])
    assert.deepEqual(ids(sortRuns([run("a", {}), run("bb", {})], { key, descending: true })), ["bb", "a"]);
});

test("how much of a run is done", () => {
  assert.deepEqual(
    [run("a", {}, { step: 5, steps: 20 }), run("a", {}, { step: 5, steps: null }), run("a", {})].map(progressOf),
    [0.25, 0, 0],
  );
});
