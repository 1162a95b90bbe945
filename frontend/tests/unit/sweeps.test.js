// Sweeps in the table of runs: folding, titles, figures, and the names of their runs.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document ??= /** @type {any} */ ({ documentElement: { dataset: {} }, querySelector: () => null });

const { factsOf, factsOfPage, foldSweeps, memberLabels, range, sweepState, sweepTitle } = await import(
  "../../runs/sweeps.js"
);

/** @import { Run } from "../../lib/types" */

/** @param {string} id @param {any} [more] @param {any} [training] @returns {Run} */
const run = (id, more = {}, training = {}) =>
  /** @type {any} */ ({
    id,
    name: `mlp on digits · ${id}`,
    status: "finished",
    reason: "completed",
    stopping: false,
    position: null,
    source: null,
    job: null,
    sweep: "s",
    spec: {
      data: { set: "digits" },
      network: { kind: "mlp", activation: "relu" },
      training: { batch_size: 64, seed: 0, optimizer: { kind: "sgd", lr: 0.01 }, ...training },
    },
    ...more,
    summary: { best_validation_accuracy: null, step: null, steps: null, ...more.summary },
  });

const batches = [16, 32, 64, 128].map((batch_size) => run(`b${batch_size}`, {}, { batch_size }));

test("the runs of a sweep come together at the place of the first", () => {
  const runs = [run("a", { sweep: null }), run("b"), run("c", { sweep: "t" }), run("d"), run("e", { sweep: null })];
  const ids = foldSweeps(runs).map((item) => [item.sweep, item.runs.map(({ id }) => id).join("")]);
  assert.deepEqual(ids, [
    [null, "a"],
    ["s", "bd"],
    ["t", "c"],
    [null, "e"],
  ]);
});

test("a sweep is told in words, after the name that a user gave it", () => {
  assert.deepEqual(sweepTitle(batches, true), { title: "MLP on digits, batch size 16 to 128", about: "" });
  const named = batches.map((one) => ({ ...one, name: `Noise · batch size ${one.id}` }));
  assert.deepEqual(sweepTitle(named, true), { title: "Noise", about: "MLP on digits, batch size 16 to 128" });
  const activations = ["relu", "tanh"].map((activation, at) =>
    run(`a${at}`, { spec: { ...run("x").spec, network: { kind: "mlp", activation } } }),
  );
  assert.equal(sweepTitle(activations.reverse(), true).title, "MLP on digits, activation ReLU and Tanh");
  // Of a part the range is not known.
  assert.deepEqual(sweepTitle(batches, false).title, "MLP on digits");
  const seeds = [0, 1, 2].map((seed) => run(`s${seed}`, {}, { seed }));
  assert.equal(sweepTitle(seeds, true).title, "MLP on digits, 3 seeds");
  const networks = ["mlp", "vgg16"].map((kind) => run(kind, { spec: { ...run("x").spec, network: { kind } } }));
  assert.equal(sweepTitle(networks, true).title, "2 networks on digits");
});

test("values are told as a range, or each of a few", () => {
  assert.equal(range("training.optimizer.lr", [0.1, 0.001, 0.01]), "0.001 to 0.1");
  assert.equal(range("training.batch_size", [64, 16]), "64 and 16");
  assert.equal(range("network.activation", ["relu", "sigmoid", "tanh"]), "ReLU, Sigmoid and Tanh");
  assert.equal(range("training.batch_size", [64, 64]), "64");
  assert.equal(range("training.clip", [null, 1]), "Never and 1");
});

test("the runs of a sweep are named by what differs, unless a user named them", () => {
  const runs = [...batches.slice(0, 2), run("mine", { name: "The best one" }, { batch_size: 128 })];
  assert.deepEqual([...memberLabels(runs).values()], ["Batch size 16", "Batch size 32", "The best one"]);
  const both = [0.1, 0.01].flatMap((lr) => [0, 1].map((seed) => run(`${lr} ${seed}`, {}, { seed, optimizer: { lr } })));
  assert.deepEqual([...memberLabels(both).values()].sort()[0], "Learning rate 0.01, seed 0");
});

test("a sweep says how many of its runs are done, the best one and the mean", () => {
  const scored = (/** @type {string} */ id, /** @type {number} */ accuracy, more = {}) =>
    run(id, { ...more, summary: { best_validation_accuracy: accuracy } });
  const runs = [scored("a", 0.5), scored("b", 0.9), run("c", { status: "running", reason: null })];
  const facts = factsOf(runs);
  assert.deepEqual([facts.total, facts.done, facts.best?.id, facts.mean], [3, 2, "b", 0.7]);
  assert.equal(sweepState(runs, facts).word, "running");
  const page = /** @type {any} */ ({
    total: 2,
    runs: [runs[1]],
    groups: [{ mean_best_validation_accuracy: 0.8 }],
    statuses: { finished: 5, running: 1, queued: 2 },
  });
  const partly = factsOfPage(page);
  assert.deepEqual([partly.total, partly.all, partly.done, partly.mean, partly.best?.id], [2, 8, 5, 0.8, "b"]);
});

test("a sweep's state is that of the run that needs attention", () => {
  const word = (/** @type {Run[]} */ runs) => sweepState(runs, factsOf(runs)).word;
  const [a, b] = batches;
  const queued = run("q", { status: "queued", reason: null });
  const failed = run("f", { status: "failed", reason: "failed" });
  const diverged = run("d", { reason: "diverged" });
  const stopped = run("s", { status: "stopped", reason: "stopped" });
  assert.equal(word([a, b]), "finished");
  assert.equal(word([a, queued]), "queued");
  assert.equal(word([a, failed, diverged]), "2 failed");
  assert.equal(word([a, diverged]), "1 diverged");
  assert.equal(word([a, stopped]), "stopped");
});
