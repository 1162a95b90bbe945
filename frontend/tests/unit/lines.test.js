import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultView } from "../../chart/view.js";
import { RunLines } from "../../run/lines.js";
import { RunStore } from "../../run/store.js";

/** @import { Run, StepsEvent } from "../../lib/types" */

/** When the events of these tests were written. */
const NOW = "2026-01-01T00:00:00Z";

/** 10 samples in batches of 4, once the run has started. @param {boolean} started @returns {Run} */
const run = (started) =>
  /** @type {any} */ ({
    id: "r",
    source: null,
    spec: { training: { batch_size: 4 } },
    summary: started ? { train_samples: 10, steps_per_epoch: 3 } : { train_samples: null, steps_per_epoch: null },
  });

/** @param {number} seq @param {number} first @param {number[]} loss @returns {StepsEvent} */
const steps = (seq, first, loss) => ({
  kind: "steps",
  seq,
  time: NOW,
  first_step: first,
  epoch: 1,
  samples_seen: 0,
  seconds: first + loss.length - 1,
  loss,
  accuracy: loss.map(() => 0.5),
  lr: loss.map(() => 0.1),
  images_per_s: 1,
});

/** @param {RunLines} lines @param {"raw" | "smooth"} which */
const at = (lines, which) => {
  const { x, length } = lines[which]("train_loss");
  return Array.from({ length }, (_, i) => x[i]);
};

test("lines drawn before the run's figures arrive are positioned right afterwards", () => {
  for (const [axis, expected] of /** @type {const} */ ([
    ["step", [1, 2, 3, 4]],
    ["samples", [4, 8, 10, 14]],
    ["epoch", [1 / 3, 2 / 3, 1, 4 / 3]],
    ["time", [1, 2, 3, 4]],
  ])) {
    const [store, view] = [new RunStore(), defaultView(["loss"], axis)];
    let now = run(false);
    const lines = new RunLines(
      store,
      () => now,
      view,
      () => 0.5,
    );
    assert.deepEqual(at(lines, "raw"), []);
    // The first steps may arrive before the run's figures.
    store.apply(steps(1, 1, [9, 8]));
    at(lines, "raw");
    at(lines, "smooth");
    lines.raw("validation_loss");
    now = run(true);
    store.apply(steps(2, 3, [7, 6]));
    assert.deepEqual(at(lines, "raw"), expected, axis);
    assert.deepEqual(at(lines, "smooth"), expected, axis);
  }
});

test("a new axis, a new weight and reloaded curves show at once", () => {
  const [store, view] = [new RunStore(), defaultView(["loss"])];
  let weight = 0.05;
  const lines = new RunLines(
    store,
    () => run(true),
    view,
    () => weight,
  );
  store.apply(steps(1, 1, [9, 3]));
  assert.deepEqual(at(lines, "smooth"), [1, 2]);
  const before = lines.smooth("train_loss").y[1];
  weight = 0.9;
  assert.notEqual(lines.smooth("train_loss").y[1], before);
  view.axis = "samples";
  assert.deepEqual(at(lines, "smooth"), [4, 8]);
  store.load({
    run: "r",
    last_seq: 9,
    x: "step",
    series: { train_loss: { x: [1, 2, 3], y: [1, 1, 1], total: 3, not_finite: [] } },
  });
  assert.deepEqual([at(lines, "smooth"), lines.smooth("train_loss").y[1]], [[4, 8, 10], 1]);
});

test("unchanged inputs are derived once", () => {
  const [store, view] = [new RunStore(), defaultView(["loss"], "samples")];
  const lines = new RunLines(
    store,
    () => run(true),
    view,
    () => 0.5,
  );
  store.apply(steps(1, 1, [9, 3]));
  const first = lines.smooth("train_loss");
  store.apply(steps(2, 3, [1]));
  const second = lines.smooth("train_loss");
  assert.equal(first.x, second.x);
  assert.equal(first.y, second.y);
  assert.equal(second.length, 3);
});
