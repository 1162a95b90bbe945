import assert from "node:assert/strict";
import { test } from "node:test";
import { convolutionsOf } from "../../network/kinds.js";
import { branchesOfStages, layersOfStages, skipsOfStages } from "../../network/stage-layers.js";

/** @param {string} operation @param {number[]} shape @param {number[]} inputs @param {string} [detail] */
const layer = (operation, shape, inputs, detail) =>
  /** @type {import("../../network/types").CheckedLayer} */ ({ operation, shape, inputs, detail });

/** @param {number[]} shape @param {number} layers @param {number[]} [branches] */
const stage = (shape, layers, branches = []) => ({ shape, layers, line: 1, skips: 0, long_skips: 0, branches });

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
const STAGES = [stage([3, 8, 8], 0), stage([4, 8, 8], 1), stage([8, 4, 4], 2, [4, 4]), stage([10], 1)];

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

test("a stage has the branches of its own concatenation", () => {
  assert.deepEqual(branchesOfStages(STAGES, LAYERS), [
    [],
    [],
    [
      { name: "1×1", steps: ["1×1"], begins: null },
      { name: "pool", steps: ["pool", "1×1"], begins: null },
    ],
    [],
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

test("the skips of a stage say whether they have a convolution; one over several blocks is none of them", () => {
  const layers = [
    layer("Conv2d", [8, 4, 4], [], "3×3"),
    layer("Conv2d", [8, 4, 4], [0], "3×3"),
    layer("Sum", [8, 4, 4], [1, 0]),
    layer("Conv2d", [8, 4, 4], [2], "3×3"),
    layer("Conv2d", [8, 4, 4], [2], "1×1"),
    layer("Sum", [8, 4, 4], [3, 4]),
    layer("Sum", [8, 4, 4], [5, 0]),
  ];
  const stages = [{ ...stage([8, 4, 4], 4), skips: 2, long_skips: 1 }];
  assert.deepEqual(skipsOfStages(stages, layers), [[false, true]]);
});
