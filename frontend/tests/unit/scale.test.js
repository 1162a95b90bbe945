import assert from "node:assert/strict";
import { test } from "node:test";
import { padded, shareOf, stretch, ticks, tickText, usable, valueAt } from "../../chart/scale.js";

test("shares and values undo each other on both kinds of axis", () => {
  for (const scale of [{ min: 2, max: 10, log: false }, { min: 0.01, max: 100, log: true }]) {
    for (const share of [0, 0.25, 1]) assert.ok(Math.abs(shareOf(scale, valueAt(scale, share)) - share) < 1e-12);
  }
  assert.equal(Math.round(valueAt({ min: 1, max: 100, log: true }, 0.5)), 10);
  assert.deepEqual(stretch({ min: 0, max: 8, log: false }, 0.25, 0.5), [2, 4]);
});

test("ticks are round, inside, and about as many as asked for", () => {
  assert.deepEqual(ticks({ min: 0, max: 1, log: false }, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks({ min: 0.13, max: 0.29, log: false }, 4), [0.15, 0.2, 0.25]);
  assert.deepEqual(ticks({ min: -3, max: 3, log: false }, 3), [-2, 0, 2]);
  assert.deepEqual(ticks({ min: 0.001, max: 1000, log: true }, 7), [0.001, 0.01, 0.1, 1, 10, 100, 1000]);
  assert.deepEqual(ticks({ min: 0.5, max: 30, log: true }, 6), [0.5, 1, 2, 5, 10, 20]);
});

test("a narrow log axis still has ticks", () => {
  assert.ok(ticks({ min: 2.1, max: 2.9, log: true }, 4).length >= 3);
});

test("an empty range becomes one that can be drawn", () => {
  assert.deepEqual(usable(3, 3, false), [2.85, 3.15]);
  assert.deepEqual(usable(0, 0, false), [-0.5, 0.5]);
  assert.deepEqual(usable(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true), [0.1, 1]);
  const [low, high] = usable(-5, 10, true);
  assert.ok(low > 0 && high === 10);
  assert.ok(padded([1, 100], true)[0] > 0);
});

test("tick words are short", () => {
  assert.deepEqual([0, 0.25, 1500, 20_000, 1_500_000, 1e-7, 3e12, 4.999999999999999e24].map(tickText), ["0", "0.25", "1500", "20k", "1.5M", "1e-7", "3e12", "5e24"]);
});
