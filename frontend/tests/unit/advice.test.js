// What is to be tried after a run that did not end as planned.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document ??= /** @type {any} */ ({ documentElement: { dataset: {} }, querySelector: () => null });

const { adviceFor, formWith } = await import("../../run/advice.js");
const { setFromUrl } = await import("../../form/url-settings.js");
const { draftOf, fieldText, specOf } = await import("../../form/draft.js");
const { fieldsOf } = await import("../../form/table.js");
const { TABLE } = await import("./table.js");

/** @import { Run } from "../../lib/types" */

/** @param {any} more @returns {Run} */
const run = (more) =>
  /** @type {any} */ ({
    id: "r1",
    source: null,
    status: "finished",
    reason: "completed",
    message: "",
    spec: {
      data: { set: "digits" },
      network: { kind: "mlp" },
      training: { batch_size: 64, clip: null, optimizer: { kind: "sgd", lr: 0.01 }, early_stopping: { patience: 5 } },
    },
    ...more,
    summary: { step: 100, steps: 400, seconds: 60, best_epoch: 3, ...more.summary },
  });

/** @param {any} more */
const labels = (more) => adviceFor(run(more))?.steps.map(({ label }) => label);

test("a run that ended well needs nothing", () => {
  assert.equal(adviceFor(run({})), null);
  assert.equal(adviceFor(run({ status: "running", reason: null })), null);
});

test("each cause has its own way out", () => {
  const failed = (/** @type {string} */ message) => labels({ status: "failed", reason: "failed", message });
  assert.deepEqual(labels({ reason: "diverged" }), [
    "New run with learning rate 0.001",
    "New run with clipped gradients",
  ]);
  assert.deepEqual(failed("The job exceeded its memory and was killed."), ["New run with batch size 32"]);
  assert.deepEqual(
    failed("The worker was killed by signal 9 (SIGKILL). When nobody sent it, the system ran out of memory."),
    ["New run with batch size 32"],
  );
  assert.deepEqual(failed("events.ndjson: No space left on device (os error 28)"), []);
  assert.deepEqual(failed("The worker was killed by signal 15 (SIGTERM)."), []);
  assert.deepEqual(failed('data.set = "cifar-10": is not on this machine yet; get it'), ["Data sets"]);
  assert.deepEqual(failed("something else"), ["Change the settings"]);
  assert.deepEqual(labels({ status: "interrupted", reason: null }), []);
  assert.deepEqual(labels({ status: "stopped", reason: "stopped" }), []);
  assert.deepEqual(labels({ reason: "early_stopped" }), ["New run with patience 10"]);
});

test("the advice says figures with their units", () => {
  assert.match(String(adviceFor(run({ reason: "diverged" }))?.text), /a learning rate of 0\.001, a tenth/);
  assert.match(String(adviceFor(run({ status: "stopped" }))?.text), /about 3 min of training are left/);
});

test("clipped gradients are no way out of a rate that is far too high: each step is as long as the rate", () => {
  const wild = run({ reason: "diverged" });
  wild.spec = /** @type {any} */ ({ training: { optimizer: { kind: "sgd", lr: 90 }, clip: null } });
  assert.deepEqual(
    adviceFor(wild)?.steps.map(({ label }) => label),
    ["New run with learning rate 0.01"],
  );
});

test("a tenth of a rate that is far too high is too high as well", () => {
  const wild = run({ reason: "diverged" });
  const offered = (/** @type {string} */ kind, /** @type {number} */ lr) => {
    wild.spec = /** @type {any} */ ({ training: { optimizer: { kind, lr }, clip: 1 } });
    return adviceFor(wild);
  };
  assert.match(String(offered("sgd", 90)?.text), /a learning rate of 0\.01, the form's default/);
  assert.deepEqual(
    offered("adamw", 3)?.steps.map(({ label }) => label),
    ["New run with learning rate 0.001"],
  );
  assert.match(String(offered("sgd", 0.1)?.text), /a learning rate of 0\.01, a tenth of this one/);
});

test("a learning rate that is already tiny keeps its digits", () => {
  const tiny = run({ reason: "diverged" });
  tiny.spec = /** @type {any} */ ({ training: { optimizer: { lr: 1e-7 }, clip: 1 } });
  assert.deepEqual(
    adviceFor(tiny)?.steps.map(({ label }) => label),
    ["New run with learning rate 1e-8"],
  );
});

test("settings in the address are laid over those that are copied", () => {
  const url = new URL(formWith(run({}), { "training.optimizer.lr": 0.001, "training.batch_size": 32 }), "http://h");
  assert.equal(url.searchParams.get("copy"), "r1");
  const draft = draftOf(TABLE, /** @type {any} */ (run({}).spec));
  const unknown = setFromUrl(TABLE, draft, [...url.searchParams.getAll("set"), "training.nothing:1", "no"]);
  assert.deepEqual(unknown, ["training.nothing", "no"]);
  const spec = /** @type {any} */ (specOf(TABLE, draft));
  assert.deepEqual([spec.training.optimizer.lr, spec.training.batch_size], [0.001, 32]);
});

test("a value in the address is text until the form checks it", () => {
  const draft = draftOf(TABLE, /** @type {any} */ (run({}).spec));
  setFromUrl(TABLE, draft, ["training.epochs:many", "training.optimizer.nesterov:true", "name:a:b"]);
  const text = (/** @type {string} */ path) => {
    const field = fieldsOf(TABLE, draft).find((one) => one.path === path);
    return field && fieldText(TABLE, draft, field);
  };
  assert.deepEqual(["training.epochs", "training.optimizer.nesterov", "name"].map(text), ["many", true, "a:b"]);
});
