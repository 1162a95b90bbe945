import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonLanguage } from "../../../static/vendor/codemirror/codemirror.js";
import { columnsOf } from "../../network/dense.js";
import { stepsOf } from "../../network/hanging-indent.js";
import { parameterLists, signature } from "../../network/folding.js";
import { placesOf } from "../../network/neurons.js";

/** @import { CheckedNetwork } from "../../network/types" */

/** @param {[string, number[], number?][]} layers operation, shape and parameters @returns {CheckedNetwork} */
function chain(...layers) {
  const made = layers.map(([operation, shape, parameters = 0], at) => ({
    name: `${at}`,
    operation,
    inputs: at === 0 ? [] : [at - 1],
    shape,
    parameters,
    multiply_adds: 0,
    line: at,
    lines: [at],
    group: "",
  }));
  return { title: "", parameters: 0, multiply_adds: 0, options: [], layers: made, stages: [] };
}

test("linear layers are columns, with what is applied to them", () => {
  const network = chain(
    ["Input", [1, 8, 8]],
    ["Flatten", [64]],
    ["Linear", [128], 64 * 128 + 128],
    ["BatchNorm1d", [128], 256],
    ["ReLU", [128]],
    ["Linear", [10], 128 * 10],
  );
  assert.deepEqual(columnsOf(network), [
    { size: 64, after: [], weights: 0, biases: 0, line: 0 },
    { size: 128, after: ["BatchNorm1d", "ReLU"], weights: 8192, biases: 128, line: 2 },
    { size: 10, after: [], weights: 1280, biases: 0, line: 5 },
  ]);
});

test("a perceptron for two classes has one neuron, whose score is padded by that of the other class", () => {
  const network = chain(["Input", [2]], ["Linear", [1], 3], ["ZeroPad1d", [2]]);
  assert.deepEqual(columnsOf(network)?.at(-1), { size: 1, after: ["ZeroPad1d"], weights: 2, biases: 1, line: 1 });
});

test("networks with convolutions, branches or maps have no columns", () => {
  assert.equal(columnsOf(chain(["Input", [1, 8, 8]], ["Conv2d", [4, 8, 8], 40], ["Flatten", [256]])), null);
  assert.equal(columnsOf(chain(["Input", [1, 8, 8]], ["Flatten", [64]])), null, "without a linear layer");
  assert.equal(columnsOf(chain(["Input", [3, 8, 8]], ["Linear", [3, 8, 4], 36])), null, "of rows");
  assert.equal(columnsOf(chain(["Input", [4]], ["ZeroPad1d", [6]], ["Linear", [2], 14])), null, "padded inputs");
  const skip = chain(["Input", [4]], ["Linear", [4], 20], ["Sum", [4]], ["Linear", [2], 10]);
  skip.layers[2].inputs = [0, 1];
  assert.equal(columnsOf(skip), null);
});

test("a large column leaves its middle out", () => {
  assert.equal(placesOf(11).neurons.length, 11);
  assert.equal(placesOf(11).dots, null);
  const { neurons, dots } = placesOf(12);
  assert.equal(neurons.length, 10);
  assert.ok(neurons[4] < /** @type {number} */ (dots) && neurons[5] > /** @type {number} */ (dots));
  assert.equal(placesOf(1).neurons[0], dots, "one neuron is in the middle");
});

test("folded parameters read as a signature", () => {
  const text = `def mlp(
    classes,
    hidden=option([128, 64], min=1, len=(1, 16), help="Widths (of layers)."),
    # What comes between.
    activation=option(ReLU, choices=[ReLU, Tanh]),
    scale=2.0,
    split=f(1, 2),
    width=widths([64, 128], "1x1 branch", "Channels of the convolution."),
):
    return Linear(classes)


def short(out): return out


def long(
    classes,
    one=option([64, 128, 192, 256], min=1, help="a"),
    three=option([128, 192, 208, 320], min=1, help="b"),
    five=option([32, 96, 48, 128], min=1, help="c"),
    project=option([32, 64, 64, 128], min=1, help="d"),
    dropout=0.4,
    *rest,
):
    return Linear(classes)
`;
  const lists = parameterLists(pythonLanguage.parser.parse(text));
  const read = (/** @type {number} */ from, /** @type {number} */ to) => text.slice(from, to);
  assert.deepEqual(
    lists.map((list) => signature(list, read)),
    [
      "classes, hidden=[128, 64], activation=ReLU, scale=2.0, split=f(1, 2), width=widths([64, 128], …)",
      "out",
      "classes, *rest, 5 options",
    ],
  );
});

test("parameters of a text with mistakes fold too", () => {
  for (const text of ["def f(", "def f(\n  a=option(", "def f(\n  a=option(),\n):", "def (\n):\n", "def f(a,,\n b"]) {
    const lists = parameterLists(pythonLanguage.parser.parse(text));
    for (const list of lists) assert.equal(typeof signature(list, (from, to) => text.slice(from, to)), "string");
  }
});

test("a line that wraps hangs by its own indentation", () => {
  assert.deepEqual(["", "x", "    x", "      x", `${" ".repeat(60)}x`, "        "].map(stepsOf), [0, 0, 1, 1, 10, 2]);
});
