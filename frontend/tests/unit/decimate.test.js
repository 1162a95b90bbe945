import assert from "node:assert/strict";
import { test } from "node:test";
import { Column } from "../../chart/column.js";
import { decimate } from "../../chart/decimate.js";
import { extremesOf } from "../../chart/extremes.js";

/** @param {number[]} y */
const line = (y) => ({ x: Float64Array.from(y, (_, i) => i), y: Float64Array.from(y), length: y.length });

/**
 * @param {{ x: Float64Array, y: Float64Array, length: number }} data
 * @param {number} min
 * @param {number} max
 * @param {number} pixels
 */
const thinned = (data, min, max, pixels) =>
  decimate(data, { min, max }, pixels, (pixel) => min + ((max - min) * pixel) / pixels);

test("every extreme and every gap is kept", () => {
  const y = Array.from({ length: 100_000 }, (_, i) => Math.sin(i / 100));
  y[31_415] = 99;
  y[27_182] = -99;
  y[50_000] = Number.NaN;
  const { indices, inRange } = thinned(line(y), 0, 99_999, 500);
  assert.equal(inRange, 100_000);
  assert.ok(indices.length <= 500 * 5 + 5, `${indices.length} indices`);
  for (const i of [0, 27_182, 31_415, 50_000, 99_999]) assert.ok(indices.includes(i), `${i} is kept`);
  assert.deepEqual(
    indices,
    [...new Set(indices)].sort((a, b) => a - b),
  );
});

test("in every pixel the smallest and the largest value are those of all points", () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const y = Array.from({ length: 20_000 }, random);
  const data = line(y);
  const pixels = 300;
  const { indices } = thinned(data, 0, 19_999, pixels);
  const pixel = (/** @type {number} */ i) => Math.floor((i / 19_999) * pixels);
  for (let p = 0; p < pixels; p += 1) {
    const all = y.filter((_, i) => pixel(i) === p);
    const kept = indices.filter((i) => pixel(i) === p).map((i) => y[i]);
    assert.equal(Math.min(...kept), Math.min(...all));
    assert.equal(Math.max(...kept), Math.max(...all));
  }
});

test("few points stay as they are, with one beyond each edge", () => {
  const { indices, inRange } = thinned(line([5, 4, 3, 2, 1, 0]), 2, 3, 100);
  assert.deepEqual(indices, [1, 2, 3, 4]);
  assert.equal(inRange, 2);
});

test("a point exactly on the right edge is inside", () => {
  assert.equal(thinned(line([1, 2, 3]), 0, 2, 100).inRange, 3);
});

test("an empty line gives no points, and a range beyond the data only the neighbour", () => {
  assert.deepEqual(thinned(line([]), 0, 1, 100).indices, []);
  assert.deepEqual(thinned(line([1, 2]), 10, 20, 100).indices, [1]);
});

test("known extremes keep the same values where a pixel has many points", () => {
  const y = new Column();
  for (let i = 0; i < 200_000; i += 1) y.push(Math.sin(i / 100));
  y.data[31_415] = 99;
  y.data[31_416] = -99;
  y.data[150_001] = Number.NaN;
  const x = Float64Array.from({ length: y.length }, (_, i) => i);
  const data = { x, y: y.data, length: y.length, extremes: extremesOf(y) };
  const { indices, inRange } = decimate(data, { min: 0, max: 199_999 }, 300, (pixel) => (199_999 * pixel) / 300);
  assert.equal(inRange, 200_000);
  for (const i of [0, 31_415, 31_416, 150_001, 199_999]) assert.ok(indices.includes(i), `${i} is kept`);
  assert.ok(indices.length <= 300 * 5 + 5);
  assert.ok(indices.every((index, i) => i === 0 || index > indices[i - 1]));
  // A pixel is moved by less than a tenth: 667 points are rounded to whole blocks of 64.
  assert.ok(indices.every((index, i) => i === 0 || index - indices[i - 1] <= 667 + 64));
});
