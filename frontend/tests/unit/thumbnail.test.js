import assert from "node:assert/strict";
import { test } from "node:test";
import { blocksOf, stagesInWords } from "../../network/thumbnail.js";

const STAGES = [
  { shape: [3, 32, 32], layers: 0, line: 0, skips: [], long_skips: [], concat: null },
  { shape: [64, 32, 32], layers: 2, line: 0, skips: [], long_skips: [], concat: null },
  { shape: [512, 2, 2], layers: 3, line: 0, skips: [], long_skips: [], concat: null },
  { shape: [4096], layers: 1, line: 0, skips: [], long_skips: [], concat: null },
  { shape: [10], layers: 1, line: 0, skips: [], long_skips: [], concat: null },
];

test("blocks are as high as maps and wider with more channels, and bars are as high as vectors are long", () => {
  const [sample, first, last, hidden, output] = blocksOf(STAGES);
  assert.equal(sample.height, first.height);
  assert.ok(last.height < first.height && last.height >= 5);
  assert.ok(sample.width < first.width && first.width < last.width);
  assert.ok(hidden.isVector && output.isVector && !last.isVector);
  assert.ok(output.height < hidden.height);
  assert.ok(last.x > first.x + first.width);
});

test("a thumbnail says in words what it shows", () => {
  assert.equal(stagesInWords(STAGES), "3 × 32 × 32 in, 2 layers of 64 × 32 × 32, 3 layers of 512 × 2 × 2, 4096, 10");
});
