// The words and files of an evaluation.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pText, sentence } from "../../evaluation/comparison.js";
import { interval, points, scaleFrom, scaleText } from "../../evaluation/figures.js";
import { summarySentences } from "../../evaluation/summary.js";
import { merged } from "../../evaluation/threshold.js";
import { alike } from "../../evaluation/unit-chart.js";
import { classesCsv } from "../../evaluation/table-file.js";
import { hasNoCheckpoint, withoutCheckpoint } from "../../run/no-checkpoint.js";
import { untilReady } from "../../evaluation/wait.js";

const figure = (/** @type {number} */ value) => ({ value, low: value - 0.1, high: value + 0.1 });

test("the scale of a column begins below its least interval, as near to 1 as it can", () => {
  const figure = (/** @type {number} */ low) => ({ value: (1 + low) / 2, low, high: 1 });
  assert.equal(scaleFrom([figure(0.998), figure(0.996), null]), 0.995);
  assert.equal(scaleFrom([figure(0.81), figure(0.996)]), 0.8);
  assert.equal(scaleFrom([figure(0.8)]), 0.8);
  assert.equal(scaleFrom([figure(0.3)]), 0);
  assert.deepEqual([0, 0.8, 0.995].map(scaleText), ["0 to 100%", "80 to 100%", "99.5 to 100%"]);
});

test("a share's interval and a difference are told in percent", () => {
  assert.equal(interval({ value: 0.9, low: 0.85, high: 0.94 }), "85.0 to 94.0%");
  assert.deepEqual([0.0123, -0.04, 0].map(points), ["+1.2", "−4.0", "±0.0"]);
});

test("accuracies that one threshold reaches are one row", () => {
  const choice = (/** @type {number} */ target, /** @type {number | null} */ threshold) =>
    /** @type {any} */ ({ target, threshold, coverage: null, accuracy: null });
  const words = (/** @type {any[]} */ choices) => merged(choices).map(({ wanted, threshold }) => [wanted, threshold]);
  assert.deepEqual(words([choice(0.9, 0.4), choice(0.95, 0.4), choice(0.98, 0.4), choice(0.99, 0.5)]), [
    ["90% to 98%", 0.4],
    ["99%", 0.5],
  ]);
  assert.deepEqual(words([choice(0.9, 0.1), choice(0.95, 0.2), choice(0.98, null), choice(0.99, null)]), [
    ["90%", 0.1],
    ["95%", 0.2],
    ["98% to 99%", null],
  ]);
});

test("McNemar's test is told in a sentence that names the better run", () => {
  const told = (/** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ p) =>
    sentence(/** @type {any} */ ({ only_first: a, only_second: b, p_value: p }), "A", "B");
  assert.match(told(30, 5, 0.0001), /^A is better than B/);
  assert.match(told(5, 30, 0.0001), /^B is better than A/);
  assert.match(told(9, 7, 0.8), /^A is right a little more often.*chance/);
  assert.match(told(4, 4, 1), /^Neither is better: each is right 4 times/);
  assert.match(told(0, 0, 1), /the same samples/);
  assert.deepEqual([0.00001, 0.0371, 1].map(pText), ["p < 0.001", "p = 0.037", "p = 1.000"]);
});

test("the table of classes has intervals, averages, and nothing where a figure is undefined", () => {
  const average = { precision: figure(0.5), recall: figure(0.5), f1: figure(0.5), average_precision: null, auc: null };
  const text = classesCsv(
    /** @type {any} */ ({
      samples: 9,
      classes: ["=cat", "dog"],
      per_class: [
        { support: 9, predicted: 4, ...average, auc: figure(0.75) },
        { support: 0, predicted: 5, ...average, recall: null },
      ],
      macro_average: average,
      weighted_average: average,
      micro_average: average,
    }),
  );
  const lines = text.trim().split("\r\n");
  assert.equal(lines.length, 6);
  assert.equal(lines[0].split(",").length, 3 + 5 * 3);
  assert.match(lines[1], /^"'=cat",9,4,0\.5,0\.4,0\.6,/);
  assert.match(lines[1], /,0\.75,0\.65,0\.85$/);
  assert.match(lines[2], /^dog,0,5,0\.5,0\.4,0\.6,,,,/);
});

test("what the server computes is asked for until it is there", async () => {
  const answers = [
    { result: null, progress: { done: 1 } },
    { result: null, progress: { done: 2 } },
    { result: "ready", progress: null },
  ];
  /** @type {number[]} */
  const seen = [];
  const result = await untilReady(
    async () => /** @type {any} */ (answers.shift()),
    ({ done }) => seen.push(done),
  );
  assert.deepEqual([result, seen], ["ready", [1, 2]]);
});

/** @param {number} value @returns {any} */
const near = (value) => ({ value, low: value - 0.01, high: value + 0.01 });

/** @returns {any} */
const evaluated = () => ({
  accuracy: near(0.981),
  samples: 359,
  classes: ["cat", "dog"],
  per_class: [{ recall: near(1) }, { recall: near(0.9) }],
  confusions: [{ truth: 1, predicted: 0, count: 7 }],
  calibration: { plain: { ece: near(0.026) }, temperature: { value: 1.4 } },
});

test("the result is told in sentences", () => {
  assert.deepEqual(summarySentences(evaluated(), "test"), [
    "98.1% of the 359 test samples are predicted correctly (95% interval 97.1 to 99.1%).",
    "The hardest class is “dog”: 90.0% of its samples are found.",
    "The most frequent mistake is “dog” taken for “cat”, 7 times.",
    "The network’s probabilities are off by 2.6 points on average: it is too sure of itself.",
  ]);
  const modest = evaluated();
  modest.calibration.temperature.value = 0.7;
  assert.match(summarySentences(modest, "validation").join(" "), /validation samples .* not sure enough of itself/);
});

test("a weak result stands beside a guess, and what there is not is not told", () => {
  const weak = {
    ...evaluated(),
    accuracy: near(0.3),
    per_class: [{ recall: null }],
    confusions: [],
    calibration: null,
  };
  assert.deepEqual(summarySentences(weak, "train"), [
    "30.0% of the 359 training samples are predicted correctly (95% interval 29.0 to 31.0%).",
    "A guess among 2 classes would be right in 50.0%.",
  ]);
});

test("a run without a checkpoint says whether one will come", () => {
  /** @param {{ [field: string]: unknown }} of @returns {any} */
  const run = (of) => ({ message: null, reason: null, ...of });
  assert.equal(withoutCheckpoint(run({ status: "running" })).title, "No checkpoint yet");
  const diverged = run({
    status: "finished",
    reason: "diverged",
    message: "The loss of step 5 is not a finite number.",
  });
  assert.equal(
    withoutCheckpoint(diverged).words,
    "The run diverged before its first checkpoint: the loss of step 5 is not a finite number. Start it again with a lower learning rate.",
  );
  assert.equal(withoutCheckpoint(run({ status: "failed" })).words, "The run failed before its first checkpoint.");
  assert.match(withoutCheckpoint(run({ status: "stopped" })).words, /Resume it/);
});

test("only a run that broke off within its first epoch has no checkpoint for certain", () => {
  /** @param {{ [field: string]: unknown }} of @param {{ [field: string]: unknown }} [summary] @returns {any} */
  const run = (of, summary) => ({
    status: "finished",
    summary: { step: 5, steps_per_epoch: 20, seconds: 2, ...summary },
    ...of,
  });
  assert.ok(hasNoCheckpoint(run({ reason: "diverged" })));
  assert.ok(hasNoCheckpoint(run({ status: "failed" }, { step: null })));
  assert.ok(!hasNoCheckpoint(run({ reason: "diverged" }, { step: 25 })));
  // Within a long epoch there is one after half a minute.
  assert.ok(!hasNoCheckpoint(run({ reason: "diverged" }, { seconds: 40 })));
  assert.ok(!hasNoCheckpoint(run({ reason: "completed" })));
  assert.ok(!hasNoCheckpoint(run({ status: "running", reason: null })));
});

test("the percentages of an axis have equal decimals", () => {
  assert.deepEqual([0.95, 0.975, 1].map(alike([0.95, 0.975, 1])), ["95.0%", "97.5%", "100.0%"]);
  assert.deepEqual([0, 0.07, 1].map(alike([0, 0.07, 1])), ["0%", "7%", "100%"]);
});
