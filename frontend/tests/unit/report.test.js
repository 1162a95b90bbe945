import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf, readBlock, writeBlock } from "../../report/block.js";
import { EXPERIMENTS, reportAbout, experimentRuns, experimentReport } from "../../report/experiments.js";
import { kindNamed, KINDS, valuesOf } from "../../report/figures/index.js";
import { autosave } from "../../report/autosave.js";
import { partsOf } from "../../report/markdown.js";
import { NUMBERS, resolveNumber } from "../../report/numbers.js";
import { Sources } from "../../report/sources.js";

/** @import { Run } from "../../lib/types" */

/** @param {Partial<Run>} own @returns {Run} */
const run = (own) =>
  /** @type {any} */ ({
    id: "01a214aa-f832-771b-b5df-8347040e379b",
    number: 1,
    changed: 1,
    name: "first",
    status: "finished",
    sweep: null,
    tags: [],
    spec: { data: { set: "digits" }, network: { kind: "mlp" } },
    summary: { test_accuracy: 0.9812, parameters: 17226, seconds: 75.2, test_loss: null },
    ...own,
  });

test("a block is parsed and written back", () => {
  assert.equal(kindOf("figure curve"), "curve");
  assert.equal(kindOf("js"), null);
  assert.equal(kindOf(undefined), null);
  assert.equal(kindOf("figure"), "");
  const block = readBlock("curve", "runs: a, b\n\n  caption:  What: it does  ");
  assert.deepEqual(
    [...block.settings],
    [
      ["runs", "a, b"],
      ["caption", "What: it does"],
    ],
  );
  const written = writeBlock({
    kind: "curve",
    settings: new Map([
      ["runs", "a"],
      ["x", ""],
      ["caption", "two\nlines"],
    ]),
  });
  assert.equal(written, "```figure curve\nruns: a\ncaption: two lines\n```");
  const [{ token }] = partsOf(written);
  assert.ok(token.type === "code" && kindOf(token.lang) === "curve");
});

test("parse errors name the fault", () => {
  assert.throws(() => readBlock("curve", "runs a"), /“runs a” is not a setting/);
  assert.throws(() => readBlock("curve", "x: step\nx: time"), /“x” is given twice/);
  assert.throws(() => kindNamed("pie"), /“pie” is not a kind of figure; choose one of curve, results,/);
  const curve = kindNamed("curve");
  assert.throws(() => valuesOf(curve, new Map()), /Runs is missing/);
  assert.throws(
    () =>
      valuesOf(
        curve,
        new Map([
          ["runs", "a"],
          ["size", "3"],
        ]),
      ),
    /“size” is not a setting of a curve; choose one of runs, series/,
  );
  assert.throws(
    () =>
      valuesOf(
        curve,
        new Map([
          ["runs", "a"],
          ["x", "hours"],
        ]),
      ),
    /x must be one of .*epoch.*, not “hours”/,
  );
  assert.throws(
    () =>
      valuesOf(
        curve,
        new Map([
          ["runs", "a"],
          ["smoothing", "2"],
        ]),
      ),
    /smoothing must be a number from 0 to 0.999, not “2”/,
  );
  assert.equal(valuesOf(curve, new Map([["runs", "a"]])).series, "train_loss");
});

test("the default of every choice is one of its options", () => {
  for (const kind of KINDS) {
    for (const field of kind.fields) {
      for (const [value] of field.options ?? []) {
        const settings = new Map(
          kind.fields.filter(({ value: own }) => own === undefined).map(({ name }) => [name, "01a214aa"]),
        );
        if (value) settings.set(field.name, value);
        assert.equal(valuesOf(kind, settings)[field.name], value, `${kind.kind} ${field.name}`);
      }
    }
  }
});

test("parts know their lines", () => {
  const text = "# One\n\nTwo\nlines\n\n\n```figure curve\nruns: a\n```\n\n- x\n- y\n";
  assert.deepEqual(
    partsOf(text).map(({ token, from, to }) => [token.type, from, to]),
    [
      ["heading", 0, 0],
      ["paragraph", 2, 3],
      ["code", 6, 8],
      ["list", 10, 11],
    ],
  );
  const lines = text.split("\n");
  for (const { token, from, to } of partsOf(text))
    assert.equal(
      lines
        .slice(from, to + 1)
        .join("\n")
        .trim(),
      token.raw.trim(),
    );
});

test("runs are found by id, by its prefix, by sweep and by tag", () => {
  const other = run({ id: "01b3", number: 2, sweep: "s1", tags: ["final"] });
  const sources = new Sources([other, run({ sweep: "s1" })]);
  assert.deepEqual(
    sources.find("sweep s1").map(({ number }) => number),
    [1, 2],
  );
  assert.deepEqual(
    sources.find("tag final").map(({ number }) => number),
    [2],
  );
  assert.deepEqual(
    sources.find("01b3, 01a214aa-f832, 01b3").map(({ number }) => number),
    [1, 2],
  );
  assert.throws(() => sources.find("sweep s2"), /There are no runs for “sweep s2”/);
  assert.throws(() => sources.find(" "), /No runs are named/);
  assert.throws(() => sources.run("01a2"), /There is no run “01a2”/);
});

test("a number is the run's", () => {
  const sources = new Sources([run({})]);
  const id = "01a214aa-f832-771b-b5df-8347040e379b";
  assert.equal(resolveNumber(`${id} test_accuracy`, sources).text, "98.1\u202f%");
  assert.equal(resolveNumber(`${id} parameters`, sources).text, "17,226");
  assert.equal(resolveNumber(`${id} name`, sources).text, "first");
  assert.throws(() => resolveNumber(`${id} test_loss`, sources), /Test loss of “first” is not known yet/);
  assert.throws(
    () => resolveNumber(`${id} beauty`, sources),
    /“beauty” is not a number of a run; choose one of test_accuracy/,
  );
  assert.throws(() => resolveNumber("nothing", sources), /must be a run's id and the name of a number/);
  assert.ok(Object.keys(NUMBERS).length > 10);
});

test("requests are cached until a run changes", async () => {
  const sources = new Sources([]);
  let asked = 0;
  const ask = async () => (asked += 1);
  const [first, later] = [run({}), run({ changed: 2 })];
  assert.deepEqual(await Promise.all([sources.once("x", [first], ask), sources.once("x", [first], ask)]), [1, 1]);
  assert.equal(await sources.once("x", [later], ask), 2);
  await assert.rejects(sources.once("y", [first], async () => Promise.reject(new Error("away"))));
  assert.equal(await sources.once("y", [first], ask), 3);
});

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
  const of = (/** @type {string} */ id) => experimentRuns(experiment(id), PRESETS, runs, sweeps);
  assert.equal(of("batch-size")?.runs, "sweep batch");
  assert.equal(of("convolutional-networks")?.runs, "sweep nets");
  // A network can be inspected whatever its data set.
  assert.equal(of("filters")?.run.id, "n2");
  // The same setting is varied, over other networks.
  assert.equal(of("wide-against-deep"), null);
  assert.equal(of("perceptron"), null);
});

test("a report template has only valid figures and no numbers", () => {
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

/** @returns {Storage} */
function memory() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return /** @type {any} */ ({
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
    removeItem: (/** @type {string} */ key) => kept.delete(key),
  });
}

/** @param {(body: any) => Response} answer @param {Storage} storage */
function kept(answer, storage) {
  /** @type {string[]} */
  const states = [];
  /** @type {any[]} */
  const sent = [];
  globalThis.fetch = /** @type {any} */ (
    async (/** @type {string} */ _, /** @type {{ body: string }} */ { body }) => {
      sent.push(JSON.parse(body));
      return answer(JSON.parse(body));
    }
  );
  const report = { id: "r", url: "/reports/r", title: "One", revision: "1", created: "", changed: "", text: "# One" };
  return {
    states,
    sent,
    report,
    autosaved: autosave(report, { onState: ({ kind }) => states.push(kind), onTitle: () => {}, storage }),
  };
}

test("what is written is saved with the revision that it changed", async () => {
  const storage = memory();
  const { autosaved, sent, states } = kept(() => Response.json({ title: "Two", revision: "2" }), storage);
  autosaved.change("# Two");
  assert.equal(autosaved.isSaved(), false);
  assert.match(String(storage.getItem("vivarium.report.r")), /# Two/);
  await autosaved.save();
  assert.deepEqual(sent, [{ text: "# Two", revision: "1" }]);
  assert.deepEqual(states, ["changed", "saving", "saved"]);
  assert.equal(autosaved.isSaved(), true);
  assert.equal(storage.getItem("vivarium.report.r"), null);
});

test("an unsaved text is restored on the next visit", async () => {
  const storage = memory();
  const { autosaved, states } = kept(() => Response.json({ detail: "The disk is full." }, { status: 422 }), storage);
  autosaved.change("# Mine");
  await autosaved.save();
  assert.deepEqual(states, ["changed", "saving", "away"]);
  const next = kept(() => Response.json({ title: "Mine", revision: "2" }), storage);
  assert.equal(next.autosaved.recover(), "# Mine");
  await next.autosaved.save();
  assert.deepEqual(next.sent, [{ text: "# Mine", revision: "1" }]);
  assert.equal(storage.getItem("vivarium.report.r"), null);
});

test("a version that was saved elsewhere is overwritten only on request", async () => {
  const { autosaved, sent, states, report } = kept(
    ({ revision }) =>
      revision === "9"
        ? Response.json({ title: "Mine", revision: "10" })
        : Response.json({ detail: "saved elsewhere" }, { status: 409 }),
    memory(),
  );
  autosaved.change("# Mine");
  await autosaved.save();
  assert.equal(states.at(-1), "conflict");
  autosaved.change("# Mine too");
  await autosaved.save();
  assert.equal(sent.length, 1);
  assert.equal(autosaved.settle({ ...report, text: "# Theirs", revision: "9" }, "mine"), "# Mine too");
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(sent.at(-1), { text: "# Mine too", revision: "9" });
  assert.equal(autosaved.isSaved(), true);
});
