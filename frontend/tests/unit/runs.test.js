import assert from "node:assert/strict";
import { test } from "node:test";
import { progressOf, readOrder, sortOf, writeOrder } from "../../runs/order.js";

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

test("an order is written to a URL, read from it and told to the server", () => {
  for (const [text, sort] of [
    ["", "-created"],
    ["created:up", "created"],
    ["name:up", "name"],
    ["validation:down", "-validation"],
    ["training.optimizer.lr:up", "training.optimizer.lr"],
  ]) {
    assert.equal(sortOf(readOrder(text)), sort);
    assert.equal(writeOrder(readOrder(text)), text);
  }
});

test("an unknown order becomes the default", () => {
  for (const key of ["constructor", "nothing"]) assert.equal(sortOf(readOrder(`${key}:up`)), "-created");
});

test("how much of a run is done", () => {
  assert.deepEqual(
    [run("a", {}, { step: 5, steps: 20 }), run("a", {}, { step: 5, steps: null }), run("a", {})].map(progressOf),
    [0.25, 0, 0],
  );
});
