import assert from "node:assert/strict";
import { test } from "node:test";
import { HEIGHT, WIDTH, finderPath, keyOf, placeOf } from "../../form/finder.js";

test("rates lie on the chart by their powers of ten", () => {
  assert.equal(placeOf(1e-6), 0);
  assert.equal(placeOf(10), WIDTH);
  assert.ok(Math.abs(placeOf(10 ** -2.5) - WIDTH / 2) < 1e-9);
});

test("the curve falls from its first losses to the least, and a divergence is cut off at the top", () => {
  const losses = [2.3, 2.3, 2.2, 1.5, 1.0, 1.2, 80];
  const steps = losses.map((loss, i) => ({ step: i + 1, steps: 7, lr: 10 ** (i - 6), loss }));
  const heights = finderPath(steps)
    .slice(1)
    .split("L")
    .map((point) => Number(point.split(" ")[1]));
  assert.equal(heights.length, 7);
  assert.equal(heights[4], HEIGHT);
  assert.equal(heights[6], 0);
  assert.ok(heights[0] > 0 && heights[0] < HEIGHT / 2, `${heights}`);
  assert.equal(finderPath(steps.slice(0, 1)), "");
});

test("a curve without a fall is a line too", () => {
  const steps = [1, 1, 1].map((loss, i) => ({ step: i + 1, steps: 3, lr: 10 ** (i - 6), loss }));
  assert.ok(!finderPath(steps).includes("NaN"));
});

test("a result stays true while only its rate, the schedule, the length or the name change", () => {
  const spec = (/** @type {any} */ training, name = "a") => ({
    name,
    data: { set: "digits" },
    network: { kind: "mlp" },
    training: {
      epochs: 3,
      schedule: { kind: "constant" },
      optimizer: { kind: "sgd", lr: 0.1, momentum: 0.9 },
      ...training,
    },
  });
  const key = (/** @type {any} */ made) => keyOf(/** @type {any} */ (made));
  const first = key(spec({}));
  assert.equal(key(spec({ epochs: 9, schedule: { kind: "cosine" } }, "b")), first);
  assert.equal(key(spec({ optimizer: { kind: "sgd", lr: 0.5, momentum: 0.9 } })), first);
  assert.notEqual(key(spec({ optimizer: { kind: "sgd", lr: 0.1, momentum: 0.5 } })), first);
  assert.notEqual(key(spec({ batch_size: 2 })), first);
});
