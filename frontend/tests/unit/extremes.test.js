import assert from "node:assert/strict";
import { test } from "node:test";
import { Column } from "../../chart/column.js";
import { Extremes, findExtremes } from "../../chart/extremes.js";

let seed = 7;
const random = () => {
  seed = (seed * 16_807) % 2_147_483_647;
  return seed / 2_147_483_647;
};

/** @param {Column} column @param {number} from @param {number} to */
const slow = (column, from, to) => {
  const found = { low: -1, high: -1, hole: -1 };
  findExtremes(column.data, from, to, found);
  return found;
};

test("a range query finds the same extremes and first NaN as a full scan", () => {
  const column = new Column();
  const extremes = new Extremes(column);
  for (let i = 0; i < 2000; i += 1) {
    column.push(random() < 0.01 ? Number.NaN : random());
    const from = Math.floor(random() * column.length);
    const to = from + Math.floor(random() * (column.length - from + 1));
    assert.deepEqual(extremes.between(from, to), slow(column, from, to));
  }
});

test("removed values are forgotten", () => {
  const column = new Column();
  for (let i = 0; i < 300; i += 1) column.push(i === 150 ? 99 : 0.5);
  const extremes = new Extremes(column);
  assert.equal(extremes.between(0, 300).high, 150);
  column.truncate(100);
  for (let i = 0; i < 200; i += 1) column.push(0.25);
  assert.deepEqual(extremes.between(0, 300), slow(column, 0, 300));
});
