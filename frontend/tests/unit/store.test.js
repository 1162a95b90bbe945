import assert from "node:assert/strict";
import { test } from "node:test";
import { RunStore } from "../../run/store.js";

/** @import { Metrics, StepsEvent } from "../../lib/types" */

/** When the events of these tests were written. */
const NOW = "2026-01-01T00:00:00Z";

/**
 * @param {number} seq
 * @param {number} first
 * @param {(number | null)[]} loss
 * @param {Partial<StepsEvent>} [more]
 * @returns {StepsEvent}
 */
const steps = (seq, first, loss, more = {}) => ({
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
  ...more,
});

/** @param {RunStore} store @param {"train_loss" | "validation_loss" | "time"} name */
const pairs = (store, name) => {
  const { x, y } = store.series[name];
  return Array.from({ length: x.length }, (_, i) => [x.data[i], y.data[i]]);
};

/** @returns {Metrics} */
const metrics = () => ({
  run: "r",
  last_seq: 5,
  x: "step",
  series: {
    train_loss: { x: [1, 2, 3], y: [3, null, 1], total: 3, not_finite: [{ x: 2, kind: "inf" }] },
    validation_loss: { x: [3], y: [2], total: 1, not_finite: [] },
  },
});

test("an event that came before changes nothing", () => {
  const store = new RunStore();
  assert.equal(store.apply(steps(1, 1, [3, 2])), "new");
  assert.equal(store.apply(steps(1, 1, [3, 2])), "old");
  assert.deepEqual(pairs(store, "train_loss"), [
    [1, 3],
    [2, 2],
  ]);
  assert.equal(store.series.train_loss.total, 2);
});

test("an event that skips ahead is refused and changes nothing", () => {
  const store = new RunStore();
  store.apply(steps(1, 1, [3]));
  assert.equal(store.apply(steps(3, 3, [1])), "gap");
  assert.equal(store.lastSeq, 1);
  assert.deepEqual(pairs(store, "train_loss"), [[1, 3]]);
});

test("the stream goes on after what was loaded, and its overlap is dropped", () => {
  const store = new RunStore();
  store.load(metrics());
  assert.equal(store.apply(steps(5, 3, [1])), "old");
  assert.equal(store.apply(steps(6, 4, [0.5])), "new");
  assert.deepEqual(
    pairs(store, "train_loss").map(([x]) => x),
    [1, 2, 3, 4],
  );
  assert.deepEqual(store.series.train_loss.notFinite, [{ step: 2, kind: "inf" }]);
  assert.ok(Number.isNaN(store.series.train_loss.y.data[1]));
});

test("loading again after a gap forgets what was there", () => {
  const store = new RunStore();
  store.apply(steps(1, 1, [9, 9, 9, 9]));
  store.load(metrics());
  assert.equal(store.series.train_loss.x.length, 3);
  assert.equal(store.lastSeq, 5);
});

test("the kind of a non-finite value is the event's", () => {
  const store = new RunStore();
  store.apply(steps(1, 1, [1, null], { not_finite: "inf" }));
  store.apply(steps(2, 3, [null], { not_finite: "nan" }));
  assert.deepEqual(store.series.train_loss.notFinite, [
    { step: 2, kind: "inf" },
    { step: 3, kind: "nan" },
  ]);
});

test("infinities are exported with their sign", () => {
  const store = new RunStore();
  store.apply(steps(1, 1, [1, null], { not_finite: "inf" }));
  store.apply(steps(2, 3, [null], { not_finite: "-inf" }));
  store.apply(steps(3, 4, [null], { not_finite: "nan" }));
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => store.series.train_loss.told(i)),
    [1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
  );
});

test("steps repeated by a resumed run replace the old ones", () => {
  const store = new RunStore();
  store.apply(steps(1, 1, [5, 4, null]));
  assert.equal(store.apply(steps(2, 2, [4, 3, 2])), "new");
  assert.deepEqual(pairs(store, "train_loss"), [
    [1, 5],
    [2, 4],
    [3, 3],
    [4, 2],
  ]);
  assert.deepEqual(store.series.train_loss.notFinite, []);
  assert.equal(store.series.train_loss.total, 4);
});

test("time is known at the last step of a line, validation at the end of an epoch", () => {
  const store = new RunStore();
  store.apply(steps(1, 1, [5, 4, 3], { seconds: 1.5 }));
  store.apply({
    kind: "epoch",
    seq: 2,
    time: NOW,
    epoch: 1,
    step: 3,
    samples_seen: 9,
    train: { loss: 4, accuracy: 0.5 },
    validation: { loss: 3.5, accuracy: 0.6 },
    seconds: 1.5,
    elapsed: 1.5,
    peak_memory_bytes: null,
  });
  store.apply({
    kind: "epoch",
    seq: 3,
    time: NOW,
    epoch: 2,
    step: 6,
    samples_seen: 18,
    train: { loss: 4, accuracy: 0.5 },
    validation: null,
    seconds: 1.5,
    elapsed: 3,
    peak_memory_bytes: null,
  });
  assert.deepEqual(pairs(store, "time"), [[3, 1.5]]);
  assert.deepEqual(pairs(store, "validation_loss"), [[3, 3.5]]);
});

test("events of other kinds only move the number on", () => {
  const store = new RunStore();
  assert.equal(store.apply({ kind: "note", seq: 1, time: NOW, message: "x" }), "new");
  assert.equal(store.lastSeq, 1);
});

test("a thinned run knows how many points it has", () => {
  const store = new RunStore();
  const thinned = metrics();
  thinned.series.train_loss.total = 1000;
  store.load(thinned);
  store.apply(steps(6, 1001, [1, 1]));
  assert.equal(store.series.train_loss.total, 1002);
});

test("epochs and times of repeated steps are removed with them", () => {
  const store = new RunStore();
  const epoch = {
    kind: /** @type {const} */ ("epoch"),
    samples_seen: 9,
    train: { loss: 4, accuracy: 0.5 },
    validation: { loss: 3.5, accuracy: 0.6 },
    seconds: 1.5,
    elapsed: 1.5,
    peak_memory_bytes: null,
  };
  store.apply(steps(1, 1, [5, 4], { seconds: 1 }));
  store.apply({ ...epoch, time: NOW, seq: 2, epoch: 1, step: 2 });
  store.apply(steps(3, 3, [3], { seconds: 2 }));
  store.apply(steps(4, 4, [2], { seconds: 3 }));
  store.apply({ ...epoch, time: NOW, seq: 5, epoch: 2, step: 4 });
  store.apply(steps(6, 3, [9], { seconds: 8 }));
  assert.deepEqual(pairs(store, "validation_loss"), [[2, 3.5]]);
  assert.deepEqual(pairs(store, "time"), [
    [2, 1],
    [3, 8],
  ]);
  assert.deepEqual(pairs(store, "train_loss"), [
    [1, 5],
    [2, 4],
    [3, 9],
  ]);
});

test("the moving average of a thinned run continues after NaN, which is kept", () => {
  const store = new RunStore();
  const thinned = metrics();
  thinned.series.train_loss = {
    x: [1, 999],
    y: [3, 1],
    total: 999,
    not_finite: [],
    smoothed: { x: [1, 999], y: [3, 2] },
  };
  store.load(thinned, 0.5);
  store.apply(steps(6, 1000, [4, null, 5]));
  const { x, y } = /** @type {NonNullable<typeof store.series.train_loss.smooth>} */ (store.series.train_loss.smooth)
    .data;
  assert.deepEqual([...x.data.subarray(0, x.length)], [1, 999, 1000, 1001, 1002]);
  assert.deepEqual([...y.data.subarray(0, y.length)], [3, 2, 3, Number.NaN, 4]);
  store.apply(steps(7, 1001, [1]));
  assert.equal(y.last(), 2);
});
