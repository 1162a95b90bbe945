// The playground's settings, lessons, sentences and geometry.

import assert from "node:assert/strict";
import { test } from "node:test";
import { generate } from "../../playground/data.js";
import { findings } from "../../playground/findings.js";
import { barShare, ends, layoutOf, linkAt } from "../../playground/layout.js";
import { LESSONS } from "../../playground/lessons.js";
import { formQuery, runSpec } from "../../playground/run-spec.js";
import { DEFAULTS, beginsAnew, fromQuery, parameterCount, toQuery } from "../../playground/settings.js";
import { createTrainer } from "../../playground/train.js";

/** @import { Settings } from "../../playground/settings.js" */
/** @import { Seen } from "../../playground/findings.js" */

/** @param {string} text @param {Settings} [base] */
const read = (text, base) => fromQuery(new URLSearchParams(text), base);

test("settings go through the address and come back, and defaults are left out of it", () => {
  assert.equal(toQuery(DEFAULTS).toString(), "");
  assert.deepEqual(read("").settings, DEFAULTS);
  /** @type {Settings} */
  const other = {
    set: "spiral",
    noise: 0.1,
    samples: 60,
    classes: 3,
    hidden: [8, 1],
    activation: "silu",
    lr: 0.02,
    batch: 5,
    optimizer: "adamw",
    momentum: 0,
    decay: 0.5,
    seed: 7,
  };
  assert.deepEqual(read(toQuery(other).toString()), { settings: other, faults: [] });
  assert.deepEqual(read("hidden=none").settings.hidden, []);
});

test("another data set has its own noise, and a lesson's settings are what an address is held against", () => {
  assert.equal(read("data=blobs").settings.noise, 0.5);
  const [{ settings }] = LESSONS;
  assert.equal(toQuery(settings, settings).toString(), "");
  const { settings: found } = read("hidden=4", settings);
  assert.deepEqual(found, { ...settings, hidden: [4] });
});

test("what an address has of rubbish is named with what is allowed, and has its default", () => {
  const { settings, faults } = read(
    "data=stars&noise=3&samples=40.5&hidden=4,9&lr=0&batch=&optimizer=lion&seed=-1&epochs=4",
  );
  assert.deepEqual(settings, DEFAULTS);
  assert.deepEqual(faults, [
    "data “stars”: blobs, moons, circles, spiral, xor",
    "noise “3”: a number from 0 to 2",
    "samples “40.5”: a whole number from 40 to 1000",
    "hidden “4,9”: up to 5 numbers from 1 to 8, such as 4,2, or none",
    "lr “0”: a number above 0 and up to 100",
    "batch “”: a whole number from 1 to 1000",
    "optimizer “lion”: sgd, adamw",
    "seed “-1”: a whole number from 0 to 9007199254740991",
  ]);
  assert.equal(read("hidden=1,1,1,1,1,1").faults.length, 1);
});

test("only what the network and the data are made of begins the training anew", () => {
  assert.ok(beginsAnew(DEFAULTS, { ...DEFAULTS, hidden: [6, 5] }));
  assert.ok(beginsAnew(DEFAULTS, { ...DEFAULTS, seed: 1 }));
  assert.ok(!beginsAnew(DEFAULTS, { ...DEFAULTS, hidden: [...DEFAULTS.hidden], lr: 1, batch: 1, optimizer: "adamw" }));
});

test("a run has the same settings, as many epochs, and no validation split", () => {
  assert.deepEqual(runSpec({ ...DEFAULTS, set: "blobs", noise: 0.7, classes: 3, seed: 5 }, 42), {
    data: { set: "blobs", samples: 400, noise: 0.7, classes: 3, validation: 0 },
    network: { kind: "mlp", hidden: [6, 4], activation: "tanh" },
    training: {
      epochs: 42,
      batch_size: 32,
      optimizer: { kind: "sgd", lr: 0.03, momentum: 0.9, weight_decay: 0 },
      seed: 5,
    },
  });
  const plain = runSpec({ ...DEFAULTS, hidden: [], optimizer: "adamw", decay: 0.01 }, 0);
  assert.deepEqual(plain.network, { kind: "perceptron" });
  assert.deepEqual(plain.training.optimizer, { kind: "adamw", lr: 0.03, weight_decay: 0.01 });
  assert.equal(plain.training.epochs, 100);
  assert.deepEqual(JSON.parse(new URLSearchParams(formQuery(plain)).get("spec") ?? ""), plain);
});

test("parameters are weights and biases", () => {
  assert.equal(parameterCount({ ...DEFAULTS, hidden: [] }), 2 * 2 + 2);
  assert.equal(parameterCount({ ...DEFAULTS, hidden: [6, 4] }), 2 * 6 + 6 + 6 * 4 + 4 + 4 * 2 + 2);
  // Circles have two classes, whatever the setting says.
  assert.equal(parameterCount({ ...DEFAULTS, hidden: [], classes: 5 }), 6);
  assert.equal(parameterCount({ ...DEFAULTS, set: "spiral", hidden: [], classes: 5 }), 15);
});

/** @param {Settings} settings @param {number} epochs */
function trained(settings, epochs) {
  const trainer = createTrainer(generate(settings), settings);
  while (trainer.epochs < epochs && trainer.isFinite()) trainer.epoch(settings);
  return trainer;
}

/** @param {Settings} settings @param {number} epochs @param {Partial<Seen>} [more] */
function said(settings, epochs, more) {
  const trainer = trained(settings, epochs);
  return findings({
    settings,
    classes: 2,
    steps: trainer.steps,
    now: trainer.evaluate(),
    history: trainer.history,
    gradients: trainer.gradients(),
    silent: 0,
    finite: trainer.isFinite(),
    ...more,
  });
}

/** @param {string} id */
const lesson = (id) => LESSONS.find((one) => one.id === id)?.settings ?? DEFAULTS;

test("a perceptron leaves exclusive or, and four neurons solve it", () => {
  assert.ok(trained(lesson("xor"), 100).evaluate().train.accuracy < 0.7);
  assert.ok(trained({ ...lesson("xor"), hidden: [4] }, 100).evaluate().train.accuracy > 0.93);
  assert.match(said(lesson("xor"), 20)[0], /^Without a hidden layer this is a linear classifier with softmax/);
});

test("the first of four sigmoid layers gets less than a hundredth of the gradient, and the sentence says so", () => {
  const { gradients, evaluate } = trained(lesson("sigmoid"), 20);
  const all = gradients();
  assert.ok(all[0] < all[4] / 100, String(all));
  assert.ok(evaluate().train.loss > 0.69);
  const [first, second] = said(lesson("sigmoid"), 20);
  assert.match(
    first,
    /^Sigmoid in 4 layers: the gradient of the first layer is [\d,]+ times smaller than that of the last\.$/,
  );
  assert.equal(second, "The loss is still that of guessing, ln 2 = 0.6931.");
  // With Tanh it learns.
  assert.ok(trained({ ...lesson("sigmoid"), activation: "tanh" }, 20).evaluate().train.accuracy > 0.95);
});

test("too large a rate leaps, and a hundredth of it settles", () => {
  const losses = trained(lesson("rate"), 20)
    .history.slice(5)
    .map((one) => one.train.loss);
  assert.ok(Math.max(...losses) > 2 * Math.min(...losses) && Math.max(...losses) > 2, String(losses));
  assert.ok(trained({ ...lesson("rate"), lr: 0.03 }, 50).evaluate().train.loss < 0.1);
});

test("three neurons fence the circle in", () => {
  assert.ok(trained(lesson("neurons"), 60).evaluate().test.accuracy > 0.97);
});

test("few noisy points are learnt by heart, and the sentence says that it is overfitting", () => {
  const { now, best } = (() => {
    const { history, evaluate } = trained(lesson("noise"), 200);
    return { now: evaluate(), best: Math.min(...history.map((one) => one.test.loss)) };
  })();
  assert.ok(now.test.loss > 1.15 * best && now.test.loss > 2 * now.train.loss);
  assert.ok(said(lesson("noise"), 200).some((sentence) => sentence.startsWith("Overfitting: the test loss was ")));
});

test("sentences of the beginning, of success, of silent neurons, of parameters that are not finite", () => {
  assert.deepEqual(said(DEFAULTS, 0), ["The weights are random, and nothing is learnt yet."]);
  assert.match(
    said(DEFAULTS, 40).join(),
    /^Both training and test points are told apart: more than 97% of them are right/,
  );
  assert.match(said(DEFAULTS, 40, { silent: 2 }).join(), /2 of 10 hidden neurons are 0 all over the plane/);
  assert.match(said(DEFAULTS, 0, { gradients: [0, 1, 1] })[0], /no gradient reaches the first layer/);
  const lost = said({ ...DEFAULTS, activation: "relu", lr: 100, decay: 1 }, 2000);
  assert.deepEqual(lost, [
    "The parameters are no longer finite: the learning rate is too large. Reset, and try a tenth of it.",
  ]);
});

test("a link is found where it is drawn, and nothing beside it", () => {
  const layout = layoutOf([2, 3, 2], 600);
  for (const link of [
    { column: 1, index: 2, from: 1 },
    { column: 2, index: 0, from: 0 },
  ]) {
    const { x0, y0, x1, y1 } = ends(layout, link);
    assert.deepEqual(linkAt(layout, (x0 + x1) / 2, (y0 + y1) / 2), link);
    assert.equal(linkAt(layout, x0 + 1, y0)?.from, link.from);
    assert.equal(linkAt(layout, x1 - 1, y1)?.index, link.index);
  }
  assert.equal(linkAt(layout, 300, 2), null);
  assert.equal(linkAt(layout, layout.left[1] + 3, layout.top[1][0] + 3), null);
});

test("the figure is as wide as its place, and wider where seven columns need it", () => {
  assert.equal(layoutOf([2, 6, 4, 2], 640).width, 640);
  const { width, left, side } = layoutOf([2, 8, 8, 8, 8, 8, 8], 330);
  assert.ok(width > 330);
  assert.ok(left.every((at, i) => i === 0 || at >= left[i - 1] + side + 40));
});

test("a gradient's bar loses a quarter for each power of ten", () => {
  const all = [1e-4, 1e-2, 1];
  assert.deepEqual(
    all.map((one) => barShare(one, all)),
    [0.03, 0.5, 1],
  );
  assert.equal(barShare(0, all), 0);
  assert.equal(barShare(Number.NaN, [Number.NaN]), 0);
});
