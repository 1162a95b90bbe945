import assert from "node:assert/strict";
import { test } from "node:test";
import { padRange, normalize, subrange, ticks, tickText, tickTexts, validRange, invert } from "../../chart/scale.js";

test("normalize and invert are inverse on both kinds of axis", () => {
  for (const scale of [
    { min: 2, max: 10, log: false },
    { min: 0.01, max: 100, log: true },
  ]) {
    for (const share of [0, 0.25, 1]) assert.ok(Math.abs(normalize(scale, invert(scale, share)) - share) < 1e-12);
  }
  assert.equal(Math.round(invert({ min: 1, max: 100, log: true }, 0.5)), 10);
  assert.deepEqual(subrange({ min: 0, max: 8, log: false }, 0.25, 0.5), [2, 4]);
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
  assert.deepEqual(validRange(3, 3, false), [2.85, 3.15]);
  assert.deepEqual(validRange(0, 0, false), [-0.5, 0.5]);
  assert.deepEqual(validRange(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true), [0.1, 1]);
  const [low, high] = validRange(-5, 10, true);
  assert.ok(low > 0 && high === 10);
  assert.ok(padRange([1, 100], true)[0] > 0);
});

test("tick words are short", () => {
  assert.deepEqual([0, 0.25, 1500, 20_000, 1_500_000, 1e-7, 3e12, 4.999999999999999e24].map(tickText), [
    "0",
    "0.25",
    "1500",
    "20k",
    "1.5M",
    "1e-7",
    "3e12",
    "5e24",
  ]);
});

test("ticks that differ only in their last digits have distinct, exact labels", () => {
  assert.deepEqual(tickTexts([1_000_000, 1_000_020, 1_000_040]), ["1,000,000", "1,000,020", "1,000,040"]);
  assert.deepEqual(tickTexts([12_345, 12_346]), ["12,345", "12,346"]);
  assert.deepEqual(tickTexts([2_000_000_001, 2_000_000_002]), ["2,000,000,001", "2,000,000,002"]);
  assert.deepEqual(tickTexts([0.1000001, 0.1000002]), ["0.1000001", "0.1000002"]);
  assert.deepEqual(tickTexts([0, 500_000, 1_000_000]), ["0", "500k", "1M"]);
  assert.deepEqual(tickTexts([0.001, 0.01, 1000]), ["0.001", "0.01", "1000"]);
  assert.deepEqual([tickTexts([]), tickTexts([7])], [[], ["7"]]);
  for (const [min, max] of [
    [1e6, 1e6 + 99],
    [5e8, 5e8 + 7],
    [0.3, 0.3 + 1e-9],
    [-1e6, -1e6 + 3],
    [1e-7, 3e-7],
  ]) {
    const words = tickTexts(ticks({ min, max, log: false }, 5));
    assert.ok(words.length > 2 && new Set(words).size === words.length, words.join(" "));
  }
});

test("an axis that needs exponents has them throughout, but for numbers around 1", () => {
  assert.deepEqual(tickTexts([1, 1e6, 1e12]), ["1", "1e6", "1e12"]);
  assert.deepEqual(tickTexts([1e-6, 1e-4, 0.01, 1]), ["1e-6", "1e-4", "0.01", "1"]);
  assert.deepEqual(tickTexts([0, 5e9, 1e10]), ["0", "5e9", "1e10"]);
  assert.deepEqual(tickTexts([0, 1e6, 2e6]), ["0", "1M", "2M"]);
});
