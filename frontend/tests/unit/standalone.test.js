// The page that a user takes away: its preprocessing against that of the programs of the zip, and its kernels and
// operations against their definitions.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadKernels } from "../../standalone/kernels.js";
import { Network } from "../../standalone/network.js";
import { preprocess } from "../../lib/resize.js";

const KERNELS = readFileSync(new URL("../../../static/standalone/kernels.wasm", import.meta.url));

/** @param {ArrayLike<number>} values @param {ArrayLike<number>} expected @param {number} [tolerance] */
function near(values, expected, tolerance = 1e-4) {
  assert.equal(values.length, expected.length);
  for (let at = 0; at < values.length; at += 1)
    assert.ok(Math.abs(values[at] - expected[at]) <= tolerance, `${at}: ${values[at]}, not ${expected[at]}`);
}

/** Numbers from -1 to 1 that are the same each time. @param {number} seed */
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** A safetensors file. @param {{ [name: string]: { shape: number[], values: number[] } }} tensors */
function safetensors(tensors) {
  /** @type {{ [name: string]: unknown }} */
  const header = {};
  const all = [];
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape, data_offsets: [4 * all.length, 4 * (all.length + values.length)] };
    all.push(...values);
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + 4 * all.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(new Uint8Array(Float32Array.from(all).buffer), 8 + json.length);
  return file;
}

/**
 * The result of one node for an input.
 * @param {number[]} input its shape @param {ArrayLike<number>} x @param {any} node
 * @param {{ [name: string]: { shape: number[], values: number[] } }} [tensors]
 */
async function run(input, x, node, tensors = {}) {
  const file = safetensors(tensors);
  const nodes = [
    { name: "input", operation: "Input", inputs: [], shape: input },
    { name: "node", inputs: [0], ...node },
  ];
  if (node.shape.length === 3)
    nodes.push({
      name: "flat",
      operation: "Flatten",
      inputs: [1],
      shape: [node.shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b)],
    });
  const network = new Network({ nodes }, await loadKernels(KERNELS), file.length);
  // The first part has the whole header.
  const part = 8 + Number(new DataView(file.buffer).getBigUint64(0, true)) + 3;
  network.load(file.slice(0, part));
  if (part < file.length) network.load(file.slice(part));
  const first = network.run(Float32Array.from(x));
  // The memory that was given back is taken again.
  near(network.run(Float32Array.from(x)), first, 0);
  return first;
}

/** A convolution by its definition. */
function convolved(
  /** @type {number[]} */ [channels, height, width],
  /** @type {ArrayLike<number>} */ x,
  /** @type {any} */ node,
  /** @type {number[]} */ weight,
  /** @type {number[]} */ bias,
) {
  const [outs, rows, columns] = node.shape;
  const { kernel, stride, padding, dilation = [1, 1], groups } = node;
  const ins = channels / groups;
  const y = [];
  for (let out = 0; out < outs; out += 1)
    for (let row = 0; row < rows; row += 1)
      for (let column = 0; column < columns; column += 1) {
        let sum = bias[out] ?? 0;
        for (let c = 0; c < ins; c += 1)
          for (let i = 0; i < kernel[0]; i += 1)
            for (let j = 0; j < kernel[1]; j += 1) {
              const line = row * stride[0] + i * dilation[0] - padding[0];
              const place = column * stride[1] + j * dilation[1] - padding[1];
              if (line < 0 || line >= height || place < 0 || place >= width) continue;
              const channel = Math.floor(out / (outs / groups)) * ins + c;
              sum +=
                x[(channel * height + line) * width + place] *
                weight[((out * ins + c) * kernel[0] + i) * kernel[1] + j];
            }
        y.push(sum);
      }
  return y;
}

test("photos become the inputs that the programs of the zip compute, to the bit", () => {
  const cases = JSON.parse(readFileSync(new URL("preprocessing.json", import.meta.url), "utf8"));
  assert.equal(cases.length, 8);
  for (const { width, height, pixels, preprocessing, input } of cases) {
    const values = new Float32Array(input.length);
    preprocess({ width, height, data: Uint8Array.from(pixels) }, preprocessing, values);
    assert.deepEqual([...values], input);
  }
});

test("convolutions of every form are what they are defined to be", async () => {
  const forms = [
    { input: [3, 9, 7], outs: 5, kernel: [3, 3], stride: [1, 1], padding: [1, 1], groups: 1, bias: true },
    { input: [8, 11, 13], outs: 6, kernel: [1, 1], stride: [1, 1], padding: [0, 0], groups: 1, bias: false },
    { input: [4, 10, 10], outs: 8, kernel: [3, 2], stride: [2, 1], padding: [1, 0], groups: 2, bias: true },
    { input: [6, 9, 9], outs: 6, kernel: [3, 3], stride: [1, 1], padding: [1, 1], groups: 6, bias: false },
    { input: [5, 12, 9], outs: 5, kernel: [5, 5], stride: [2, 2], padding: [2, 2], groups: 5, bias: true },
    {
      input: [2, 9, 9],
      outs: 4,
      kernel: [3, 3],
      stride: [1, 1],
      padding: [2, 2],
      dilation: [2, 2],
      groups: 1,
      bias: true,
    },
    { input: [70, 40, 40], outs: 4, kernel: [3, 3], stride: [1, 1], padding: [1, 1], groups: 1, bias: true },
    { input: [4, 6, 6], outs: 8, kernel: [3, 3], stride: [1, 1], padding: [0, 0], groups: 4, bias: true },
  ];
  for (const [seed, { input, outs, ...form }] of forms.entries()) {
    const number = random(seed + 1);
    const dilation = form.dilation ?? [1, 1];
    const sides = [0, 1].map((axis) => {
      const covered = dilation[axis] * (form.kernel[axis] - 1) + 1;
      return Math.floor((input[axis + 1] + 2 * form.padding[axis] - covered) / form.stride[axis]) + 1;
    });
    const node = { operation: "Conv2d", shape: [outs, ...sides], ...form };
    const x = Array.from({ length: input[0] * input[1] * input[2] }, number);
    const shape = [outs, input[0] / form.groups, ...form.kernel];
    const weight = Array.from({ length: shape.reduce((a, b) => a * b) }, number);
    const bias = form.bias ? Array.from({ length: outs }, number) : [];
    const tensors = { "node.weight": { shape, values: weight }, "node.bias": { shape: [outs], values: bias } };
    near(await run(input, x, node, tensors), convolved(input, x, node, weight, bias), 2e-4);
  }
});

test("layers of single values are what they are defined to be", async () => {
  const number = random(9);
  for (const [ins, outs, bias] of /** @type {[number, number, boolean][]} */ ([
    [1, 1, true],
    [7, 3, false],
    [64, 10, true],
    [129, 5, true],
  ])) {
    const x = Array.from({ length: ins }, number);
    const weight = Array.from({ length: ins * outs }, number);
    const biases = Array.from({ length: bias ? outs : 0 }, number);
    const node = { operation: "Linear", shape: [outs], bias };
    const tensors = {
      "node.weight": { shape: [outs, ins], values: weight },
      "node.bias": { shape: [biases.length], values: biases },
    };
    const expected = Array.from({ length: outs }, (_, out) =>
      x.reduce((sum, value, at) => sum + value * weight[out * ins + at], biases[out] ?? 0),
    );
    near(await run([ins], x, node, tensors), expected);
  }
});

test("pooling, norms and activations are those of PyTorch", async () => {
  // torch.arange(15.).reshape(1, 3, 5)
  const x = Array.from({ length: 15 }, (_, at) => at);
  const pool = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
  // F.max_pool2d(x, 2), F.max_pool2d(x, 2, ceil_mode=True)
  near(await run([1, 3, 5], x, { operation: "MaxPool2d", shape: [1, 1, 2], ...pool }), [6, 8]);
  near(
    await run([1, 3, 5], x, { operation: "MaxPool2d", shape: [1, 2, 3], ceil_mode: true, ...pool }),
    [6, 8, 9, 11, 13, 14],
  );
  // F.avg_pool2d(x, 2, ceil_mode=True)
  near(
    await run([1, 3, 5], x, {
      operation: "AvgPool2d",
      shape: [1, 2, 3],
      count_include_pad: true,
      ceil_mode: true,
      ...pool,
    }),
    [3, 5, 6.5, 10.5, 12.5, 14],
  );
  // F.avg_pool2d(x, 3, stride=2, padding=1), and with count_include_pad=False
  const padded = { operation: "AvgPool2d", shape: [1, 2, 3], kernel: [3, 3], stride: [2, 2], padding: [1, 1] };
  near(await run([1, 3, 5], x, { ...padded, count_include_pad: true }), [
    12 / 9,
    27 / 9,
    24 / 9,
    32 / 9,
    57 / 9,
    44 / 9,
  ]);
  near(await run([1, 3, 5], x, { ...padded, count_include_pad: false }), [3, 4.5, 6, 8, 9.5, 11]);
  // F.adaptive_avg_pool2d(x, (2, 2))
  near(
    await run([1, 3, 5], x, { operation: "AdaptiveAvgPool2d", output: [2, 2], shape: [1, 2, 2] }),
    [3.5, 5.5, 8.5, 10.5],
  );
  near(await run([1, 3, 5], x, { operation: "Mean", shape: [1] }), [7]);
  // F.batch_norm(x, mean=[2.], var=[4.], weight=[3.], bias=[1.], eps=0)
  const one = (/** @type {number} */ value) => ({ shape: [1], values: [value] });
  near(
    (
      await run(
        [1, 3, 5],
        x,
        { operation: "BatchNorm", shape: [1, 3, 5], eps: 0 },
        {
          "node.weight": one(3),
          "node.bias": one(1),
          "node.running_mean": one(2),
          "node.running_var": one(4),
        },
      )
    ).slice(0, 3),
    [-2, -0.5, 1],
  );
  // Each function at -3, -0.5, 0, 0.5, 3, 7, from torch.nn.functional.
  const at = [-3, -0.5, 0, 0.5, 3, 7];
  for (const [name, expected] of Object.entries({
    relu: [0, 0, 0, 0.5, 3, 7],
    relu6: [0, 0, 0, 0.5, 3, 6],
    silu: [-0.142278, -0.18877, 0, 0.31123, 2.857722, 6.993623],
    gelu: [-0.00405, -0.154269, 0, 0.345731, 2.99595, 7],
    hardswish: [0, -0.208333, 0, 0.291667, 3, 7],
    sigmoid: [0.047426, 0.377541, 0.5, 0.622459, 0.952574, 0.999089],
    hardsigmoid: [0, 0.416667, 0.5, 0.583333, 1, 1],
    tanh: [-0.995055, -0.462117, 0, 0.462117, 0.995055, 0.999998],
  }))
    near(await run([6], at, { operation: "Activation", function: name, shape: [6] }), expected, 2e-6);
});
