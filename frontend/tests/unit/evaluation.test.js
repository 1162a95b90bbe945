// The words and files of an evaluation.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pText, sentence } from "../../evaluation/comparison.js";
import { interval, points } from "../../evaluation/figures.js";
import { classesCsv } from "../../evaluation/table-file.js";
import { untilReady } from "../../evaluation/wait.js";

const figure = (/** @type {number} */ value) => ({ value, low: value - 0.1, high: value + 0.1 });

test("a share's interval and a difference are told in percent", () => {
  assert.equal(interval({ value: 0.9, low: 0.85, high: 0.94 }), "85.0 to 94.0%");
  assert.deepEqual([0.0123, -0.04, 0].map(points), ["+1.2", "−4.0", "±0.0"]);
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
