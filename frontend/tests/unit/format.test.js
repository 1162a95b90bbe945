import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ago,
  bytes,
  count,
  duration,
  formatLoss,
  formatNumber,
  percent,
  percentSpread,
  plural,
  sameDecimals,
  exactNumber,
  compactNumber,
  spread,
} from "../../lib/format.js";

test("missing and non-finite values are a dash", () => {
  for (const say of [count, compactNumber, percent, formatNumber, duration, bytes]) {
    for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(say(value), "–");
  }
});

test("numbers", () => {
  assert.equal(count(134_309_962), "134,309,962");
  assert.deepEqual([134_309_962, 17_226, 999, 1000, 51_234.5].map(compactNumber), [
    "134 M",
    "17.2 k",
    "999",
    "1 k",
    "51.2 k",
  ]);
  assert.equal(percent(0.97264), "97.3%");
  assert.equal(percent(1), "100.0%");
  assert.deepEqual([0.0012346, 0, 123_456, 2.5, 1e-7, 3e30].map(formatNumber), [
    "0.001235",
    "0",
    "123,456",
    "2.5",
    "1.00e-7",
    "3.00e30",
  ]);
});

test("a loss that is nothing but rounding is about 0", () => {
  assert.deepEqual([1.01e-25, -3e-13, 0, 2e-12, 0.0012346, 5e24].map(formatLoss), [
    "≈ 0",
    "≈ 0",
    "0",
    "2.00e-12",
    "0.001235",
    "5.00e24",
  ]);
  assert.equal(formatLoss(null), "–");
});

test("a number has as many decimals as its deviation", () => {
  assert.equal(percentSpread(0.97264, 0.00412), "97.3 ± 0.4%");
  assert.equal(percentSpread(1, 0), "100.0 ± 0.0%");
  assert.deepEqual(
    [
      [0.12345, 0.0567],
      [0.5, 0.0123],
      [2.29, 0.0996],
      [2.29, 0],
      [0.0012, 0.00001],
      [3.4, 2.1],
      [24.5, 12.3],
      [140, 220],
    ].map(([mean, deviation]) => spread(mean, deviation)),
    [
      "0.123 ± 0.057",
      "0.500 ± 0.012",
      "2.29 ± 0.10",
      "2.290 ± 0.000",
      "0.0012 ± 0.0000",
      "3.40 ± 2.10",
      "25 ± 12",
      "140 ± 220",
    ],
  );
});

test("settings are exactly what they are", () => {
  assert.deepEqual([0.0001, 1e-8, [128, 64], null, true, "relu"].map(exactNumber), [
    "0.0001",
    "1e-8",
    "128, 64",
    "none",
    "yes",
    "relu",
  ]);
});

test("durations", () => {
  assert.deepEqual([0, 0.003, 0.42, 9.96, 59.6, 75.2, 3600, 3725, 90_000].map(duration), [
    "0.0 s",
    "< 0.1 s",
    "0.4 s",
    "10 s",
    "1 min",
    "1 min 15 s",
    "1 h",
    "1 h 2 min",
    "1 d 1 h",
  ]);
});

test("sizes", () => {
  assert.deepEqual([0, 1023, 1536, 148_897_792, 5_368_709_120].map(bytes), [
    "0 B",
    "1023 B",
    "1.5 KiB",
    "142 MiB",
    "5 GiB",
  ]);
});

test("ages", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  const before = (/** @type {number} */ seconds) => ago(new Date(now - seconds * 1000).toISOString(), now);
  assert.deepEqual([3, 42, 150, 7200, 90_000, 400_000].map(before), [
    "just now",
    "42 s ago",
    "2 min ago",
    "2 h ago",
    "yesterday",
    "4 days ago",
  ]);
  assert.equal(ago("never", now), "–");
});

test("one and many", () => {
  assert.deepEqual([plural(1, "run"), plural(2, "run"), plural(0, "run")], ["1 run", "2 runs", "0 runs"]);
});

test("numbers of a column have the decimals of the largest", () => {
  const column = [1.846, -0.2, 0.0026, null];
  assert.deepEqual(column.map(sameDecimals(column)), ["1.846", "-0.200", "0.003", "–"]);
  assert.deepEqual([1234.5, 2].map(sameDecimals([1234.5, 2])), ["1235", "2"]);
  assert.deepEqual([0.07251, 0.0451].map(sameDecimals([0.07251, 0.0451])), ["0.07251", "0.04510"]);
  // What is too small or too large for decimals is written as elsewhere.
  assert.deepEqual([2e-5, 0].map(sameDecimals([2e-5, 0])), ["2.00e-5", "0"]);
});
