import assert from "node:assert/strict";
import { test } from "node:test";
import { groupsOf } from "../../labels/issue-groups.js";

/** @param {number} sample @param {boolean} is_likely */
const issue = (sample, is_likely) => /** @type {import("../../lib/types").Issue} */ ({ sample, is_likely });

/** @param {import("../../lib/types").Issue[]} issues */
const grouped = (issues) =>
  groupsOf(issues).map(({ group, issues }) => [group.title, issues.map(({ sample }) => sample)]);

test("suspected labels come before the others, each group in its order", () => {
  assert.deepEqual(grouped([issue(7, true), issue(2, false), issue(4, true), issue(1, false)]), [
    ["Suspected", [7, 4]],
    ["Not suspected", [2, 1]],
  ]);
});

test("a group without images is not there", () => {
  assert.deepEqual(grouped([issue(3, false)]), [["Not suspected", [3]]]);
  assert.deepEqual(grouped([]), []);
});
