import assert from "node:assert/strict";
import { test } from "node:test";
import { formatGridValues, parseGridValues, parseRange } from "../../form/grid-values.js";
import {
  chooseNetwork,
  chooseSet,
  draftOf,
  emptyDraft,
  gridOf,
  isChanged,
  runCount,
  specOf,
  startingWith,
  sweepOf,
  setField,
  fieldText,
} from "../../form/draft.js";
import { placeErrors } from "../../form/errors.js";
import { draftOfLink } from "../../form/link.js";
import { dataSetsInOrder, fieldsOf, groupsFor, networkField, networksFor } from "../../form/table.js";
import { formatText, toText, toValue } from "../../form/values.js";
import { TABLE } from "./table.js";

/** @import { Field } from "../../lib/types" */

/** @param {ReturnType<typeof emptyDraft>} draft @param {string} path @returns {Field} */
const field = (draft, path) => {
  const found = fieldsOf(TABLE, draft).find((field) => field.path === path);
  assert.ok(found, path);
  return found;
};

test("a draft with nothing typed makes the defaults, the network's over the data set's over the field's", () => {
  const draft = emptyDraft(TABLE);
  assert.deepEqual(specOf(TABLE, draft), {
    data: { set: "digits", validation: 0.1 },
    network: { kind: "mlp", hidden: [128, 64], activation: "relu" },
    training: {
      epochs: 20,
      batch_size: 64,
      threads: null,
      optimizer: { kind: "sgd", lr: 0.01, nesterov: false },
    },
  });
  draft.kind = "vgg16";
  assert.equal(/** @type {any} */ (specOf(TABLE, draft)).training.epochs, 3);
});

test("sets that somebody brought are offered first, and those to be downloaded last", () => {
  const row = (/** @type {string} */ set, /** @type {any} */ kind, dimensions = 3) => ({
    ...TABLE.data_sets[0],
    set,
    state: { kind },
    dimensions,
  });
  const data_sets = [
    row("points", "built_in", 2),
    row("web", "missing"),
    row("digits", "built_in"),
    row("pets", "present"),
  ];
  const offered = dataSetsInOrder({ ...TABLE, data_sets }).map(({ set }) => set);
  assert.deepEqual(offered, ["pets", "digits", "points", "web"]);
});

test("only fields of the current choices are sent", () => {
  const draft = emptyDraft(TABLE);
  draft.variants["training.optimizer"] = "adamw";
  draft.variants["training.early_stopping"] = "";
  const { training } = /** @type {any} */ (specOf(TABLE, draft));
  assert.deepEqual(training.optimizer, { kind: "adamw", lr: 0.001 });
  assert.deepEqual(training.early_stopping, { patience: 5 });
});

test("a network that does not take the data is not offered, and left when the data changes", () => {
  const draft = emptyDraft(TABLE);
  draft.kind = "vgg16";
  assert.deepEqual(
    networksFor(TABLE, "blobs").map((row) => row.kind),
    ["perceptron", "mlp"],
  );
  chooseSet(TABLE, draft, "blobs");
  assert.equal(draft.kind, "perceptron");
});

test("a typed value is restored with its field", () => {
  const draft = emptyDraft(TABLE);
  setField(TABLE, draft, field(draft, "network.hidden"), "32");
  chooseNetwork(TABLE, draft, "perceptron");
  assert.equal("hidden" in specOf(TABLE, draft).network, false);
  chooseNetwork(TABLE, draft, "mlp");
  assert.deepEqual(specOf(TABLE, draft).network.hidden, [32]);
});

test("an option goes to another network where it is the same choice, and lists of widths do not", () => {
  const draft = emptyDraft(TABLE);
  setField(TABLE, draft, field(draft, "network.hidden"), "32");
  setField(TABLE, draft, field(draft, "network.activation"), "tanh");
  chooseNetwork(TABLE, draft, "vgg16");
  assert.deepEqual(specOf(TABLE, draft).network, { kind: "vgg16", hidden: [512], activation: "tanh" });
  setField(TABLE, draft, field(draft, "network.activation"), "relu");
  chooseNetwork(TABLE, draft, "mlp");
  assert.deepEqual(specOf(TABLE, draft).network.hidden, [32]);
});

test("text that is not a number is sent as typed", () => {
  const draft = emptyDraft(TABLE);
  setField(TABLE, draft, field(draft, "training.epochs"), "many");
  setField(TABLE, draft, field(draft, "network.hidden"), "128, x, 3.5");
  const spec = /** @type {any} */ (specOf(TABLE, draft));
  assert.equal(spec.training.epochs, "many");
  assert.deepEqual(spec.network.hidden, [128, "x", 3.5]);
});

test("numbers are parsed strictly, and numbers that a double cannot hold are sent as text", () => {
  const number = /** @type {Field} */ ({
    path: "n",
    label: "n",
    help: "",
    kind: { type: "number", min: 0, max: 1, min_open: false },
    default: "0",
    topic: null,
  });
  const read = (/** @type {string} */ text) => toValue(number, text);
  assert.deepEqual([" 0.5 ", "1e-3", ".5", "-2", "+3"].map(read), [0.5, 0.001, 0.5, -2, 3]);
  assert.deepEqual(["0x10", "1,5", "1e999", "9007199254740993", "Infinity", "", "1_000"].map(read), [
    "0x10",
    "1,5",
    "1e999",
    "9007199254740993",
    "Infinity",
    "",
    "1_000",
  ]);
  assert.equal(toValue({ ...number, null_label: "Never" }, "  "), null);
});

test("a field is changed while it differs from its default", () => {
  const draft = emptyDraft(TABLE);
  const epochs = field(draft, "training.epochs");
  setField(TABLE, draft, epochs, "7");
  assert.equal(isChanged(TABLE, draft, epochs), true);
  setField(TABLE, draft, epochs, "20");
  assert.equal(isChanged(TABLE, draft, epochs), false);
  assert.equal(fieldText(TABLE, draft, epochs), "20");
});

test("a copied RunSpec is unchanged", () => {
  const spec = {
    name: "copied",
    data: { set: "blobs", validation: 0.2 },
    network: { kind: "mlp", hidden: [8], activation: "tanh" },
    training: {
      epochs: 9,
      batch_size: 1,
      threads: 2,
      optimizer: { kind: /** @type {const} */ ("adamw"), lr: 0.5 },
      early_stopping: { patience: 2 },
    },
  };
  assert.deepEqual(specOf(TABLE, draftOf(TABLE, spec)), spec);
});

test("fields of a copied RunSpec that the form lacks are kept", () => {
  const spec = {
    data: { set: "digits", mystery: 1 },
    network: { kind: "mlp" },
    training: { schedule: { kind: /** @type {const} */ ("cosine") } },
  };
  const made = /** @type {any} */ (specOf(TABLE, draftOf(TABLE, spec)));
  assert.equal(made.data.mystery, 1);
  assert.deepEqual(made.training.schedule, { kind: "cosine" });
});

test("values to compare are read like the field", () => {
  const draft = emptyDraft(TABLE);
  draft.grid = { "training.batch_size": "16, 32,,x", "network.activation": "relu, tanh", "network.gone": "1" };
  assert.deepEqual(gridOf(TABLE, draft), {
    "training.batch_size": [16, 32, "x"],
    "network.activation": ["relu", "tanh"],
  });
});

test("an error is assigned to its field, that of an item to its list, and others are separate", () => {
  const { placed, apart } = placeErrors(
    [
      { path: "training.epochs", value: "many", message: "must be a whole number" },
      { path: "network.hidden.1", value: "x", message: "must be a whole number" },
      { path: "network.kind", value: "x", message: "unknown" },
      { path: "", value: null, message: "must be an object" },
    ],
    new Set(["training.epochs", "network.hidden"]),
  );
  assert.deepEqual(
    [...placed],
    [
      ["training.epochs", ["must be a whole number"]],
      ["network.hidden", ["number 2 must be a whole number"]],
    ],
  );
  assert.deepEqual(
    apart.map(({ path }) => path),
    ["network.kind", ""],
  );
});

test("an error says of a field what its hint says: it may be empty, where a program may send null", () => {
  const message = "must be a number above 0 and at most 100, or null";
  const { placed } = placeErrors([{ path: "training.clip", value: "x", message }], new Set(["training.clip"]));
  assert.deepEqual(placed.get("training.clip"), ["must be a number above 0 and at most 100, or empty"]);
});

test("lists say how they are typed", () => {
  const hidden = field(emptyDraft(TABLE), "network.hidden");
  assert.equal(formatText(hidden.kind), "Numbers with commas between.");
  assert.match(formatText(lists.kind), /pairs such as/);
  assert.equal(formatText({ type: "integer", min: 1, max: 65_536, step: 1 }), "");
  assert.equal(toText(hidden, [1, 2]), "1, 2");
});

test("ranges are typed as people write them", () => {
  assert.deepEqual(parseRange("0.0001..0.1 log 4"), { from: 0.0001, to: 0.1, scale: "log", count: 4 });
  assert.deepEqual(parseRange("1e-4 to 1e-1, log"), { from: 0.0001, to: 0.1, scale: "log" });
  assert.deepEqual(parseRange(" 16...128 3 "), { from: 16, to: 128, count: 3 });
  for (const text of ["16, 32", "16", "a..b", "1..", "1..2..3", "1..2 cubic"])
    assert.equal(parseRange(text), null, text);
  for (const axis of [
    { from: 0.001, to: 0.1, scale: /** @type {const} */ ("log"), count: 3 },
    { from: 1, to: 9, count: 4 },
  ])
    assert.deepEqual(parseRange(formatGridValues(axis)), axis);
});

test("a draft makes a sweep as soon as something varies", () => {
  const draft = emptyDraft(TABLE);
  assert.equal(sweepOf(TABLE, draft), null);
  draft.repeats = "3";
  assert.deepEqual([sweepOf(TABLE, draft)?.repeats, runCount(TABLE, draft)], [3, 3]);
  draft.grid = { "training.batch_size": "16..128 log 4", "network.activation": "relu, tanh" };
  assert.deepEqual(sweepOf(TABLE, draft)?.grid, {
    "training.batch_size": { from: 16, to: 128, scale: "log", count: 4 },
    "network.activation": ["relu", "tanh"],
  });
  assert.equal(runCount(TABLE, draft), 24);
  draft.trials = "10";
  assert.deepEqual([sweepOf(TABLE, draft)?.search, runCount(TABLE, draft)], [{ kind: "random", trials: 10 }, 30]);
});

/** @type {Field} */
const lists = {
  path: "network.widths",
  label: "Widths",
  help: "",
  default: "[64]",
  topic: null,
  kind: { type: "integers", min: 1, max: 4096, min_len: 1, max_len: 9, pairs: true },
};

test("a list is typed as numbers or as pairs of neighbours", () => {
  for (const [text, value] of /** @type {const} */ ([
    ["64, 128", [64, 128]],
    ["[64, 128]", [64, 128]],
    [
      "(64, 128), (128,256)",
      [
        [64, 128],
        [128, 256],
      ],
    ],
    [
      "[(64,128),(128,128)]",
      [
        [64, 128],
        [128, 128],
      ],
    ],
    [
      "[[64,128],[128,128]]",
      [
        [64, 128],
        [128, 128],
      ],
    ],
    ["(64, 128", ["(64", 128]],
    ["5", [5]],
    ["", []],
  ]))
    assert.deepEqual(toValue(lists, text), value, text);
});

test("lists and switches are compared, and read again as they are written", () => {
  /** @type {Field} */
  const on = { ...lists, kind: { type: "switch" } };
  for (const [of, text, values] of /** @type {const} */ ([
    [lists, "64, 128; 32", [[64, 128], [32]]],
    [
      lists,
      "64; (64, 128), (128, 256)",
      [
        [64],
        [
          [64, 128],
          [128, 256],
        ],
      ],
    ],
    [on, "on, off", [true, false]],
  ]))
    assert.deepEqual(parseGridValues(of, text), values, text);
  assert.equal(formatGridValues([[64, 128], [32]]), "64, 128; 32");
  assert.equal(formatGridValues([true, false]), "on, off");
  assert.equal(formatGridValues([{ kind: "vgg16" }, { kind: "mine" }]), "vgg16, mine");
});

test("networks are compared: that of the form with its options, the others with their defaults and texts", () => {
  const mine = { ...TABLE.networks[1], kind: "mine", built_in: false, fields: [], source: "def mine(classes): …" };
  const table = { ...TABLE, networks: [...TABLE.networks, mine] };
  const draft = emptyDraft(table);
  setField(table, draft, field(draft, "network.hidden"), "7");
  draft.grid = { network: "mlp, mine" };
  assert.deepEqual(gridOf(table, draft), {
    network: [
      { kind: "mlp", hidden: [7], activation: "relu" },
      { kind: "mine", source: mine.source },
    ],
  });
  assert.equal(runCount(table, draft), 2);
  const { kind } = networkField(table, draft);
  assert.ok(kind.type === "choice" && kind.options.some(({ value }) => value === "mine"));
});

test("a user's text is named by its revision, and networks of one title by their names too", () => {
  const mine = { ...TABLE.networks[1], kind: "mine", built_in: false, fields: [], revision: "abc" };
  const table = { ...TABLE, networks: [...TABLE.networks, mine] };
  const draft = startingWith(table, emptyDraft(table), "mine");
  assert.equal(/** @type {any} */ (specOf(table, draft)).network.revision, "abc");
  draft.grid = { network: "mlp, mine" };
  assert.deepEqual(/** @type {any} */ (gridOf(table, draft).network)[1].revision, "abc");
  const { kind } = networkField(table, draft);
  const label = kind.type === "choice" && kind.options.find(({ value }) => value === "mine")?.label;
  assert.equal(label, `${mine.title} (mine)`);
});

test("a text that the server does not have is sent along, and read back", () => {
  const mine = { ...TABLE.networks[1], kind: "mine", built_in: false, source: "def mine(classes): …" };
  const table = { ...TABLE, networks: [...TABLE.networks, mine] };
  const draft = startingWith(table, emptyDraft(table), "mine");
  const spec = /** @type {any} */ (specOf(table, draft));
  assert.equal(spec.network.source, mine.source);
  assert.deepEqual(draftOf(table, spec).rest, {});
});

test("a form that starts with a network chooses data that it takes", () => {
  const draft = emptyDraft(TABLE);
  draft.set = "blobs";
  assert.deepEqual(
    networksFor(TABLE, startingWith(TABLE, draft, "vgg16").set).some(({ kind }) => kind === "vgg16"),
    true,
  );
  assert.equal(startingWith(TABLE, emptyDraft(TABLE), "nothing").kind, "mlp");
});

test("groups that mean nothing for the data or the network are not offered and not sent", () => {
  const draft = emptyDraft(TABLE);
  draft.variants = { "data.randaugment": "", "training.mixup": "" };
  const paths = () => groupsFor(TABLE, draft).map(({ path }) => path);
  const always = ["training.optimizer", "training.early_stopping"];
  assert.deepEqual(paths(), [...always, "data.randaugment", "training.mixup"]);
  const spec = /** @type {any} */ (specOf(TABLE, draft));
  assert.deepEqual(spec.data.randaugment, { magnitude: 9 });
  assert.deepEqual(spec.training.mixup, { alpha: 0.2 });

  draft.set = "blobs";
  assert.deepEqual(paths(), [...always, "training.mixup"]);
  assert.equal("randaugment" in specOf(TABLE, draft).data, false);
  draft.kind = "perceptron";
  assert.deepEqual(paths(), always);
  assert.equal("mixup" in /** @type {any} */ (specOf(TABLE, draft)).training, false);
});

test("a copied run that has a group is read with it, and one of before without it", () => {
  const draft = emptyDraft(TABLE);
  const before = /** @type {any} */ (specOf(TABLE, draft));
  assert.equal("mixup" in before.training, false);
  assert.equal(draftOf(TABLE, before).variants["training.mixup"], undefined);
  const after = structuredClone(before);
  after.training.mixup = { alpha: 0.5 };
  const copied = draftOf(TABLE, after);
  assert.equal(copied.variants["training.mixup"], "");
  assert.deepEqual(/** @type {any} */ (specOf(TABLE, copied)).training.mixup, { alpha: 0.5 });
});

test("a link's RunSpec fills the form, with fields that the form lacks sent along", () => {
  const spec = { data: { set: "digits" }, network: { kind: "mlp", hidden: [8, 4] }, training: { epochs: 7, pace: 2 } };
  const { draft, fault } = draftOfLink(TABLE, JSON.stringify(spec));
  assert.equal(fault, "");
  assert.ok(draft);
  const made = /** @type {any} */ (specOf(TABLE, draft));
  assert.deepEqual([made.network.hidden, made.training.epochs, made.training.pace], [[8, 4], 7, 2]);
});

test("rubbish in a link is named with what is allowed", () => {
  const faultOf = (/** @type {string} */ text) => draftOfLink(TABLE, text).fault;
  for (const text of ["", "{", "moons"]) assert.equal(faultOf(text), "is no JSON");
  for (const text of ["null", "7", "[]", "{}", '{"data": {"set": "stars"}, "network": {"kind": "mlp"}}'])
    assert.match(faultOf(text), /^has no data set of this server in data\.set; there are blobs, digits$/);
  const network = (/** @type {unknown} */ kind) =>
    faultOf(JSON.stringify({ data: { set: "blobs" }, network: { kind } }));
  for (const kind of ["none", 3, undefined]) assert.match(network(kind), /^has no network for blobs in network\.kind/);
  // One that is there, but not for points.
  assert.match(network("vgg16"), /^has no network for blobs in network\.kind/);
});

test("a link reaches no object but the document", () => {
  const text =
    '{"data": {"set": "digits"}, "network": {"kind": "mlp"}, "__proto__": {"reached": 1}, "a.__proto__.b": 1}';
  const { draft } = draftOfLink(TABLE, text);
  assert.ok(draft);
  specOf(TABLE, draft);
  assert.equal(/** @type {any} */ ({}).reached, undefined);
  assert.equal(/** @type {any} */ ({}).b, undefined);
});
