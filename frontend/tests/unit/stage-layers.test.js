import assert from "node:assert/strict";
import { test } from "node:test";
import { convolutionsOf } from "../../network/kinds.js";
import { branchesOf, isProjected } from "../../network/branches.js";
import { layersOfStages } from "../../network/stage-layers.js";

/** @param {string} operation @param {number[]} shape @param {number[]} inputs @param {string} [detail] */
const layer = (operation, shape, inputs, detail) =>
  /** @type {import("../../network/types").CheckedLayer} */ ({ operation, shape, inputs, detail });

/** @param {number[]} shape @param {number} layers @param {number | null} [concat] */
const stage = (shape, layers, concat = null) => ({ shape, layers, line: 1, skips: [], long_skips: [], concat });

const LAYERS = [
  layer("Input", [3, 8, 8], []),
  layer("Conv2d", [4, 8, 8], [0], "3×3"),
  layer("MaxPool2d", [4, 4, 4], [1], "2×2"),
  layer("Conv2d", [4, 4, 4], [2], "1×1"),
  layer("MaxPool2d", [4, 4, 4], [2], "3×3, stride 1"),
  layer("Conv2d", [4, 4, 4], [4], "1×1"),
  layer("Concat", [8, 4, 4], [3, 5]),
  layer("Mean", [8], [6]),
  layer("Linear", [10], [7]),
];
const STAGES = [stage([3, 8, 8], 0), stage([4, 8, 8], 1), stage([8, 4, 4], 2, 6), stage([10], 1)];

test("a pool between two stages is behind the first, and one of a branch is not", () => {
  const own = layersOfStages(STAGES, LAYERS);
  assert.deepEqual(
    own.map(({ pools }) => pools.map(({ operation }) => operation)),
    [[], ["MaxPool2d"], ["Mean"], []],
  );
  assert.deepEqual(
    own.map(({ weighted }) => weighted.length),
    [0, 1, 2, 1],
  );
});

test("the branches of a concatenation are named by what they do, step by step", () => {
  assert.deepEqual(branchesOf(LAYERS).get(6), [
    { name: "1×1", steps: ["1×1"], channels: 4 },
    { name: "pool", steps: ["pool", "1×1"], channels: 4 },
  ]);
});

test("a separable convolution counts once, and one that fits a skip does not", () => {
  const depthwise = layer("Conv2d", [8, 4, 4], [0], "3×3, 8 groups");
  const pointwise = layer("Conv2d", [8, 4, 4], [0], "1×1");
  const block = [depthwise, pointwise, depthwise, pointwise];
  const of = (/** @type {number} */ skips, /** @type {number} */ projected) => ({ skips, projected });
  const separable = { amount: 4, areSeparable: true };
  assert.deepEqual(convolutionsOf([...block, pointwise, ...block], of(2, 1)), separable);
  assert.deepEqual(convolutionsOf([...block, ...block], of(0, 0)), separable);
  assert.deepEqual(convolutionsOf([pointwise, pointwise, pointwise], of(1, 1)), { amount: 2, areSeparable: false });
  // One that is none counts as what it is.
  assert.deepEqual(convolutionsOf([pointwise, ...block], of(0, 0)), { amount: 5, areSeparable: false });
});

test("a skip is projected if it has a convolution of one pixel, and not if a value is taken as it is", () => {
  const layers = [
    layer("Conv2d", [8, 4, 4], [], "3×3"),
    layer("Conv2d", [8, 4, 4], [0], "3×3"),
    layer("Sum", [8, 4, 4], [1, 0]),
    layer("Conv2d", [8, 4, 4], [2], "3×3"),
    layer("Conv2d", [8, 4, 4], [2], "1×1"),
    layer("Sum", [8, 4, 4], [3, 4]),
  ];
  const branches = branchesOf(layers);
  assert.deepEqual(
    [2, 5].map((place) => isProjected(branches.get(place) ?? [])),
    [false, true],
  );
});
