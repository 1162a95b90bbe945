import assert from "node:assert/strict";
import { test } from "node:test";
import { boundaryLines, gridOf, scoreFunctions } from "../../run/straight-lines.js";

/** @typedef {[number, number]} Pair */

const domain = { x: /** @type {Pair} */ ([-1, 3]), y: /** @type {Pair} */ ([-2, 2]) };
/** @param {[number, number, number][]} rows @param {Pair} [mean] @param {Pair} [deviation] */
const linear = (rows, mean = [0, 0], deviation = [1, 1]) => ({ rows, mean, deviation });

test("two classes share one line, on which the score is 0 and which ends at the edges of the domain", () => {
  const weights = linear([[0.5, -1, 0.25]], [1, -0.5], [2, 0.5]);
  const [{ from, to }, ...others] = boundaryLines(weights, domain);
  assert.equal(others.length, 0);
  for (const [x, y] of [from, to]) {
    assert.ok(Math.abs(0.5 * ((x - 1) / 2) - (y + 0.5) / 0.5 + 0.25) < 1e-12);
    const onEdge = [x - domain.x[0], x - domain.x[1], y - domain.y[0], y - domain.y[1]].some(
      (distance) => Math.abs(distance) < 1e-12,
    );
    assert.ok(onEdge, `${x} ${y}`);
  }
});

test("of three classes each pair has the part of its line where the third scores less", () => {
  // Three regions that meet in the origin.
  const weights = linear([
    [0, 1, 0],
    [1, -1, 0],
    [-1, -1, 0],
  ]);
  const lines = boundaryLines(weights, domain);
  assert.equal(lines.length, 3);
  const scores = scoreFunctions(weights);
  for (const { from, to } of lines) {
    const [x, y] = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
    const values = scores.map(([a, b, c]) => a * x + b * y + c).sort((a, b) => b - a);
    assert.ok(Math.abs(values[0] - values[1]) < 1e-12 && values[2] < values[0], `${values}`);
    assert.ok([from, to].some(([px, py]) => Math.hypot(px, py) < 1e-12));
  }
});

test("weights of 0, and a line outside the domain, draw nothing", () => {
  assert.deepEqual(boundaryLines(linear([[0, 0, 0]]), domain), []);
  assert.deepEqual(boundaryLines(linear([[0, 0, 1]]), domain), []);
  assert.deepEqual(boundaryLines(linear([[1, 0, 9]]), domain), []);
});

test("a grid has the class that scores most and how far it leads", () => {
  const grid = gridOf(linear([[1, 0, -1]]), domain);
  // The line is x = 1, in the middle of the domain.
  for (let row = 0; row < grid.rows; row += 1)
    for (let column = 0; column < grid.columns; column += 1) {
      const at = row * grid.columns + column;
      assert.equal(grid.classes[at], column < 32 ? 0 : 1);
      assert.equal(grid.confidence[at], grid.confidence[row * grid.columns + 63 - column]);
    }
  assert.equal(grid.confidence[0], 1);
  assert.ok(grid.confidence[31] < 0.05);
});
