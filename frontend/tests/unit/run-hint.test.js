// What a run's page says to look at while it trains, and what its curves say afterwards.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document ??= /** @type {any} */ ({ documentElement: { dataset: {} }, querySelector: () => null });

const { hintFor } = await import("../../run/hint.js");

/** @import { Run } from "../../lib/types" */

/** @param {any} summary @param {any} [more] @returns {Run} */
const run = (summary, more = {}) =>
  /** @type {any} */ ({
    id: "r1",
    source: null,
    status: "finished",
    reason: "completed",
    spec: {
      data: { set: "digits", size: 8, validation: 0.1 },
      network: { kind: "mlp", dropout: 0 },
      training: { epochs: 10, optimizer: { kind: "sgd", lr: 0.01, weight_decay: 0 } },
    },
    ...more,
    summary: {
      epoch: 10,
      best_epoch: 7,
      train_accuracy: 0.97,
      validation_accuracy: 0.96,
      test_accuracy: 0.95,
      best_validation_accuracy: 0.96,
      classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
      ...summary,
    },
  });

/** @param {any} spec */
const training = (spec) => hintFor(run({}, { status: "running", reason: null, spec }))?.text ?? "";

test("while a run trains, the hint is about what its page shows", () => {
  const points = { set: "moons", validation: 0.1 };
  const images = { set: "digits", size: 8, validation: 0.1 };
  assert.match(training({ data: points, network: { kind: "perceptron" } }), /only a point on its wrong side moves it/);
  assert.match(training({ data: points, network: { kind: "mlp" } }), /line between the colours/);
  assert.match(training({ data: images, network: { kind: "mlp" } }), /validation loss rises/);
  assert.match(
    training({ data: { ...images, validation: 0 }, network: { kind: "mlp" } }),
    /Without validation samples/,
  );
  const said = (/** @type {any} */ summary) => hintFor(run(summary, { status: "running", reason: null }))?.text ?? "";
  assert.match(said({ train_accuracy: 0.99, validation_accuracy: 0.9 }), /99\.0%.*90\.0%.*overfitting/);
  assert.match(said({ train_loss: 0.001, validation_loss: 0.03 }), /far below it/);
  assert.match(said({ train_loss: 0.02, validation_loss: 0.03 }), /fall together/);
});

test("a run that overfits says so and leads to a form with dropout, or with weight decay where dropout is on", () => {
  const overfits = { train_accuracy: 1, validation_accuracy: 0.9 };
  const hint = hintFor(run(overfits));
  assert.match(hint?.text ?? "", /100\.0%.*90\.0%.*overfits/);
  assert.deepEqual(hint?.steps, [
    { label: "New run with dropout 0.5", href: "/new?copy=r1&set=network.dropout%3A0.5" },
  ]);
  const { spec } = run({});
  const dropped = { ...spec, network: { kind: "mlp", dropout: 0.5 } };
  assert.equal(hintFor(run(overfits, { spec: dropped }))?.steps[0].label, "New run with weight decay 0.0005");
});

test("an early best epoch, a late one and guessing are told apart; between them nothing is said", () => {
  assert.match(hintFor(run({ best_epoch: 2 }))?.text ?? "", /epoch 2 of 10/);
  assert.equal(hintFor(run({ best_epoch: 10 }))?.steps[0].label, "New run with 20 epochs");
  assert.match(hintFor(run({ test_accuracy: 0.11 }))?.text ?? "", /guessing/);
  assert.equal(hintFor(run({})), null);
  // The film of its mistakes says how a perceptron ended.
  assert.equal(
    hintFor(run({ best_epoch: 2 }, { spec: { data: { set: "blobs" }, network: { kind: "perceptron" } } })),
    null,
  );
});

test("what did not end as planned has its advice elsewhere, and imported curves have none", () => {
  for (const more of [
    { status: "failed", reason: "failed" },
    { reason: "diverged" },
    { status: "stopped" },
    { source: {} },
  ])
    assert.equal(hintFor(run({ best_epoch: 2 }, more)), null);
});
