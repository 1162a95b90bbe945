// The small curves of the table: which one, its words and its picture, and how they are fetched.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

globalThis.document ??= /** @type {any} */ ({ documentElement: { dataset: {} }, querySelector: () => null });

const { CurveLoader } = await import("../../runs/curve-loader.js");
const { curveIn, curvePath, curveWords, mainCurve, HEIGHT, WIDTH } = await import("../../runs/sparkline.js");

/** @import { Run } from "../../lib/types" */

/** @param {string} id @param {any} [summary] @param {any} [more] @returns {Run} */
const run = (id, summary = {}, more = {}) =>
  /** @type {any} */ ({
    id,
    status: "finished",
    source: null,
    ...more,
    summary: {
      epoch: 5,
      step: 10,
      events: 3,
      train_loss: 1,
      train_accuracy: 0.5,
      validation_loss: 1,
      validation_accuracy: 0.5,
      ...summary,
    },
  });

/** @param {(number | null)[]} y @param {any} [more] */
const metrics = (y, more = {}) =>
  /** @type {any} */ ({ series: { train_loss: { x: y.map((_, i) => i), y, not_finite: [], ...more } } });

test("the main curve is what the run has the most of", () => {
  assert.equal(mainCurve(run("a")), "validation_accuracy");
  assert.equal(mainCurve(run("a", { epoch: 2 })), "train_loss");
  assert.equal(mainCurve(run("a", { validation_accuracy: null })), "validation_loss");
  assert.equal(mainCurve(run("a", { epoch: null }, { source: {} })), "validation_accuracy");
  const nothing = { step: null, train_loss: null, train_accuracy: null, validation_loss: null };
  assert.equal(mainCurve(run("a", { ...nothing, validation_accuracy: null })), null);
});

test("a curve is told in words", () => {
  const said = (/** @type {any} */ made) => curveWords(/** @type {any} */ (curveIn(made, "train_loss")));
  assert.equal(said(metrics([4.21, 1, 0.0512])), "training loss 4.2 to 0.051");
  assert.equal(said(metrics([4.2])), "training loss 4.2");
  assert.equal(said(metrics([2, 3, null])), "training loss 2 to 3, then not a finite number");
  assert.equal(said(metrics([9, 0], { smoothed: { x: [0, 1], y: [8, 1] } })), "training loss 8 to 1");
  assert.equal(
    curveWords({ name: "validation_accuracy", y: [0.12, 0.973], ends: false }),
    "validation accuracy 12.0% to 97.3%",
  );
  assert.equal(curveIn(metrics([null]), "train_loss"), null);
});

test("a curve stays within its picture", () => {
  for (const y of [[1], [2, 2, 2], [0, 10, -10, 4]]) {
    const { d } = curvePath(y);
    const points = [...d.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, a, b]) => [Number(a), Number(b)]);
    assert.equal(points.length, y.length);
    for (const [a, b] of points) assert.ok(a >= 0 && a <= WIDTH && b >= 0 && b <= HEIGHT, d);
  }
});

/** A server that answers when told to. */
function world() {
  /** @type {string[][]} */
  const asked = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  let now = 0;
  const ask = async (/** @type {string[]} */ ids) => {
    asked.push(ids);
    await new Promise((/** @type {(_: void) => void} */ resolve) => waiting.push(resolve));
    return Object.fromEntries(ids.map((id) => [id, metrics([1, 2])]));
  };
  const loader = new CurveLoader({ ask: /** @type {any} */ (ask), now: () => now });
  return {
    asked,
    loader,
    later: (/** @type {number} */ ms) => (now += ms),
    async answer() {
      for (const go of waiting.splice(0)) go();
      await pause(1);
    },
  };
}

const few = (/** @type {string} */ id, /** @type {any} */ summary = {}, /** @type {any} */ more = {}) =>
  run(id, { epoch: 1, ...summary }, more);

test("curves are fetched many at a time, in two requests at most, and none twice", async () => {
  const { asked, loader, answer } = world();
  /** @type {string[]} */
  const got = [];
  for (let i = 0; i < 100; i += 1) loader.want(few(`r${i}`), () => got.push(`r${i}`));
  await pause(150);
  assert.deepEqual(
    asked.map(({ length }) => length),
    [20, 20],
  );
  // The last wishes are those in sight.
  assert.ok(asked[0].includes("r99"));
  while (got.length < 100) await answer();
  assert.equal(asked.length, 5);
  assert.equal(new Set(asked.flat()).size, 100);
  let known = 0;
  loader.want(few("r7"), () => (known += 1));
  await pause(150);
  assert.deepEqual([known, asked.length], [1, 5]);
});

test("the curve of a run that trains is fetched again after a while, that of one that ended at once", async () => {
  const { asked, loader, answer, later } = world();
  const running = (/** @type {number} */ events) => few("r", { events }, { status: "running" });
  const round = async (/** @type {Run} */ one) => {
    loader.want(one, () => {});
    await pause(150);
    await answer();
    return asked.length;
  };
  assert.equal(await round(running(1)), 1);
  assert.equal(await round(running(2)), 1);
  later(20_000);
  assert.equal(await round(running(3)), 2);
  assert.equal(await round(few("r", { events: 4 })), 3);
});

test("a run that went out of sight is not asked for", async () => {
  const { asked, loader } = world();
  const take = () => {};
  loader.want(few("gone"), take);
  loader.drop("gone", take);
  await pause(150);
  assert.deepEqual(asked, []);
});

test("a run whose curve two rows show is asked for once", async () => {
  const { asked, loader, answer } = world();
  /** @type {string[]} */
  const got = [];
  const own = () => got.push("own");
  const sweep = () => got.push("sweep");
  const away = () => got.push("away");
  for (const take of [own, sweep, away, own]) loader.want(few("r"), take);
  loader.drop("r", away);
  await pause(150);
  await answer();
  assert.deepEqual([got, asked.length], [["own", "sweep"], 1]);
});
