import assert from "node:assert/strict";
import { test } from "node:test";
import { groupsOf } from "../../labels/issue-groups.js";

/** @param {number} sample @param {number} suggested @param {boolean} is_likely */
const issue = (sample, suggested, is_likely) =>
  /** @type {import("../../lib/types").Issue} */ ({ sample, label: 0, suggested, is_likely });

/** @param {import("../../lib/types").Issue[]} issues */
const grouped = (issues) =>
  groupsOf(issues).map(({ group, issues }) => [group.title, issues.map(({ sample }) => sample)]);

test("images stand by what speaks against their label, each group in its order", () => {
  const issues = [issue(7, 1, true), issue(2, 1, false), issue(9, 0, false), issue(4, 2, true), issue(1, 0, false)];
  assert.deepEqual(grouped(issues), [
    ["Suspected: the networks see another class", [7, 4]],
    ["Not suspected: the networks lean to another class", [2]],
    ["Not suspected: the networks agree with the label", [9, 1]],
  ]);
});

test("a group without images is not there", () => {
  assert.deepEqual(grouped([issue(3, 0, false)]), [["Not suspected: the networks agree with the label", [3]]]);
  assert.deepEqual(grouped([]), []);
});
