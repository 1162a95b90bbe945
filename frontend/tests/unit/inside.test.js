import assert from "node:assert/strict";
import { test } from "node:test";
import { threeDigits } from "../../inside/cells.js";
import { frequentMistakes } from "../../inside/mistakes.js";
import { strongest } from "../../inside/strongest.js";
import { changeWords, shareChanged } from "../../inside/training-note.js";
import { distinctCheckpoints } from "../../inside/view.js";

test("numbers in cells have three significant digits, whatever their size", () => {
  assert.deepEqual([0, 0.0921, -0.00158, -0.000572, 2.44e-5, 1.3, 12.345, 123.4, 5432].map(threeDigits), [
    "0",
    "0.0921",
    "-0.00158",
    "-5.72e-4",
    "2.44e-5",
    "1.30",
    "12.3",
    "123",
    "5.43e3",
  ]);
});

test("the best and the last checkpoint are one choice where they are the same", () => {
  const best = { name: "best", epoch: 5, step: 50 };
  assert.deepEqual(distinctCheckpoints([best, { name: "last", epoch: 5, step: 50 }]), [
    { name: "best", same: ["best", "last"], label: "Epoch 5 (best and last)" },
  ]);
  assert.deepEqual(
    distinctCheckpoints([best, { name: "last", epoch: 6, step: 60 }]).map(({ label }) => label),
    ["Epoch 5 (best)", "Epoch 6 (last)"],
  );
  // Checkpoints that were brought in have no step, and nothing tells that they are the same.
  const unknown = ["best", "last"].map((name) => ({ name, epoch: null, step: null }));
  assert.deepEqual(
    distinctCheckpoints(unknown).map(({ label }) => label),
    ["Best", "Last"],
  );
});

/** @param {number} index @param {number} norm @returns {any} */
const tile = (index, norm) => ({ index, norm });

test("a change is told beside the size of the weights", () => {
  const weights = [tile(0, 3), tile(1, 4), tile(2, 100)];
  assert.equal(shareChanged([tile(1, 0.3), tile(0, 0.4)], weights), 0.1);
  assert.equal(shareChanged([tile(7, 1)], weights), null);
  assert.match(changeWords(0.004), /hardly moved these weights, by less than 1%/);
  assert.match(changeWords(0.09), /hardly moved these weights, by about 9%/);
  assert.match(changeWords(0.24), /by about 24% of their size, so much of the pattern is still the start/);
  assert.match(changeWords(0.8), /most of the pattern was learned/);
  assert.match(changeWords(0.99, true), /This run diverged/);
});

test("the strongest values are the farthest from 0, the best scores the greatest", () => {
  const values = [1, -5, null, 3, 0];
  assert.deepEqual(
    strongest(values, false).map(({ index }) => index),
    [1, 3, 0, 4],
  );
  assert.deepEqual(
    strongest(values, true).map(({ index }) => index),
    [3, 0, 4, 1],
  );
});

test("mistakes come the most frequent first, and what is right is none", () => {
  const found = frequentMistakes([
    [9, 1, 0],
    [4, 7, 0],
    [0, 2, 8],
  ]);
  assert.deepEqual(found, [
    { truth: 1, predicted: 0, times: 4 },
    { truth: 2, predicted: 1, times: 2 },
    { truth: 0, predicted: 1, times: 1 },
  ]);
  assert.deepEqual(frequentMistakes([[3]]), []);
});
