import assert from "node:assert/strict";
import { test } from "node:test";
import { complete, tokenize } from "../../runs/query.js";
import { canGroup, groupings, groupTitle } from "../../runs/groups.js";

/** @import { Run, RunFacets } from "../../lib/types" */

/** @param {string} path @param {any[]} values */
const setting = (path, ...values) => ({ path, values, differs: values.length > 1 });

/** @type {RunFacets} */
const FACETS = {
  tags: ["course two", "final"],
  sweeps: [],
  sources: ["vivarium"],
  settings: [
    setting("data.set", "digits"),
    setting("network.kind", "mlp", "vgg16"),
    setting("network.activation", "relu"),
    setting("training.batch_size", 32, 128),
    setting("training.optimizer.kind", "sgd", "adamw"),
    setting("training.optimizer.lr", 0.01, 0.001),
    { ...setting("network.head", "compact"), differs: true },
  ],
  fields: [
    { name: "status", numeric: false },
    { name: "network", numeric: false },
    { name: "tag", numeric: false },
    { name: "accuracy", numeric: true },
  ],
};

test("quotes hold words together, closed or not", () => {
  assert.deepEqual(
    tokenize('a tag:"b c" "d e').map(({ text }) => text),
    ["a", 'tag:"b c"', '"d e'],
  );
});

test("completion offers fields, then their values", () => {
  assert.deepEqual(complete("net", FACETS), ["network:"]);
  assert.deepEqual(complete("acc", FACETS), ["accuracy>"]);
  assert.deepEqual(complete("mlp network:v", FACETS), ["mlp network:vgg16"]);
  assert.deepEqual(complete("-tag:c", FACETS), ['-tag:"course two"']);
  assert.deepEqual(complete("batch_size=", FACETS), ["batch_size=128", "batch_size=32"]);
  assert.deepEqual(complete("status:st", FACETS), ["status:stopped", 'status:"stopped early"', "status:stopping"]);
  assert.deepEqual(complete("optimizer:", FACETS), ["optimizer:adamw", "optimizer:sgd"]);
});

test("properties of every object are not fields", () => {
  for (const name of ["constructor", "__proto__", "valueOf"]) assert.deepEqual(complete(`${name}:`, FACETS), [], name);
});

/** @param {any} network @param {number} batch */
const run = (network, batch) =>
  /** @type {Run} */ (
    /** @type {any} */ ({ source: null, spec: { data: { set: "digits" }, network, training: { batch_size: batch } } })
  );

test("runs are grouped by anything in which they differ", () => {
  const titles = (/** @type {{ title: string }[]} */ all) => all.map(({ title }) => title);
  assert.deepEqual(titles(groupings([], FACETS)), [
    "Fold sweeps",
    "Not grouped",
    "Sweep",
    "Tag",
    "Status",
    "Network",
    "Batch size",
    "Optimizer",
    "Learning rate",
    "Head",
  ]);
  // Before the values of all runs are known, by what the runs on the page have.
  const shown = [run({ kind: "mlp" }, 32), run({ kind: "vgg16", head: "compact" }, 32)];
  assert.deepEqual(titles(groupings(shown, null)).slice(5), ["Network", "Head"]);
});

test("a group has the name of what its runs have in common", () => {
  const title = (/** @type {any} */ value, /** @type {string} */ key, name = null) =>
    groupTitle({ value, name, runs: 1, validated: 0, mean_best_validation_accuracy: null, listed: 1 }, key);
  assert.equal(title("mlp", "network.kind"), "Network MLP");
  assert.equal(title(0.001, "training.optimizer.lr"), "Learning rate 0.001");
  assert.equal(title(null, "network.head"), "No head");
  assert.equal(title("final", "tag"), "final");
  assert.equal(title(null, "tag"), "No tag");
  assert.equal(title("0199d3a0", "sweep", /** @type {any} */ ("rates")), "rates");
  assert.equal(title(null, "sweep"), "No sweep");
  assert.equal(title("failed", "status"), "failed");
});

test("a grouping in a URL that there is not is no grouping", () => {
  assert.deepEqual(["", "tag", "training.seed", "colour", "constructor"].map(canGroup), [
    true,
    true,
    true,
    false,
    false,
  ]);
});
