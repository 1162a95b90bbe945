import assert from "node:assert/strict";
import { test } from "node:test";
import { offerSources, trainedBlocks, trainedText } from "../../form/transfer.js";

/** @import { FormTable, Plan } from "../../lib/types" */

const blocks = [
  { name: "stem", parameters: 20 },
  { name: "blocks.0", parameters: 300 },
  { name: "blocks.1", parameters: 4000 },
  { name: "blocks.2", parameters: 50_000 },
  { name: "head", parameters: 70 },
];
/** @param {number} trainable @returns {Plan} */
const plan = (trainable) => /** @type {any} */ ({ parameters: 54_390, trainable_parameters: trainable, blocks });

test("the blocks that are trained are told by name, and many by the first and the last", () => {
  assert.deepEqual(trainedBlocks(plan(70)), ["head"]);
  assert.equal(trainedText(plan(70)), "The last 1 of 5 blocks is trained, head: 70 of 54,390 parameters.");
  assert.equal(
    trainedText(plan(54_070)),
    "The last 3 of 5 blocks are trained, blocks.1, blocks.2, head: 54,070 of 54,390 parameters.",
  );
  assert.equal(
    trainedText(plan(54_370)),
    "The last 4 of 5 blocks are trained, blocks.0 to head: 54,370 of 54,390 parameters.",
  );
  assert.equal(trainedText(plan(54_390)), "All 5 blocks are trained: 54,390 parameters.");
});

test("finished runs are choices, and so is the one that settings name", () => {
  const field = { path: "training.transfer.from", kind: { type: "text", max_chars: 36 } };
  const table = /** @type {FormTable} */ (
    /** @type {unknown} */ ({ groups: [{ path: "training.transfer", variants: [{ fields: [field] }] }] })
  );
  const sources = [{ id: "0190-a", name: "cats", network: "vgg16", data: "pets" }];
  offerSources(table, sources, "01900000-b");
  assert.deepEqual(field.kind, {
    type: "choice",
    options: [
      { value: "imported", label: "The network's imported weights" },
      { value: "0190-a", label: "cats (vgg16, pets)" },
      { value: "01900000-b", label: "Run 01900000…" },
    ],
  });
  offerSources(table, sources, "imported");
  assert.equal(/** @type {any} */ (field.kind).options.length, 2);
});
