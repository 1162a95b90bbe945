import assert from "node:assert/strict";
import { test } from "node:test";
import { settingLabel, sharedLabel } from "../../lib/setting-labels.js";

/** @import { Run } from "../../lib/types" */

/** @param {string} kind */
const runOf = (kind) => /** @type {Run} */ (/** @type {unknown} */ ({ spec: { network: { kind } } }));

test("a setting that networks call by several names has all of them where they stand side by side", () => {
  const path = "network.hidden";
  assert.equal(sharedLabel(path, [runOf("mlp"), runOf("mlp-wide")]), "Hidden widths");
  assert.equal(sharedLabel(path, [runOf("mlp"), runOf("vgg16")]), "Hidden widths / Widths of the head");
  assert.equal(sharedLabel("training.epochs", [runOf("mlp"), runOf("vgg16")]), "Epochs");
  assert.equal(sharedLabel(path, []), settingLabel(path));
});

test("what most networks say of an option is said of one's own networks", () => {
  assert.equal(settingLabel("network.init", "my-network"), "Initialisation");
});
