import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf, readBlock, writeBlock } from "../../report/block.js";
import { readFrontMatter, byline, withUsualFrontMatter, writeFrontMatter } from "../../report/front-matter.js";
import { kindNamed, KINDS, valuesOf } from "../../report/figures/index.js";
import { titleOf } from "../../report/figures/curve.js";
import { CHARTS } from "../../compare/lines.js";
import { cssString } from "../../lib/print.js";
import { partsOf } from "../../report/markdown.js";
import { NUMBERS, resolveNumber } from "../../report/numbers.js";
import { freeName, referredName, resolveReference } from "../../report/references.js";
import { settingsThatMatter, settingWords } from "../../report/setting-words.js";
import { Sources } from "../../report/sources.js";
import { memory, run } from "./report-fixtures.js";

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

test("a list, a checkpoint and a name are checked", () => {
  const curve = kindNamed("curve");
  const of = (/** @type {string} */ kind, /** @type {{ [name: string]: string }} */ settings) =>
    valuesOf(kindNamed(kind), new Map(Object.entries(settings)));
  assert.equal(of("curve", { runs: "a", series: "train_loss, validation_loss" }).series, "train_loss, validation_loss");
  assert.throws(
    () => of("curve", { runs: "a", series: "train_loss, beauty" }),
    /series must be of train_loss, .*not “beauty”/,
  );
  assert.throws(
    () => of("curve", { runs: "a", name: "My figure" }),
    /name must begin with a small letter.*not “My figure”/,
  );
  for (const checkpoint of ["best", "last", "0", "12"])
    assert.equal(of("filters", { run: "a", checkpoint }).checkpoint, checkpoint);
  assert.throws(() => of("filters", { run: "a", checkpoint: "first" }), /must be best, last or the number of an epoch/);
  assert.ok(curve.fields.some(({ name }) => name === "caption"));
});

test("author, course and date stand before the text, and an old report has none", () => {
  const about = { author: "Ada: L.", course: "Deep Learning (WS 26/27)", date: "2026-11-29" };
  const text = writeFrontMatter(about, "# Title\n\nText.\n");
  assert.equal(
    text,
    '---\nauthor: "Ada: L."\ncourse: Deep Learning (WS 26/27)\ndate: 2026-11-29\n---\n\n# Title\n\nText.\n',
  );
  assert.deepEqual(readFrontMatter(text), { about, body: "# Title\n\nText.\n" });
  assert.deepEqual(byline(about), ["Ada: L.", "Deep Learning (WS 26/27)", "29 November 2026"]);
  const none = { author: "", course: "", date: "" };
  for (const old of ["# Old\n\nText.", "", "---\n\nA line first", "---\nNote: x\n---\n", "\n---\nauthor: x\n---\n"]) {
    assert.deepEqual(readFrontMatter(old), { about: none, body: old });
    assert.equal(writeFrontMatter(none, old), old);
  }
  // A line break would end the front matter.
  assert.equal(writeFrontMatter({ ...none, author: "a\n---\nb" }, "x"), "---\nauthor: a --- b\n---\n\nx");
});

test("a new report has the author of the last one and today's date", () => {
  const storage = memory();
  const day = new Date(2026, 10, 29);
  assert.equal(withUsualFrontMatter("# R", storage, day), "---\ndate: 2026-11-29\n---\n\n# R");
  storage.setItem("vivarium.report.about", JSON.stringify({ author: "Ada", course: "" }));
  assert.match(withUsualFrontMatter("# R", storage, day), /^---\nauthor: Ada\ndate: 2026-11-29\n---\n/);
  storage.setItem("vivarium.report.about", "{");
  assert.match(withUsualFrontMatter("# R", storage, day), /^---\ndate/);
});

test("a reference is the number of the figure that has the name", () => {
  const figures = [
    { name: "", label: "Figure 1" },
    { name: "noise", label: "Figure 2" },
    { name: "twice", label: "Table 1" },
    { name: "twice", label: "Table 2" },
  ];
  assert.equal(referredName("ref noise"), "noise");
  assert.equal(referredName("01a214aa test_accuracy"), null);
  assert.equal(resolveReference("noise", figures).label, "Figure 2");
  assert.throws(() => resolveReference("calm", figures), /No figure or table is named “calm”; there are noise, twice/);
  assert.throws(() => resolveReference("twice", figures), /2 figures are named “twice”/);
  assert.equal(freeName("curve", ["curve", "curve-2"]), "curve-3");
});

test("a figure of several series names them once", () => {
  assert.equal(titleOf(CHARTS), "Training and validation loss and accuracy");
  assert.equal(titleOf(CHARTS.slice(0, 1)), "Training loss");
  assert.equal(titleOf([CHARTS[0], CHARTS[1]]), "Training loss and accuracy");
  assert.equal(titleOf([CHARTS[0], CHARTS[2], CHARTS[3]]), "Training and validation loss, validation accuracy");
});

test("a title with quotes and breaks stays one string of a style sheet", () => {
  assert.equal(cssString('a "b" \\ c\nd'), '"a \\"b\\" \\\\ c d"');
});

/** @type {any} */
const FORM = {
  common: [
    { path: "training.epochs", label: "Epochs", kind: { type: "integer" }, default: "30" },
    { path: "training.batch_size", label: "Batch size", kind: { type: "integer" }, default: "64" },
    {
      path: "data.limit",
      label: "Training samples at most",
      kind: { type: "integer" },
      default: "null",
      null_label: "All",
    },
    { path: "training.threads", label: "Threads", kind: { type: "integer" }, default: "null", null_label: "Automatic" },
  ],
  data_sets: [{ set: "digits", title: "Digits", fields: [], defaults: {}, dimensions: 3 }],
  networks: [
    {
      kind: "mlp",
      title: "Multilayer perceptron",
      fields: [
        {
          path: "network.activation",
          label: "Activation",
          kind: { type: "choice", options: [{ value: "relu", label: "ReLU" }] },
          default: '"relu"',
        },
        { path: "network.dropout", label: "Dropout", kind: { type: "number" }, default: "0.0" },
      ],
      defaults: {},
      criterion: "cross_entropy",
    },
  ],
  groups: [
    {
      path: "training.optimizer",
      label: "Optimizer",
      selector: "kind",
      default: "sgd",
      needs: [],
      variants: [
        {
          value: "sgd",
          label: "SGD",
          fields: [
            { path: "training.optimizer.lr", label: "Learning rate", kind: { type: "number" }, default: "0.01" },
          ],
        },
      ],
    },
  ],
};

test("settings are told in the form's words: what differs, then what matters of the rest", () => {
  const spec = (/** @type {number} */ batch, /** @type {number} */ dropout) => ({
    data: { set: "digits", limit: null },
    network: { kind: "mlp", activation: "relu", dropout },
    training: { epochs: 30, batch_size: batch, threads: 2, optimizer: { kind: "sgd", lr: 0.01 } },
  });
  const runs = [
    run({ spec: /** @type {any} */ (spec(16, 0.2)) }),
    run({ id: "b", spec: /** @type {any} */ (spec(32, 0.2)) }),
  ];
  const words = (/** @type {string} */ path) => settingWords(FORM, runs[0], path);
  assert.deepEqual(words("data.set"), { label: "Data set", value: "Digits", usual: false });
  assert.deepEqual(words("network.kind"), { label: "Network", value: "Multilayer perceptron", usual: false });
  assert.deepEqual(words("network.activation"), { label: "Activation", value: "ReLU", usual: true });
  assert.deepEqual(words("training.optimizer.kind"), { label: "Optimizer", value: "SGD", usual: true });
  assert.deepEqual(words("data.limit"), { label: "Training samples at most", value: "All", usual: true });
  const { differ, same, rest } = settingsThatMatter(FORM, runs);
  assert.deepEqual(differ, ["training.batch_size"]);
  // Dropout has not its default; the activation, the limit and the threads are left out.
  assert.deepEqual(same, [
    "data.set",
    "network.kind",
    "network.dropout",
    "training.epochs",
    "training.optimizer.kind",
    "training.optimizer.lr",
  ]);
  assert.equal(rest, 3);
  // Without the form, settings keep a name that can be read.
  assert.equal(settingWords(null, runs[0], "training.batch_size").label, "Batch size");
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
  assert.equal(resolveNumber(`${id} test_accuracy`, sources).text, "98.1%");
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
