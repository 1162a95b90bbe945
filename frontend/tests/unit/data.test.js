// Facts of data sets, and the address that the open cards have.

import assert from "node:assert/strict";
import test from "node:test";

import { splitOf } from "../../data/facts.js";
import { openSets } from "../../data/open-sets.js";
import { generate, SETS } from "../../playground/data.js";

test("a fifth is for the test unless the set says otherwise", () => {
  assert.deepEqual(splitOf(1797), { train: 1438, test: 359 });
  assert.deepEqual(splitOf(2), { train: 1, test: 1 });
  assert.deepEqual(splitOf(70_000, 60_000), { train: 60_000, test: 10_000 });
  // The points of the plane are split in the same way.
  const { noise } = SETS.moons;
  const { train, test: held } = generate({ set: "moons", noise, samples: 333, classes: 2 });
  assert.deepEqual(splitOf(333), { train: train.count, test: held.count });
});

test("the address is that of the card opened last that is still open", () => {
  /** @type {string[]} */
  const told = [];
  const sets = openSets({ titleOf: (set) => set.toUpperCase(), replace: (url, title) => told.push(`${url} ${title}`) });
  for (const [set, isOpen] of /** @type {[string, boolean][]} */ ([
    ["digits", true],
    ["my set", true],
    ["digits", false],
    ["digits", true],
    ["digits", false],
    ["my set", false],
    // A card of a set that was deleted.
    ["my set", false],
  ]))
    sets.toggled(set, isOpen);
  assert.deepEqual(told, [
    "/data/digits DIGITS",
    "/data/my%20set MY SET",
    "/data/digits DIGITS",
    "/data/my%20set MY SET",
    "/data Data",
  ]);
});
