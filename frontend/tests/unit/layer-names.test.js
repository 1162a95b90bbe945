import assert from "node:assert/strict";
import { test } from "node:test";
import { inSentence, labelOf, namesOf } from "../../inside/layer-names.js";

/** @param {[name: string, kind: string, group: string][]} rows @returns {any[]} */
const network = (rows) => rows.map(([name, kind, group]) => ({ name, kind, group, inputs: [], shape: [1] }));

const VGG = network([
  ["input", "input", "input"],
  ["features.0", "conv", "features stage 1"],
  ["features.1", "batch_norm", "features stage 1"],
  ["features.2", "activation", "features stage 1"],
  ["features.3", "conv", "features stage 1"],
  ["features.4", "batch_norm", "features stage 1"],
  ["features.5", "pool", "features stage 1"],
  ["features.6", "conv", "features stage 2"],
  ["features.7", "pool", "features stage 2"],
  ["pool", "pool", "features"],
  ["classifier.0", "linear", "classifier"],
  ["classifier.1", "activation", "classifier"],
  ["classifier.2", "linear", "classifier"],
]);

const MLP = network([
  ["input", "input", "input"],
  ["net.0", "linear", "net"],
  ["net.1", "activation", "net"],
  ["net.2", "linear", "net"],
  ["net.3", "activation", "net"],
  ["net.4", "linear", "net"],
]);

test("convolutions are counted within their stage, and have PyTorch's name no more", () => {
  const labels = VGG.map((layer) => labelOf(VGG, layer));
  assert.deepEqual(labels, [
    "Input image",
    "Stage 1, convolution 1",
    "Stage 1, batch norm 1",
    "Stage 1, activation",
    "Stage 1, convolution 2",
    "Stage 1, batch norm 2",
    "Stage 1, pool",
    "Stage 2, convolution",
    "Stage 2, pool",
    "Features, pool",
    "Fully connected layer",
    "Classifier, activation",
    "Output layer",
  ]);
  assert.equal(inSentence(VGG, VGG[1]), "stage 1, convolution 1");
  assert.equal(inSentence(VGG, VGG[12]), "the output layer");
});

test("the first and the last convolution and the output are named", () => {
  const marks = namesOf(VGG).landmarks.map(({ label, layer }) => [label, layer.name]);
  assert.deepEqual(marks, [
    ["First convolution", "features.0"],
    ["Last convolution", "features.6"],
    ["Output layer", "classifier.2"],
  ]);
  const one = VGG.slice(0, 3);
  assert.deepEqual(
    namesOf(one).landmarks.map(({ label }) => label),
    ["Convolution"],
  );
});

test("sections are stages, and one layer alone is what it is", () => {
  assert.deepEqual(
    namesOf(VGG).sections.map(({ label }) => label),
    ["Input image", "Stage 1", "Stage 2", "Pool", "Classifier"],
  );
});

test("a network of fully connected layers has hidden layers and an output", () => {
  assert.deepEqual(
    MLP.map((layer) => labelOf(MLP, layer)),
    [
      "Input image",
      "Hidden layer 1",
      "Hidden layer 1, activation",
      "Hidden layer 2",
      "Hidden layer 2, activation",
      "Output layer",
    ],
  );
  const { sections, landmarks } = namesOf(MLP);
  assert.deepEqual(
    sections.map(({ label, layers }) => [label, layers.length]),
    [
      ["Input image", 1],
      ["Hidden layer 1", 2],
      ["Hidden layer 2", 2],
      ["Output layer", 1],
    ],
  );
  assert.deepEqual(
    landmarks.map(({ label }) => label),
    ["First hidden layer", "Output layer"],
  );
});

test("blocks are counted from 1, and a convolution on a skip is neither counted nor the last one", () => {
  const residual = network([
    ["input", "input", "input"],
    ["stem.0", "conv", "stem"],
    ["blocks.0.convs.0.depthwise", "depthwise", "blocks.0"],
    ["blocks.0.convs.0.pointwise", "pointwise", "blocks.0"],
    ["blocks.0.convs.1.pointwise", "pointwise", "blocks.0"],
    ["blocks.0.skip.conv", "pointwise", "blocks.0"],
    ["blocks.0", "sum", "blocks.0"],
    ["head", "linear", "head"],
  ]);
  assert.deepEqual(
    residual.map((layer) => labelOf(residual, layer)),
    [
      "Input image",
      "Stem, convolution",
      "Block 1, depthwise convolution",
      "Block 1, 1×1 convolution 1",
      "Block 1, 1×1 convolution 2",
      "Block 1, 1×1 convolution of the skip",
      "Block 1, sum",
      "Output layer",
    ],
  );
  assert.equal(namesOf(residual).landmarks[1].layer.name, "blocks.0.convs.1.pointwise");
});

test("a perceptron has an output layer alone, and an unknown kind its own name", () => {
  const perceptron = network([
    ["input", "input", "input"],
    ["linear", "linear", "linear"],
  ]);
  assert.deepEqual(
    namesOf(perceptron).sections.map(({ label }) => label),
    ["Input image", "Output layer"],
  );
  const odd = network([
    ["input", "input", "input"],
    ["a", "conv", "body"],
    ["b", "layer_scale", "body"],
  ]);
  assert.equal(labelOf(odd, odd[2]), "Body, layer scale");
});
