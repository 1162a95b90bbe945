import assert from "node:assert/strict";
import { test } from "node:test";
import { LineData } from "../../chart/line-data.js";
import { RunStore } from "../../run/store.js";
import { rangeAround } from "../../run/resolution.js";

/** @param {LineData} data */
const pairs = ({ x, y }) => Array.from({ length: x.length }, (_, i) => [x.data[i], y.data[i]]);

function coarse() {
  const data = new LineData();
  for (const step of [1, 10, 20, 30, 40]) data.push(step, step);
  return data;
}

test("finer points replace only those in their range", () => {
  const data = coarse();
  data.refine([10, 12, 14, 20], [100, 120, null, 200]);
  assert.deepEqual(pairs(data), [
    [1, 1],
    [10, 100],
    [12, 120],
    [14, Number.NaN],
    [20, 200],
    [30, 30],
    [40, 40],
  ]);
});

test("refining another range restores the coarse points of the first", () => {
  const data = coarse();
  data.refine([10, 12, 20], [100, 120, 200]);
  data.refine([30, 35, 40], [1, 2, 3]);
  assert.deepEqual(
    pairs(data).map(([x]) => x),
    [1, 10, 20, 30, 35, 40],
  );
});

test("live points stay after a refinement", () => {
  const data = coarse();
  data.refine([10, 12, 20], [100, 120, 200]);
  data.push(50, 50);
  data.refine([20, 25, 30], [1, 2, 3]);
  assert.deepEqual(pairs(data).at(-1), [50, 50]);
  data.rewind(40);
  data.refine([1, 2], [7, 8]);
  assert.deepEqual(
    pairs(data).map(([x]) => x),
    [1, 2, 10, 20, 30],
  );
});

test("a refinement changes the version of the columns", () => {
  const data = coarse();
  const { version } = data.x;
  data.refine([10, 12, 20], [100, 120, 200]);
  assert.ok(data.x.version > version);
});

test("a thinned run goes on with the server's average", () => {
  const store = new RunStore();
  const series = {
    x: [1, 500, 1000],
    y: [4, 3, 2],
    total: 1000,
    not_finite: [],
    smoothed: { x: [1, 1000], y: [4, 2.5] },
  };
  store.load({ run: "r", last_seq: 1, x: "step", series: { train_loss: series } }, 0.9);
  assert.ok(store.thinned);
  store.series.train_loss.push(1001, 1.5);
  const data = store.series.train_loss.smooth?.data;
  assert.ok(data);
  assert.deepEqual(
    pairs(data).map(([x, y]) => [x, Number(y.toFixed(9))]),
    [
      [1, 4],
      [1000, 2.5],
      [1001, 2.4],
    ],
  );
});

test("the requested range covers the visible one, and is the same for small moves", () => {
  for (const [from, to] of [
    [1, 5],
    [100, 1100],
    [654_000, 655_000],
    [0, 1_000_000],
  ]) {
    const [start, end] = rangeAround(from, to);
    assert.ok(start <= from && end >= to && end - start <= 4 * Math.max(16, to - from), `${start} ${end}`);
  }
  assert.deepEqual(rangeAround(1000, 2000), rangeAround(1010, 2010));
});
