import assert from "node:assert/strict";
import { test } from "node:test";
import { Column } from "../../chart/column.js";
import { Smoothed, sliderFromWeight, weightFromSlider } from "../../chart/smooth.js";

/** @param {number[]} values @param {number} weight */
function smoothed(values, weight) {
  const y = new Column();
  values.forEach((value) => y.push(value));
  const column = new Smoothed(y, weight).get();
  return [...column.data.subarray(0, column.length)];
}

/** @param {number[]} found @param {number[]} expected */
function close(found, expected) {
  assert.equal(found.length, expected.length);
  found.forEach((value, i) =>
    assert.ok(Math.abs(value - expected[i]) < 1e-12, `at ${i}: ${value}, expected ${expected[i]}`),
  );
}

test("the first averages are over few values: computed by hand", () => {
  // m = 1, 9/8, 10/8: s2 = 4 + (8 - 4)·8/9, s3 = s2 + (2 - s2)·8/10
  const second = 4 + 32 / 9;
  close(smoothed([4, 8, 2], 0.9), [4, second, second + (2 - second) * 0.8]);
});

test("a line is late by an eighth of its length at most, and later by what the weight says", () => {
  const lag = smoothed(
    Array.from({ length: 400 }, (_, i) => i + 1),
    0.9,
  ).map((value, i) => i + 1 - value);
  assert.ok(lag.every((late, i) => late <= (i + 1) / 8));
  // w / (1 - w) steps
  assert.ok(Math.abs(lag[399] - 9) < 1e-6, String(lag[399]));
});

test("a constant stays exactly what it is, whatever the weight", () => {
  for (const weight of [0.1, 0.9, 0.999]) {
    assert.deepEqual(
      new Set(
        smoothed(
          Array.from({ length: 1000 }, () => 0.1),
          weight,
        ),
      ),
      new Set([0.1]),
    );
  }
});

test("weight 0 leaves every value alone", () => {
  assert.deepEqual(smoothed([3, -1, 7.5], 0), [3, -1, 7.5]);
});

test("NaN stays NaN and does not affect later values", () => {
  const found = smoothed([4, Number.NaN, Number.POSITIVE_INFINITY, 4], 0.9);
  assert.deepEqual(found, [4, Number.NaN, Number.NaN, 4]);
});

test("appending continues, with the same result as smoothing all at once", () => {
  const values = Array.from({ length: 500 }, (_, i) => Math.sin(i) + i / 100);
  const y = new Column(16);
  const smooth = new Smoothed(y, 0.95);
  values.forEach((value, i) => {
    y.push(value);
    if (i % 7 === 0) smooth.get();
  });
  const column = smooth.get();
  assert.deepEqual([...column.data.subarray(0, column.length)], smoothed(values, 0.95));
});

test("after removing values, smoothing restarts", () => {
  const y = new Column();
  [10, 20, 30].forEach((value) => y.push(value));
  const smooth = new Smoothed(y, 0.5);
  smooth.get();
  y.truncate(1);
  y.push(40);
  assert.deepEqual([...smooth.get().data.subarray(0, 2)], smoothed([10, 40], 0.5));
});

test("the slider ranges from 0 to 0.999 and returns the weight it shows", () => {
  assert.equal(weightFromSlider(0), 0);
  assert.equal(weightFromSlider(300), 0.999);
  for (const weight of [0, 0.5, 0.9, 0.99, 0.999])
    assert.ok(Math.abs(weightFromSlider(sliderFromWeight(weight)) - weight) < 0.004);
});
