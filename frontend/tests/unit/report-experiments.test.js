import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf, readBlock } from "../../report/block.js";
import { experimentReport, questionAbout, reportAbout } from "../../report/experiment-report.js";
import { subjectsOf } from "../../report/experiment-runs.js";
import { EXPERIMENTS, wordsOf } from "../../report/experiments.js";
import { isOf } from "../../report/begin.js";
import { lastImage, rememberImage } from "../../lib/last-image.js";
import { kindNamed, valuesOf } from "../../report/figures/index.js";
import { partsOf } from "../../report/markdown.js";
import { memory, run } from "./report-fixtures.js";

/** @import { Run } from "../../lib/types" */

/** @type {any[]} */
const PRESETS = [
  {
    id: "batch-size",
    base: { data: { set: "digits" }, network: { kind: "mlp" } },
    grid: { "training.batch_size": [16, 32] },
  },
  {
    id: "convolutional-networks",
    base: { data: { set: "digits" }, network: { kind: "vgg16" } },
    grid: { network: [{ kind: "vgg16" }, { kind: "inception" }] },
  },
  { id: "vgg16-inside", base: { data: { set: "digits" }, network: { kind: "vgg16" } }, grid: {} },
  {
    id: "wide-against-deep",
    base: { data: { set: "digits" }, network: { kind: "vgg16" } },
    grid: { network: [{ kind: "mlp-wide" }, { kind: "vgg16" }] },
  },
];

/** @param {string} id */
const experiment = (id) => EXPERIMENTS.find((known) => known.id === id) ?? assert.fail(id);

test("an experiment has the title and the question of its preset, or those of the part that it is about", () => {
  const presets = /** @type {any[]} */ ([
    { ...PRESETS[0], title: "Batch size", question: "Where is the noise?" },
    { ...PRESETS[2], title: "VGG16 from the inside", question: "What is in it?" },
  ]);
  assert.deepEqual(wordsOf(experiment("batch-size"), presets), {
    title: "Batch size",
    question: "Where is the noise?",
  });
  assert.equal(wordsOf(experiment("filters"), presets).title, "Filters");
  const text = experimentReport([{ experiment: experiment("batch-size"), subject: { runs: "a", run: run({}) } }], {
    presets,
  });
  assert.match(text, /^# Batch size\n\nWhere is the noise\?\n/);
  // Words of its own stand where experiments share a preset, and nowhere else.
  for (const { id, title, preset } of EXPERIMENTS) {
    const sharing = EXPERIMENTS.filter((other) => other.preset === preset).length;
    assert.equal(title !== undefined, sharing > 1, id);
  }
});

test("an experiment finds the sweep that is its own", () => {
  const [batch, nets] = PRESETS;
  /** @type {any[]} */
  const sweeps = [
    { id: "nets", spec: nets },
    { id: "batch", spec: { ...batch, grid: { "training.batch_size": [16, 256] } } },
  ];
  const runs = [
    run({ id: "b1", sweep: "batch" }),
    run({ id: "n1", sweep: "nets", number: 2, spec: { data: { set: "digits" }, network: { kind: "inception" } } }),
    run({ id: "n2", sweep: "nets", number: 3, spec: { data: { set: "digits" }, network: { kind: "vgg16" } } }),
  ];
  const of = (/** @type {string} */ id) => subjectsOf(experiment(id), PRESETS, runs, sweeps)[0] ?? null;
  assert.equal(of("batch-size")?.runs, "sweep batch");
  assert.equal(of("convolutional-networks")?.runs, "sweep nets");
  // A network can be inspected whatever its data set.
  assert.equal(of("filters")?.run.id, "n2");
  // The same setting is varied, over other networks.
  assert.equal(of("wide-against-deep"), null);
  assert.equal(of("perceptron"), null);
});

test("an own sweep of the same setting is of the experiment, after those of the preset", () => {
  const [batch] = PRESETS;
  /** @type {any[]} */
  const sweeps = [
    {
      id: "own",
      spec: {
        base: { data: { set: "cifar-10" }, network: { kind: "vgg16" } },
        grid: { "training.batch_size": [8, 256] },
      },
    },
    { id: "near", spec: { ...batch, grid: { "training.batch_size": [16, 64] } } },
    { id: "exact", spec: { ...batch, base: { ...batch.base, name: "Mine", training: { seed: 3 } } } },
    { id: "rates", spec: { ...batch, grid: { "training.optimizer.lr": [1, 2] } } },
  ];
  const runs = sweeps.map(({ id }, i) => run({ id: `${id}1`, number: i, sweep: id, name: `${id} · batch size 8` }));
  const found = subjectsOf(experiment("batch-size"), PRESETS, runs, sweeps);
  assert.deepEqual(
    found.map(({ runs: of, exactly, title, values }) => [of, exactly, title, values]),
    [
      ["sweep exact", true, "exact", "16 and 32"],
      ["sweep near", false, "near", "16 and 64"],
      ["sweep own", false, "own", "8 and 256"],
    ],
  );
  // Its report asks about its own values.
  const text = experimentReport([{ experiment: experiment("batch-size"), subject: found[2] }]);
  assert.match(text, /The same network on batches of 8 and 256\./);
  assert.doesNotMatch(text, /16, 32, 64/);
});

test("a report inspects the best finished run, and shows the image that was looked at last", () => {
  const vgg = (/** @type {Partial<Run>} */ own) =>
    run({ spec: /** @type {any} */ ({ data: { set: "digits" }, network: { kind: "vgg16" } }), ...own });
  const summary = (/** @type {number | null} */ accuracy) =>
    /** @type {any} */ ({ test_accuracy: accuracy, best_validation_accuracy: accuracy });
  const runs = [
    vgg({ id: "good", number: 1, summary: summary(0.9) }),
    vgg({ id: "seed 1", number: 2, summary: summary(0.4) }),
    vgg({ id: "stopped", number: 3, status: "stopped", summary: summary(0.99) }),
    vgg({ id: "failed", number: 4, status: "failed", summary: summary(1) }),
  ];
  const [subject, ...others] = subjectsOf(experiment("feature-maps"), PRESETS, runs, []);
  assert.deepEqual([subject.run.id, ...others.map(({ run: of }) => of.id)], ["good", "seed 1", "stopped"]);
  const text = experimentReport([{ experiment: experiment("feature-maps"), subject: { ...subject, image: "photo1" } }]);
  assert.equal(text.match(/^image: photo1$/gm)?.length, 3);

  const storage = memory();
  assert.equal(lastImage(runs[0], [], storage), "pinned");
  assert.equal(lastImage(runs[0], ["new", "old"], storage), "new");
  rememberImage(runs[0], "old", storage);
  rememberImage(runs[0], "pinned", storage);
  assert.equal(lastImage(runs[0], ["new", "old"], storage), "old");
  // It was deleted.
  assert.equal(lastImage(runs[0], ["new"], storage), "new");
  rememberImage(runs[0], "test:3", storage);
  assert.equal(lastImage(runs[0], ["new"], storage), "test:3");
  assert.equal(lastImage(run({ spec: /** @type {any} */ ({ data: { set: "mnist" } }) }), ["new"], storage), "new");
});

test("what is known stands in a report: question, what to look for, what others saw, which run is best", () => {
  const preset = /** @type {any} */ ({
    ...PRESETS[0],
    findings: [{ value: "16", seen: "It jumps." }],
    look_for: "the noise.",
    question: "Where is the noise?",
  });
  const spec = (/** @type {number} */ size) =>
    /** @type {any} */ ({
      data: { set: "digits" },
      network: { kind: "mlp" },
      training: { batch_size: size, epochs: 3 },
    });
  const of = [16, 32].map((size) =>
    run({
      id: `0${size}214aa-f832-771b-b5df-8347040e379b`,
      name: `Batch size · batch size ${size}`,
      sweep: "s",
      spec: spec(size),
      summary: /** @type {any} */ ({ test_accuracy: size / 100 }),
    }),
  );
  const subject = { runs: "sweep s", run: of[1], of, exactly: true };
  const text = experimentReport([{ experiment: experiment("batch-size"), subject }], {
    presets: [preset],
    title: "Mine",
  });
  assert.match(text, /^# Mine\n/);
  assert.match(text, /- \*\*16\*\*: It jumps\./);
  assert.ok(
    text.includes(
      `Batch size 32 is best on the test split, with {{${of[1].id} test_accuracy}}; batch size 16 is last, with {{${of[0].id} test_accuracy}}.`,
    ),
  );
  assert.equal(questionAbout(of), "What difference does the batch size (16 and 32) make to MLP on digits?");
  assert.equal(questionAbout([of[0]]), "How much does MLP on digits learn in 3 epochs, and what does it confuse?");
  const about = reportAbout("One", of[0].id, [of[0]], preset);
  assert.match(about, /Where is the noise\?/);
  assert.match(about, /Look for the noise\./);
  assert.doesNotMatch(about, /What is the question/);
  // A run that still trains has no place yet.
  const active = experimentReport([
    { experiment: experiment("batch-size"), subject: { ...subject, of: [of[0], { ...of[1], status: "running" }] } },
  ]);
  assert.doesNotMatch(active, /test_accuracy/);
});

test("a run is of a preset if it has all of its settings", () => {
  const preset = /** @type {any} */ ({
    base: { name: "P", data: { set: "digits" }, network: { kind: "mlp", hidden: [8] } },
    grid: {},
  });
  const of = (/** @type {any} */ network) =>
    run({ spec: /** @type {any} */ ({ data: { set: "digits", limit: null }, network }) });
  assert.equal(isOf(preset, of({ kind: "mlp", hidden: [8], dropout: 0 })), true);
  assert.equal(isOf(preset, of({ kind: "mlp", hidden: [16] })), false);
});

test("a report template has only valid figures", () => {
  const subject = { runs: "sweep s1", run: run({}) };
  for (const text of [
    experimentReport(EXPERIMENTS.map((one) => ({ experiment: one, subject }))),
    ...EXPERIMENTS.map((one) => experimentReport([{ experiment: one, subject }])),
    reportAbout("Two", "a, b", [run({}), run({})]),
    reportAbout("One", "a", [run({})]),
  ]) {
    const parts = partsOf(text);
    assert.equal(parts[0].token.type, "heading");
    let figures = 0;
    for (const { token } of parts) {
      if (token.type !== "code") continue;
      const kind = kindNamed(kindOf(token.lang) ?? "");
      valuesOf(kind, readBlock(kind.kind, token.text).settings);
      figures += 1;
    }
    assert.ok(figures >= 2, text);
    assert.match(text, /# Observations\n/);
    assert.match(text, /# Conclusion\n/);
  }
});
