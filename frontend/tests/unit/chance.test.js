// Runs that learned nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isNearChance, nearChanceTitle } from "../../runs/chance.js";
import { curvePath, shortCurveName } from "../../runs/sparkline.js";

/** @param {number} classes @param {number | null} tested @param {{ [name: string]: unknown }} [more] */
const run = (classes, tested, more = {}) =>
  /** @type {import("../../lib/types").Run} */ (
    /** @type {unknown} */ ({
      status: "finished",
      reason: "completed",
      summary: {
        test_accuracy: tested,
        best_validation_accuracy: 0.1,
        classes: Array.from({ length: classes }, (_, i) => String(i)),
      },
      ...more,
    })
  );

test("a finished run that hardly beats guessing among its classes is near chance", () => {
  assert.deepEqual(
    [run(10, 0.1), run(10, 0.14), run(10, 0.23), run(2, 0.52), run(2, 0.6), run(100, 0.05)].map(isNearChance),
    [true, true, false, true, false, true],
  );
  assert.equal(isNearChance(run(10, null)), true);
  for (const more of [{ status: "running" }, { status: "failed" }, { reason: "diverged" }])
    assert.equal(isNearChance(run(10, 0.1, more)), false);
  assert.equal(isNearChance(run(0, 0.1)), false);
  assert.match(nearChanceTitle(run(10, 0.1)), /10 classes .* 10\.0% /);
});

test("a small curve says what it is of, and noise is not drawn as a change", () => {
  assert.deepEqual(
    ["validation_accuracy", "train_loss"].map((name) => shortCurveName(/** @type {any} */ (name))),
    ["accuracy", "loss"],
  );
  const heights = (/** @type {number} */ least) =>
    curvePath([0.1, 0.104], least)
      .d.split("L")
      .map((point) => Number(point.split(" ")[1]));
  const [low, high] = heights(0.04);
  assert.ok(low > high && low - high < 3, `${low} ${high}`);
  assert.ok(heights(0)[0] - heights(0)[1] > 10);
});
