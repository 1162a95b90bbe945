import assert from "node:assert/strict";
import { test } from "node:test";
import { textColourOn } from "../../inside/colours.js";
import { after, before } from "../../inside/window/neighbours.js";
import { arithmeticAt, inRows, partAt, tapsAt, termsAt, weightsAt } from "../../inside/window/geometry.js";
import { softmaxSteps } from "../../inside/window/softmax.js";

/** @import { Layer, SlidingWindow } from "../../lib/types" */

/** A 3x3 image under a 2x2 kernel. @param {Partial<NonNullable<SlidingWindow["geometry"]>>} [moves] @param {Partial<SlidingWindow>} [more] */
function convolution(moves = {}, more = {}) {
  return /** @type {SlidingWindow} */ ({
    layer: "conv",
    operation: "convolution",
    direction: "forward",
    map: 0,
    input: 0,
    source: [1, 3, 3],
    target: [1, 2, 2],
    reads: [0, 1],
    geometry: { kernel: [2, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1, ...moves },
    pool: null,
    planes: [{ channel: 0, values: [1, 2, 3, 4, 5, 6, 7, 8, 9], weights: [1, 10, 100, 1000] }],
    rest: null,
    bias: 0.5,
    values: [5421.5, 6532.5, 8754.5, 9865.5],
    // biome-ignore lint/suspicious/noThenProperty: the name in the API; a list, which nothing takes for a promise
    then: [],
    class: null,
    score: null,
    ...more,
  });
}

test("a kernel reads the values under it", () => {
  const of = convolution();
  assert.deepEqual(tapsAt(of, 3).sources, [4, 5, 7, 8]);
  assert.deepEqual(tapsAt(of, 3).box, { y: 1, x: 1, height: 2, width: 2 });
  assert.deepEqual(
    [0, 1, 2, 3].map((n) => partAt(tapsAt(of, n), of.planes[0]) + 0.5),
    of.values,
  );
});

test("padding reads nothing, a stride leaves out positions, and a dilation leaves gaps", () => {
  const padded = convolution({ padding: [1, 1], stride: [2, 2] });
  assert.deepEqual(tapsAt(padded, 0).sources, [null, null, null, 0]);
  assert.deepEqual(tapsAt(padded, 3).sources, [4, 5, 7, 8]);
  assert.deepEqual(tapsAt(padded, 0).box, { y: -1, x: -1, height: 2, width: 2 });
  const dilated = convolution({ dilation: [2, 2] }, { target: [1, 1, 1] });
  assert.deepEqual(tapsAt(dilated, 0).sources, [0, 2, 6, 8]);
  assert.deepEqual(tapsAt(dilated, 0).box, { y: 0, x: 0, height: 3, width: 3 });
});

test("backward, a pixel gathers from the outputs whose window covers it, and the kernel is turned", () => {
  const of = convolution({}, { direction: "backward", source: [1, 2, 2], target: [1, 3, 3], bias: null });
  of.planes[0].values = [1, 2, 3, 4];
  const middle = tapsAt(of, 4);
  assert.deepEqual(middle.sources, [0, 1, 2, 3]);
  assert.deepEqual(weightsAt(middle, of.planes[0]), [1000, 100, 10, 1]);
  assert.deepEqual(tapsAt(of, 0).sources, [null, null, null, 0]);
  // Every product of the way forward goes back once.
  const sums = Array.from({ length: 9 }, (_, n) => partAt(tapsAt(of, n), of.planes[0]));
  assert.equal(
    sums.reduce((a, b) => a + b),
    (1 + 2 + 3 + 4) * 1111,
  );
  const { terms, rest } = termsAt(of, 4, 1);
  assert.deepEqual([terms[0].product, rest], [1000, 200 + 30 + 4]);
  const strided = convolution({ stride: [2, 2] }, { direction: "backward", source: [1, 1, 1], target: [1, 3, 3] });
  assert.deepEqual(tapsAt(strided, 8).sources, [null, null, null, null]);
  assert.deepEqual(tapsAt(strided, 4).sources, [0, null, null, null]);
});

test("a maximum has one winner, a mean shares, and both give it back", () => {
  const spans = [
    { start: 0, end: 2, count: 2 },
    { start: 1, end: 3, count: 2 },
  ];
  const pool = { rows: spans, columns: spans, winners: [4, 5, 7, 8] };
  const max = convolution({}, { geometry: null, operation: "max_pool", pool, bias: null });
  assert.deepEqual(weightsAt(tapsAt(max, 0), max.planes[0]), [0, 0, 0, 1]);
  assert.equal(partAt(tapsAt(max, 1), max.planes[0]), 6);
  const mean = convolution(
    {},
    { geometry: null, operation: "mean_pool", pool: { ...pool, winners: null }, bias: null },
  );
  assert.equal(partAt(tapsAt(mean, 0), mean.planes[0]), 3);
  const back = { ...max, direction: /** @type {const} */ ("backward"), source: [1, 2, 2], target: [1, 3, 3] };
  back.planes = [{ channel: 0, values: [1, 2, 3, 4], weights: [] }];
  assert.deepEqual(
    [4, 5, 7, 8, 0].map((n) => partAt(tapsAt(back, n), back.planes[0])),
    [1, 2, 3, 4, 0],
  );
});

test("the arithmetic of a position adds up, with the channels that are not told", () => {
  const of = convolution({}, { reads: [0, 40], rest: [1, 2, 3, 4], values: [0, 0, 0, 9869.5] });
  const { sum, rest_sum, inputs, shown, position } = arithmeticAt(of, 3);
  assert.deepEqual([sum, rest_sum, inputs, shown], [9869.5, 4, 40, 1]);
  assert.deepEqual(position, { map: 0, y: 1, x: 1 });
  assert.deepEqual(inRows([1, 2, 3, 4], 2), [
    [1, 2],
    [3, 4],
  ]);
});

test("the softmax of listed classes has the sum of all", () => {
  const scores = [3, 1, 0];
  const sum = scores.map(Math.exp).reduce((a, b) => a + b);
  const top = scores.map((score, index) => ({
    class: index,
    name: `c${index}`,
    score,
    probability: Math.exp(score) / sum,
  }));
  const steps = softmaxSteps(top.slice(0, 2));
  assert.ok(steps);
  assert.ok(Math.abs(steps.sum - sum / Math.exp(3)) < 1e-12);
  assert.ok(Math.abs(steps.rows[1].ratio - top[1].probability) < 1e-12);
  assert.equal(softmaxSteps([{ ...top[0], probability: null }]), null);
});

test("neighbours are found past layers that keep values in their places", () => {
  const layers = /** @type {Layer[]} */ (
    [
      ["input", "input", []],
      ["a", "conv", ["input"]],
      ["b", "batch_norm", ["a"]],
      ["c", "activation", ["b"]],
      ["d", "conv", ["c"]],
      ["e", "sum", ["c", "d"]],
    ].map(([name, kind, inputs]) => ({ name, kind, inputs }))
  );
  const names = (/** @type {{ layer: Layer }[]} */ found) => found.map(({ layer }) => layer.name);
  assert.deepEqual(names(before(layers, layers[4])), ["a"]);
  assert.deepEqual(names(after(layers, layers[1])), ["d", "e"]);
  assert.deepEqual(names(before(layers, layers[5])), ["a", "d"]);
  assert.deepEqual(names(after(layers, layers[5])), []);
  assert.deepEqual(names(before(layers, layers[1])), ["input"]);
});

test("numbers on colours have a contrast of 4.5 or more", () => {
  const channel = (/** @type {number} */ value) =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  for (let r = 0; r < 256; r += 15)
    for (let g = 0; g < 256; g += 15)
      for (let b = 0; b < 256; b += 15) {
        const light = 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b) + 0.05;
        const contrast = textColourOn([r, g, b]) === "#ffffff" ? 1.05 / light : light / 0.05;
        assert.ok(contrast >= 4.5, `${r} ${g} ${b}: ${contrast}`);
      }
});
