import assert from "node:assert/strict";
import { test } from "node:test";
import { branchesOf } from "../../network/branches.js";
import { lanesOf, strokesOf } from "../../network/lanes.js";
import { repeatsOf } from "../../network/repeats.js";
import { rowsOf } from "../../network/rows.js";

/** @param {...number[]} inputs */
const graph = (...inputs) => inputs.map((each) => ({ inputs: each }));

/**
 * @param {string} name
 * @param {number[]} inputs
 * @param {Partial<import("../../network/types").CheckedLayer>} [more]
 * @returns {import("../../network/types").CheckedLayer}
 */
const layer = (name, inputs, more = {}) => ({
  name,
  operation: "Conv2d",
  inputs,
  shape: [8, 4, 4],
  parameters: 10,
  multiply_adds: 100,
  line: 1,
  lines: [1],
  group: name.split(".")[0],
  ...more,
});

const unchosen = () => undefined;

test("layers one after another share a lane", () => {
  const { lane, width } = lanesOf(graph([], [0], [1]));
  assert.deepEqual(lane, [0, 0, 0]);
  assert.equal(width, 1);
});

test("the body of a skip goes straight on, and the skip runs beside it", () => {
  // 0 → 1 → 2 → sum(2, 0)
  const layers = graph([], [0], [1], [2, 0]);
  const lanes = lanesOf(layers);
  assert.deepEqual(lanes.lane, [0, 0, 0, 0]);
  assert.deepEqual(lanes.before[2], [1, 0]);
  assert.deepEqual(strokesOf(lanes, layers, 1, 2), { through: [[0, 1]], into: [0], out: [0], lane: 0, loops: 0 });
  assert.deepEqual(strokesOf(lanes, layers, 3, 4), { through: [], into: [0, 1], out: [], lane: 0, loops: 0 });
});

test("four branches have four lanes and end in one", () => {
  const { lane, before } = lanesOf(graph([], [0], [0], [0], [0], [1, 2, 3, 4], [5]));
  assert.deepEqual(lane, [0, 0, 1, 2, 3, 0, 0]);
  assert.deepEqual(before[6], [5]);
});

test("a skip over two blocks runs outside of theirs", () => {
  // 0; a body 1 and sum 2 over 0; a body 3 and sum 4 over 2; a sum 5 over 0
  const layers = graph([], [0], [1, 0], [2], [3, 2], [4, 0]);
  const { lane, before } = lanesOf(layers);
  assert.deepEqual(lane, [0, 0, 0, 0, 0, 0]);
  assert.deepEqual(before[4], [3, 0, 2]);
  assert.deepEqual(before[5], [4, 0]);
});

test("a value that nothing takes ends where it is made", () => {
  assert.deepEqual(lanesOf(graph([], [0], [0])).before[3], []);
});

test("a folded block has the lines of all its layers", () => {
  const layers = graph([], [0], [1], [2, 0], [3]);
  assert.deepEqual(strokesOf(lanesOf(layers), layers, 1, 4), {
    through: [],
    into: [0],
    out: [0],
    lane: 0,
    loops: 1,
  });
  assert.deepEqual(strokesOf(lanesOf(layers), layers, 2, 2).through, [
    [0, 0],
    [1, 1],
  ]);
});

test("repeats are found with the shortest unit that covers most", () => {
  const items = [..."xabababababy"];
  assert.deepEqual(repeatsOf(items, { hides: 4 }), [{ start: 1, period: 2, times: 5 }]);
  assert.deepEqual(repeatsOf([..."abab"], { hides: 1 }), []);
  assert.deepEqual(repeatsOf([..."aaa"], { hides: 3 }), []);
});

test("a unit begins where the caller prefers", () => {
  const items = [..."CbrcbrcbrcbrC"];
  assert.deepEqual(repeatsOf(items, { hides: 4, begins: (at) => items[at].toLowerCase() === "c" }), [
    { start: 3, period: 3, times: 3 },
  ]);
});

test("groups have a row, and a group of one layer is that layer", () => {
  const { rows } = rowsOf([layer("input", []), layer("stem.0", [0]), layer("stem.1", [1])], unchosen);
  assert.deepEqual(
    rows.map(({ kind, level, title, note }) => [kind, level, title, note]),
    [
      ["layer", 1, "Conv2d", "input"],
      ["group", 1, "stem", "2 convolutions"],
      ["layer", 2, "Conv2d", "0"],
      ["layer", 2, "Conv2d", "1"],
    ],
  );
});

test("a closed group is one row for all its layers", () => {
  const layers = [layer("input", []), layer("stem.0", [0]), layer("stem.1", [1])];
  const { rows } = rowsOf(layers, (key) => (key === "group stem" ? false : undefined));
  assert.deepEqual(
    rows.map(({ key, open, from, to }) => [key, open, from, to]),
    [
      ["layer input", null, 0, 1],
      ["group stem", false, 1, 3],
    ],
  );
});

test("long repeats are folded, of layers and of groups", () => {
  const chain = (/** @type {string[]} */ names) =>
    names.map((name, place) => layer(name, place === 0 ? [] : [place - 1]));
  const deep = rowsOf(chain(["input", ...Array.from({ length: 20 }, (_, i) => `body.${i}`)]), unchosen).rows;
  assert.deepEqual(
    deep.map(({ title, note }) => `${title}: ${note}`),
    ["Conv2d: input", "body: 20 convolutions", "Conv2d: 0", "19 more: 19 layers like the layer above"],
  );
  const blocks = Array.from({ length: 6 }, (_, i) => [`b${i}.0`, `b${i}.1`]).flat();
  const rows = rowsOf(chain(["input", ...blocks]), unchosen).rows;
  assert.deepEqual(
    rows.map(({ title, note }) => `${title}: ${note}`),
    ["Conv2d: input", "b0: 2 convolutions", "Conv2d: 0", "Conv2d: 1", "5 more: b1 to b5, like b0"],
  );
  const opened = rowsOf(chain(["input", ...blocks]), (key) => key === "repeat of group b0" || undefined).rows;
  assert.equal(opened.length, rows.length + 15);
});

test("the groups of a large network are closed at first", () => {
  const layers = Array.from({ length: 400 }, (_, i) =>
    layer(`g${Math.floor(i / 10)}.${i}`, i === 0 ? [] : [i - 1], { parameters: i }),
  );
  const { rows } = rowsOf(layers, unchosen);
  assert.equal(rows.length, 40);
  assert.ok(rows.every(({ open }) => open === false));
});

test("branches are named by their largest kernel or their pool, and parts by what is in them", () => {
  const layers = [
    layer("stem.0", []),
    layer("stem.1", [0], { operation: "MaxPool2d" }),
    layer("block.one", [1], { detail: "1×1" }),
    layer("block.three.0", [1], { detail: "1×1" }),
    layer("block.three.1", [3], { detail: "3×3, stride 1" }),
    layer("block.three.2", [4], { operation: "ReLU" }),
    layer("block.pool.0", [1], { operation: "MaxPool2d", detail: "3×3" }),
    layer("block.pool.1", [6], { detail: "1×1" }),
    layer("block", [2, 5, 7, 1], { operation: "Concat" }),
    layer("skip.0", [8]),
    layer("skip", [9, 8], { operation: "Sum" }),
    layer("head.0", [10], { operation: "Linear" }),
    layer("head.1", [11], { operation: "ReLU" }),
  ];
  const names = [...branchesOf(layers)].map(([place, branches]) => [place, branches.map(({ name }) => name)]);
  assert.deepEqual(names, [
    [8, ["1×1", "3×3", "pool", "unchanged"]],
    [10, ["Conv2d", "unchanged"]],
  ]);
  const notes = rowsOf(layers, () => false).rows.map(({ title, note }) => [title, note]);
  assert.deepEqual(notes, [
    ["stem", "1 convolution, a pool"],
    ["block", "1×1 + 3×3 + pool + unchanged"],
    ["skip", "1 convolution, a\u00a0skip"],
    ["head", "1 linear layer"],
  ]);
});

test("a block says its separable convolutions, without the one that fits its skip", () => {
  const depthwise = { detail: "3×3, 8 groups" };
  const layers = [
    layer("input", []),
    layer("block.0", [0], depthwise),
    layer("block.1", [1], { detail: "1×1" }),
    layer("block.2", [2], depthwise),
    layer("block.3", [3], { detail: "1×1" }),
    layer("block.project", [0], { detail: "1×1" }),
    layer("block", [4, 5], { operation: "Sum" }),
  ];
  assert.equal(rowsOf(layers, () => false).rows[1].note, "2 separable convolutions, a\u00a0skip");
});

test("many branches are counted, and those of branches are not walked through", () => {
  const split = [layer("a.in", []), ...[1, 2, 3, 4, 5, 6].map((at) => layer(`a.${at}`, [0]))];
  const joined = layer("a", [1, 2, 3, 4, 5, 6], { operation: "Concat" });
  const outer = layer("a.out", [7, 0], { operation: "Concat" });
  const layers = [...split, joined, outer];
  assert.deepEqual(
    branchesOf(layers)
      .get(8)
      ?.map(({ name }) => name),
    ["Concat", "unchanged"],
  );
  assert.equal(rowsOf([...split, joined], () => false).rows[0].note, "6 branches");
});
