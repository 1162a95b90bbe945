// When the loss of a run has its logarithmic axis by itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Column } from "../../chart/column.js";
import { isDeep } from "../../run/log-axis.js";

/** @param {number[]} values */
function deep(values) {
  const column = new Column();
  for (const value of values) column.push(value);
  return isDeep(column);
}

/** A loss that falls from 2.3 to `end`. @param {number} end */
const fall = (end) => Array.from({ length: 200 }, (_, i) => end + 2.3 * Math.exp(-i / 10));

test("a loss that falls to less than a hundredth is read on a logarithmic axis", () => {
  assert.equal(deep(fall(0.001)), true);
  assert.equal(deep(fall(0.05)), false);
});

test("a leap of the first values does not count, nor do few values", () => {
  assert.equal(deep([24, 12, 7.5, ...fall(0.05)]), false);
  assert.equal(deep(fall(0.001).slice(0, 20)), false);
});

test("a loss of 0 has no place on such an axis", () => {
  assert.equal(deep([...fall(0.001), ...Array.from({ length: 30 }, () => 0)]), false);
});
