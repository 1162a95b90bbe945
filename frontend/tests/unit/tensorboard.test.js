// Imported runs beside trained ones.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cell } from "../../chart/csv.js";
import { axisFor, chartsOf } from "../../compare/lines.js";
import { differingSettings, distinctLabels, groupBySeed } from "../../lib/settings-diff.js";
import { importedCurves, RunStore } from "../../run/store.js";
import { tagAssignments } from "../../run/tag-mapping.js";

/** @import { Run } from "../../lib/types" */

/** When the events of these tests were written. */
const NOW = "2026-01-01T00:00:00Z";

/** @param {string} id @param {any} [hparams] @returns {Run} */
const imported = (id, hparams) =>
  /** @type {any} */ ({
    id,
    name: id,
    number: 1,
    status: "finished",
    tags: [],
    notes: "",
    created: "",
    summary: {},
    source: { kind: "tensorboard" },
    spec: { name: id, ...(hparams && { hparams }) },
  });
/** @param {string} id @param {number} lr @returns {Run} */
const own = (id, lr) =>
  /** @type {any} */ ({
    id,
    name: id,
    number: 2,
    status: "finished",
    tags: [],
    notes: "",
    created: "",
    summary: {},
    source: null,
    spec: { name: id, data: { set: "digits" }, network: { kind: "mlp" }, training: { lr } },
  });

test("settings that an imported run does not state are not differences", () => {
  assert.deepEqual(differingSettings([own("a", 1), imported("b", { lr: 1 })]), []);
  assert.deepEqual(differingSettings([own("a", 1), own("b", 2), imported("c")]), ["training.lr"]);
  assert.deepEqual(differingSettings([imported("a", { lr: 1, x: 1 }), imported("b", { lr: 2 }), imported("c")]), [
    "hparams.lr",
  ]);
  assert.deepEqual([...distinctLabels([own("a", 1), imported("b")]).values()], ["a", "b"]);
});

test("imported runs without settings stand for themselves", () => {
  const groups = groupBySeed([imported("a"), imported("b"), own("c", 1)]);
  assert.deepEqual(
    groups.map((group) => group.map(({ id }) => id)),
    [["a"], ["b"], ["c"]],
  );
});

test("beside an imported run, others are drawn over steps", () => {
  const other = own("b", 1);
  other.spec.data = { set: "moons" };
  assert.equal(axisFor([own("a", 1), other]), "epoch");
  assert.equal(axisFor([own("a", 1), other, imported("c")]), "step");
});

test("values of an imported curve are unchanged, except percentages", () => {
  const store = new RunStore();
  store.apply({
    kind: "scalars",
    seq: 1,
    time: NOW,
    tag: "val/acc",
    series: "validation_accuracy",
    percent: true,
    step: [10, 20],
    seconds: [1, 2],
    value: [50, null],
    not_finite: "nan",
  });
  assert.equal(
    store.apply({ kind: "scalars", seq: 2, time: NOW, tag: "grad_norm", step: [10], seconds: [1], value: [7] }),
    "new",
  );
  const { x, y, notFinite } = store.series.validation_accuracy;
  assert.deepEqual([x.length, x.data[0], y.data[0]], [2, 10, 0.5]);
  assert.deepEqual(notFinite, [{ step: 20, kind: "nan" }]);
  assert.equal(store.series.train_loss.x.length, 0);
});

test("the sign of infinities is kept and exported", () => {
  const store = new RunStore();
  store.apply(
    /** @type {any} */ ({
      kind: "steps",
      seq: 1,
      time: NOW,
      first_step: 1,
      epoch: 1,
      loss: [null],
      accuracy: [0.5],
      lr: [1],
      seconds: 1,
      not_finite: "-inf",
    }),
  );
  store.apply(
    /** @type {any} */ ({
      kind: "steps",
      seq: 2,
      time: NOW,
      first_step: 2,
      epoch: 1,
      loss: [null, 3],
      accuracy: [0.5, 1],
      lr: [1, 1],
      seconds: 2,
      not_finite: "inf",
    }),
  );
  store.apply(
    /** @type {any} */ ({
      kind: "epoch",
      seq: 3,
      time: NOW,
      epoch: 1,
      step: 3,
      train: { loss: null, accuracy: 1 },
      validation: { loss: null, accuracy: 1, not_finite: "-inf" },
      not_finite: "nan",
    }),
  );
  const { train_loss: loss, validation_loss: validation } = store.series;
  assert.deepEqual(
    loss.notFinite.map(({ kind }) => kind),
    ["-inf", "inf"],
  );
  assert.deepEqual(
    [0, 1, 2].map((i) => cell(loss.told(i))),
    ["-inf", "inf", "3"],
  );
  assert.equal(cell(validation.told(0)), "-inf");
  assert.ok(Number.isNaN(loss.y.data[0]));
});

test("tags with charts of their own have curves of their own", () => {
  const theirs = /** @type {any} */ ({
    ...imported("a"),
    source: { kind: "tensorboard", series: { lr: "lr" }, own: ["b, c"] },
  });
  const names = importedCurves([theirs, own("b", 1)]);
  assert.deepEqual(
    names.map(({ name, title }) => [name, title]),
    [
      ["lr", "Learning rate"],
      ["tag:b, c", "b, c"],
    ],
  );
  const store = new RunStore(names.map(({ name }) => name));
  store.apply({
    kind: "scalars",
    seq: 1,
    time: NOW,
    tag: "b, c",
    series: "tag:b, c",
    step: [10],
    seconds: [1],
    value: [7],
  });
  store.apply({ kind: "scalars", seq: 2, time: NOW, tag: "d", series: "tag:d", step: [10], seconds: [1], value: [7] });
  assert.deepEqual([store.series["tag:b, c"].y.data[0], store.series.lr.x.length], [7, 0]);
  assert.deepEqual(
    chartsOf([theirs])
      .map(({ title }) => title)
      .slice(4),
    ["Learning rate", "b, c"],
  );
  assert.equal(chartsOf([own("b", 1)]).length, 4);
});

test("choosing a curve for a tag takes it from the tag that had it", () => {
  const tag = (/** @type {string} */ name, /** @type {string | null} */ curve, chosen = false) => ({
    tag: name,
    values: 1,
    last: 1,
    curve,
    assigned: chosen,
  });
  const tags = [tag("loss", "train_loss"), tag("acc", "train_accuracy"), tag("other", null), tag("norm", "own", true)];
  assert.deepEqual(tagAssignments(tags, new Map()), { norm: "own" });
  assert.deepEqual(tagAssignments(tags, new Map([["acc", "validation_accuracy"]])), {
    acc: "validation_accuracy",
    norm: "own",
  });
  assert.deepEqual(tagAssignments(tags, new Map([["other", "train_loss"]])), {
    loss: "none",
    other: "train_loss",
    norm: "own",
  });
  assert.deepEqual(tagAssignments(tags, new Map([["norm", "none"]])), { norm: "none" });
});
