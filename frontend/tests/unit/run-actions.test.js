// The action that comes first on a run's page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { primaryAction } from "../../run/run-actions.js";

test("the state of a run decides which action comes first", () => {
  const of = (/** @type {string} */ status, /** @type {string | null} */ reason = null) =>
    primaryAction(/** @type {any} */ ({ status, reason, source: null }));
  assert.deepEqual(
    ["queued", "running"].map((status) => of(status)),
    [null, null],
  );
  assert.deepEqual(
    ["stopped", "interrupted"].map((status) => of(status)),
    ["resume", "resume"],
  );
  assert.equal(of("finished", "completed"), "page");
  assert.equal(of("finished", "early_stopped"), "page");
  assert.equal(of("failed"), "adjust");
  assert.equal(of("finished", "diverged"), "adjust");
  assert.equal(primaryAction(/** @type {any} */ ({ status: "finished", reason: null, source: {} })), null);
});
