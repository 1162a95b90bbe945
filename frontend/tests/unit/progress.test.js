// The figures of a run's progress.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document ??= /** @type {any} */ ({ documentElement: { dataset: {} }, querySelector: () => null });

const { fraction } = await import("../../run/progress.js");

test("a part of a whole has one unit, which no line break takes from its number", () => {
  assert.equal(fraction(3, 60), "3 / 60");
  assert.equal(fraction(14_300, 126_000), "14.3 / 126\u00a0k");
  assert.equal(fraction(870, 126_000), "870 / 126\u00a0k");
  assert.equal(fraction(14_300, 1_260_000), "14.3\u00a0k / 1.26\u00a0M");
  assert.equal(fraction(null, 60), "–");
});
