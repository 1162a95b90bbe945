import assert from "node:assert/strict";
import { test } from "node:test";
import { secondsAt, epochAt, axisPositions, samplesAt } from "../../chart/axis.js";
import { Column } from "../../chart/column.js";

// 10 samples in batches of 4: the third batch of an epoch has 2.
const pace = { trainSamples: 10, stepsPerEpoch: 3, batchSize: 4 };

/** @param {number[]} values */
function column(values) {
  const made = new Column();
  values.forEach((value) => made.push(value));
  return made;
}

test("the short last batch of an epoch counts what it holds", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map((step) => samplesAt(step, pace)),
    [4, 8, 10, 14, 18, 20],
  );
});

test("a batch larger than the data counts the data", () => {
  assert.deepEqual(
    [1, 2].map((step) => samplesAt(step, { trainSamples: 10, stepsPerEpoch: 1, batchSize: 64 })),
    [10, 20],
  );
});

test("an epoch is complete at its last step", () => {
  assert.deepEqual(
    [3, 6].map((step) => epochAt(step, pace)),
    [1, 2],
  );
  assert.equal(epochAt(4, pace), 4 / 3);
});

test("time is interpolated between known times, from 0", () => {
  const at = secondsAt(column([4, 8]), column([2, 10]));
  assert.deepEqual([1, 2, 4, 6, 8].map(at), [0.5, 1, 2, 6, 10]);
  assert.equal(at(9), 10, "what is not known yet is the last moment");
  assert.equal(at(2), 1, "asked out of order");
});

test("without known times the time is 0", () => {
  assert.equal(secondsAt(column([]), column([]))(5), 0);
});

test("positions grow with the steps and follow when steps are removed", () => {
  const steps = column([1, 2, 3]);
  const samples = axisPositions("samples", steps, pace, { x: column([]), y: column([]) });
  assert.deepEqual([...samples.get().data.subarray(0, 3)], [4, 8, 10]);
  steps.push(4);
  assert.equal(samples.get().last(), 14);
  steps.truncate(2);
  const after = samples.get();
  assert.deepEqual([...after.data.subarray(0, after.length)], [4, 8]);
});

test("on the step axis nothing is copied", () => {
  const steps = column([1, 2]);
  assert.equal(axisPositions("step", steps, pace, { x: steps, y: steps }).get(), steps);
});
