import assert from "node:assert/strict";
import { test } from "node:test";
import { complete, parseNumber, parse, tokenize } from "../../runs/query.js";
import { grouped, groupings } from "../../runs/groups.js";

/** @import { Run } from "../../lib/types" */

/** @param {string} name @param {any} more @returns {Run} */
const run = (name, { network = {}, training = {}, summary = {}, ...more } = {}) =>
  /** @type {any} */ ({
    id: name,
    name,
    status: "finished",
    reason: "completed",
    position: null,
    stopping: false,
    tags: [],
    notes: "",
    sweep: null,
    created: "",
    spec: {
      name,
      data: { set: "digits" },
      network: { kind: "mlp", activation: "relu", ...network },
      training: { batch_size: 32, optimizer: { kind: "sgd", lr: 0.01 }, ...training },
    },
    ...more,
    summary: {
      best_validation_accuracy: 0.95,
      test_accuracy: null,
      validation_loss: 0.2,
      parameters: 17_226,
      seconds: 90,
      peak_memory_bytes: 30 << 20,
      ...summary,
    },
  });
const RUNS = [
  run("apple", { tags: ["final", "course two"] }),
  run("banana", {
    network: { kind: "vgg16", head: "compact" },
    training: { batch_size: 128, optimizer: { kind: "adamw", lr: 0.001 } },
    summary: { best_validation_accuracy: 0.8, seconds: 700 },
    status: "failed",
  }),
  run("cherry pie", { notes: "tastes good", summary: { best_validation_accuracy: null } }),
];
const found = (/** @type {string} */ text) => {
  const { test: passes, faults } = parse(text, RUNS);
  assert.deepEqual(faults, [], text);
  return RUNS.filter(passes).map(({ name }) => name);
};

test("terms are combined by and; a word alone searches everywhere", () => {
  assert.deepEqual(found(""), ["apple", "banana", "cherry pie"]);
  assert.deepEqual(found("an"), ["banana"]);
  assert.deepEqual(found("mlp p"), ["apple", "cherry pie"]);
  assert.deepEqual(found('"cherry pie"'), ["cherry pie"]);
  assert.deepEqual(found("tastes"), ["cherry pie"]);
  assert.deepEqual(found("<script> x"), []);
});

test("fields are matched by text, by value and by comparison", () => {
  assert.deepEqual(found("network:vgg"), ["banana"]);
  assert.deepEqual(found("network=vgg"), []);
  assert.deepEqual(found("tag:final"), ["apple"]);
  assert.deepEqual(found('tag:"course two"'), ["apple"]);
  assert.deepEqual(found("status:failed"), ["banana"]);
  assert.deepEqual(found("accuracy>0.9"), ["apple"]);
  assert.deepEqual(found("accuracy>90% network:mlp"), ["apple"]);
  assert.deepEqual(found("accuracy>=80"), ["apple", "banana"]);
  assert.deepEqual(found("lr<=0.005"), ["banana"]);
  assert.deepEqual(found("lr=1e-3"), ["banana"]);
  assert.deepEqual(found("batch_size=32"), ["apple", "cherry pie"]);
  assert.deepEqual(found("batch_size!=32"), ["banana"]);
  assert.deepEqual(found("head:compact"), ["banana"]);
  assert.deepEqual(found("parameters<20k seconds<2min memory>20MiB"), ["apple", "cherry pie"]);
  assert.deepEqual(found("-network:mlp"), ["banana"]);
  assert.deepEqual(found("optimizer:adamw"), ["banana"]);
});

test("a missing value matches no comparison", () => {
  assert.deepEqual(found("name:cherry accuracy<1"), []);
  assert.deepEqual(found("name:cherry accuracy>0"), []);
});

test("an invalid term is reported with its position, and the others still apply", () => {
  const { faults, test: passes } = parse("mlp netwrk:mlp accuracy>much status>3 lr:", RUNS);
  assert.deepEqual(
    faults.map(({ from, to }) => [from, to]),
    [
      [4, 14],
      [15, 28],
      [29, 37],
      [38, 41],
    ],
  );
  assert.match(faults[0].message, /no field “netwrk”.*network/);
  assert.match(faults[1].message, /“much” is not a number/);
  assert.match(faults[2].message, /is text/);
  assert.match(faults[3].message, /needs a value/);
  assert.deepEqual(
    RUNS.filter(passes).map(({ name }) => name),
    ["apple", "cherry pie"],
  );
});

test("numbers have units", () => {
  assert.deepEqual(["5", "5k", "1.5M", "90%", "2min", "1h", "3GiB", "-1e-3"].map(parseNumber), [
    5,
    5e3,
    1.5e6,
    0.9,
    120,
    3600,
    3 * 2 ** 30,
    -0.001,
  ]);
  assert.deepEqual(["", "x", "5q", "1..2", "5 5"].map(parseNumber), [null, null, null, null, null]);
});

test("quotes hold words together, closed or not", () => {
  assert.deepEqual(
    tokenize('a tag:"b c" "d e').map(({ text }) => text),
    ["a", 'tag:"b c"', '"d e'],
  );
});

test("completion offers fields, then their values", () => {
  assert.deepEqual(complete("net", RUNS), ["network:"]);
  assert.deepEqual(complete("acc", RUNS), ["accuracy>"]);
  assert.deepEqual(complete("mlp network:v", RUNS), ["mlp network:vgg16"]);
  assert.deepEqual(complete("-tag:c", RUNS), ['-tag:"course two"']);
  assert.deepEqual(complete("batch_size=", RUNS), ["batch_size=128", "batch_size=32"]);
});

test("properties of every object are not fields", () => {
  for (const name of ["constructor", "__proto__", "valueOf"]) {
    assert.match(parse(`${name}:x`, RUNS).faults[0].message, /no field/, name);
    assert.deepEqual(complete(`${name}:`, RUNS), [], name);
  }
});

test("a setting that one run of many has is a field", () => {
  const many = [
    ...Array.from({ length: 600 }, (_, i) => run(`plain ${i}`)),
    run("odd", { network: { kind: "cnn", stem: 7 } }),
  ];
  const { faults, test: passes } = parse("stem=7", many);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    many.filter(passes).map(({ name }) => name),
    ["odd"],
  );
  assert.ok(groupings(many).some(({ key }) => key === "network.stem"));
});

test("a percentage with its unit is read literally", () => {
  assert.deepEqual(found("accuracy<150%"), ["apple", "banana"]);
});

test("runs are grouped by anything in which they differ", () => {
  assert.deepEqual(
    groupings(RUNS)
      .map(({ title }) => title)
      .slice(0, 7),
    ["Not grouped", "Sweep", "Tag", "Status", "Network", "Batch size", "Optimizer"],
  );
  const by = (/** @type {string} */ key) =>
    grouped(RUNS, key, (id) => id).map(({ title, runs }) => [title, runs.length]);
  assert.deepEqual(by("network.kind"), [
    ["network mlp", 2],
    ["network vgg16", 1],
  ]);
  assert.deepEqual(by("tag"), [
    ["final", 1],
    ["course two", 1],
    ["No tag", 2],
  ]);
  assert.deepEqual(by("network.head"), [
    ["head compact", 1],
    ["no head", 2],
  ]);
});
