import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCURACY } from "../../chart/units.js";
import { meanCurve } from "../../compare/mean.js";
import { paretoFront } from "../../compare/pareto.js";
import { tukeyFences } from "../../chart/outliers.js";
import { differingSettings, distinctLabels, groupBySeed } from "../../lib/settings-diff.js";

/** @import { Run } from "../../lib/types" */

/** @param {string} id @param {any} [training] @param {any} [network] @returns {Run} */
const run = (id, training = {}, network = {}) =>
  /** @type {any} */ ({
    id,
    name: `run ${id}`,
    spec: {
      name: `run ${id}`,
      data: { set: "digits" },
      network: { kind: "mlp", ...network },
      training: { batch_size: 32, seed: 0, ...training },
    },
  });

test("runs differ in settings, not in names", () => {
  assert.deepEqual(differingSettings([run("a"), run("b")]), []);
  assert.deepEqual(differingSettings([run("a"), run("b", { batch_size: 64 }, { kind: "vgg16", head: "compact" })]), [
    "network.kind",
    "training.batch_size",
    "network.head",
  ]);
});

/** A run that nobody named. @param {Run} run @returns {Run} */
const unnamed = (run) => ({ ...run, name: `${run.spec.network?.kind} on ${run.spec.data?.set}` });

test("runs have the names that users gave them, where these are distinct", () => {
  const runs = [run("a", { batch_size: 1 }), run("b", { batch_size: 2 })];
  assert.deepEqual([...distinctLabels(runs).values()], ["run a", "run b"]);
  const [first, second, third] = [unnamed(run("c", { batch_size: 3 })), unnamed(run("d", { batch_size: 4 })), run("e")];
  assert.deepEqual([...distinctLabels([first, second, third]).values()], ["batch size 3", "batch size 4", "run e"]);
  const swept = ["0.1", "0.01"].map((lr) => ({ ...run(lr, { lr: Number(lr) }), name: `mlp · lr ${lr}` }));
  assert.deepEqual([...distinctLabels(swept).values()], ["lr 0.1", "lr 0.01"]);
});

test("a label has only the settings that distinguish a run", () => {
  const two = [run("a", { optimizer: { kind: "sgd", lr: 0.1 } }), run("b", { optimizer: { kind: "sgd", lr: 0.01 } })];
  assert.deepEqual([...distinctLabels(two.map(unnamed)).values()], ["learning rate 0.1", "learning rate 0.01"]);
  const kinds = [run("a", { seed: 0 }, { kind: "mlp" }), run("b", { seed: 1 }, { kind: "vgg16" })];
  assert.deepEqual([...distinctLabels(kinds.map(unnamed)).values()], ["MLP", "VGG16"]);
  const alike = [
    { ...run("a"), name: "same" },
    { ...run("b"), name: "same" },
  ];
  assert.deepEqual([...distinctLabels(alike).values()], ["same", "same (2)"]);
  assert.deepEqual([...distinctLabels([run("a")]).values()], ["run a"]);
  const small = [1, 2].map((batch_size) => ({ ...run(String(batch_size), { batch_size }), name: "small" }));
  assert.deepEqual([...distinctLabels(small).values()], ["small, batch size 1", "small, batch size 2"]);
});

test("the version of a text is told where runs have several of the same text", () => {
  const of = (/** @type {string} */ id, /** @type {string} */ kind, /** @type {string} */ revision) =>
    run(id, {}, { kind, revision });
  assert.deepEqual(differingSettings([of("a", "one", "1a"), of("b", "two", "2b")]), ["network.kind"]);
  assert.deepEqual(differingSettings([of("a", "one", "1a"), of("b", "one", "2b")]), ["network.revision"]);
  assert.deepEqual(differingSettings([run("a"), of("b", "two", "2b")]), ["network.kind"]);
});

test("runs that differ only by seed are grouped", () => {
  const groups = groupBySeed([run("a", { seed: 0 }), run("b", { seed: 0, batch_size: 64 }), run("c", { seed: 1 })]);
  assert.deepEqual(
    groups.map((group) => group.map(({ id }) => id)),
    [["a", "c"], ["b"]],
  );
  const again = groupBySeed([run("a", { seed: 0 }), run("b", { seed: 0 }), run("c", { seed: 1 })]);
  assert.deepEqual(
    again.map((group) => group.map(({ id }) => id)),
    [["a", "c"], ["b"]],
  );
});

/** @param {[number, number][]} points */
const curve = (points) => ({ x: points.map(([x]) => x), y: points.map(([, y]) => y), length: points.length });

test("the mean of seeds has a band of the sample's standard deviation", () => {
  const made = meanCurve([
    curve([
      [1, 1],
      [2, 4],
    ]),
    curve([
      [1, 3],
      [2, 4],
    ]),
  ]);
  assert.deepEqual(made.x, [1, 2]);
  assert.deepEqual(made.y, [2, 4]);
  assert.ok(Math.abs(made.low[0] - (2 - Math.SQRT2)) < 1e-12 && Math.abs(made.high[0] - (2 + Math.SQRT2)) < 1e-12);
  assert.deepEqual([made.low[1], made.high[1]], [4, 4]);
});

test("the band of accuracies ends where accuracies end", () => {
  const of = (/** @type {number} */ y) => curve([[1, y]]);
  const { low, high } = meanCurve([of(0.9), of(1)], ACCURACY.possible);
  assert.ok(low[0] > 0.87 && low[0] < 0.88);
  assert.deepEqual(high, [1]);
  assert.deepEqual(meanCurve([of(0), of(0.1)], ACCURACY.possible).low, [0]);
});

test("a curve counts only within its range, and NaN is skipped", () => {
  const made = meanCurve([
    curve([
      [1, 1],
      [2, 1],
      [3, 1],
    ]),
    curve([
      [1, 3],
      [2, Number.NaN],
    ]),
    curve([]),
  ]);
  assert.deepEqual([made.x, made.y], [[1], [2]]);
  assert.deepEqual(
    meanCurve([
      curve([
        [1, 5],
        [2, 6],
      ]),
    ]).y,
    [5, 6],
  );
  assert.deepEqual(meanCurve([]).x, []);
});

test("curves of many points are read between their points", () => {
  const long = (/** @type {number} */ offset, /** @type {number} */ apart) =>
    curve(Array.from({ length: 1000 }, (_, i) => [i * apart, i * apart + offset]));
  const made = meanCurve([long(0, 1), long(2, 1.5)]);
  assert.equal(made.x[0], 0);
  made.x.forEach((x, i) => assert.ok(Math.abs(made.y[i] - (x + 1)) < 1e-9));
});

test("the Pareto front has each run that no other beats in both", () => {
  const front = (/** @type {[number, number][]} */ ...points) =>
    paretoFront(points.map(([cost, gain]) => ({ cost, gain })));
  assert.deepEqual(front([3, 0.9], [1, 0.5], [2, 0.4], [2, 0.8], [4, 0.9]), [1, 3, 0]);
  assert.deepEqual(front([1, 0.5], [1, 0.5]), [0]);
  assert.deepEqual(front(), []);
});

test("outliers lie beyond Tukey's outer fences", () => {
  const values = [...Array.from({ length: 99 }, (_, i) => i / 100), 50];
  const [low, high] = tukeyFences(values);
  assert.equal(low, 0);
  assert.ok(high > 0.98 && high < 3);
  assert.deepEqual(tukeyFences([1, 2, 3]), [1, 3]);
  assert.deepEqual(tukeyFences([7]), [7, 7]);
});

test("the mean is NaN where all seeds are", () => {
  const made = meanCurve([
    curve([
      [1, 1],
      [2, Number.NaN],
      [3, 3],
      [4, Number.NaN],
    ]),
    curve([
      [1, 3],
      [2, Number.NaN],
      [3, 5],
      [4, Number.NaN],
    ]),
  ]);
  assert.deepEqual(
    [made.x, made.y],
    [
      [1, 2, 3],
      [2, Number.NaN, 4],
    ],
  );
  assert.ok([made.low[1], made.high[1]].every(Number.isNaN));
});
