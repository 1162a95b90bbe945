import assert from "node:assert/strict";
import { test } from "node:test";
import { progressWords } from "../../inside/opening.js";
import { checkpointOf, frameWords, isFrame, readView, writeView } from "../../inside/view.js";

test("a frame is called by its moment", () => {
  assert.deepEqual(["0", "step-8", "3"].map(frameWords), ["before training", "step 8", "epoch 3"]);
  for (const name of ["0", "step-1", "12"]) assert.ok(isFrame(name));
  for (const name of ["best", "last", "step-", "1.5", null]) assert.ok(!isFrame(name));
});

test("a frame has the weights of the checkpoint of its step", () => {
  const at = (/** @type {number | null} */ best, /** @type {number | null} */ last) => [
    { name: "best", step: best },
    { name: "last", step: last },
  ];
  assert.equal(checkpointOf({ step: 12 }, at(8, 12)), "last");
  assert.equal(checkpointOf({ step: 8 }, at(8, 12)), "best");
  assert.equal(checkpointOf({ step: 12 }, at(12, 12)), "last");
  assert.equal(checkpointOf({ step: 4 }, at(8, 12)), null);
  assert.equal(checkpointOf({ step: 4 }, at(null, null)), null);
  assert.equal(checkpointOf(undefined, at(8, null)), null);
  assert.equal(checkpointOf({ step: 4 }, []), null);
});

test("what changed is a view of its own in the address", () => {
  const search = "?checkpoint=3&beside=0&compared=change";
  assert.equal(writeView(readView(search)), search);
  assert.equal(readView("?compared=none").compared, "both");
});

test("a page says what it waits for", () => {
  const reading = (/** @type {number} */ done) => ({ requests: 4, reading: { done, of: 1000 } });
  assert.deepEqual(progressWords(reading(250), 4), {
    text: "Reading the weights: 250 B of 1000 B",
    share: 0.25,
  });
  assert.deepEqual(progressWords(reading(1000), 4), {
    text: "The weights are read. Setting up the network…",
    share: 1,
  });
  const idle = (/** @type {number} */ requests) => progressWords({ requests, reading: null }, 2);
  assert.equal(idle(5).text, "Waiting for 3 other requests to look into networks");
  assert.equal(idle(2).text, "Passing the image through the network…");
  assert.equal(idle(2).share, null);
});
