// What a comparison says of its runs as a whole: whether they were trained alike, the course over one setting, the settings
// that differ, and the part of the axis that all have.

import assert from "node:assert/strict";
import { test } from "node:test";
import { commonEnd } from "../../compare/common-part.js";
import { fairnessNotice } from "../../compare/fairness.js";
import { courseOf, lineThrough } from "../../compare/setting-chart.js";
import { sideBySideUrl } from "../../compare/side-by-side.js";
import { settingLines } from "../../compare/settings.js";

/** @import { Member } from "../../compare/members.js" */

/**
 * @param {string} label
 * @param {{ data?: any, network?: any, training?: any, samples?: number | null, accuracies?: (number | null)[], run?: any }} [options]
 * @returns {Member}
 */
const member = (
  label,
  { data = {}, network = {}, training = {}, samples = 1294, accuracies = [0.9], run = {} } = {},
) => ({
  id: label,
  label,
  stroke: { token: "--data-1", dash: [] },
  runs: accuracies.map(
    (test_accuracy, seed) =>
      /** @type {any} */ ({
        id: `${label}${seed}`,
        url: `/runs/${label}${seed}`,
        number: seed + 1,
        name: label,
        source: null,
        spec: {
          data: { set: "digits", limit: null, ...data },
          network: { kind: "mlp", ...network },
          training: { epochs: 10, seed, ...training },
        },
        summary: { train_samples: samples, test_accuracy, best_validation_accuracy: test_accuracy },
        ...run,
      }),
  ),
});

test("runs that learned from far fewer samples or epochs are said to be", () => {
  const few = member("few", {
    data: { limit: 200 },
    training: { epochs: 2 },
    samples: 200,
    network: { kind: "vgg16" },
  });
  const all = member("all", { training: { epochs: 60 } });
  assert.equal(
    fairnessNotice([all, few]),
    "These runs were not trained alike: 200 training samples (few) against 1,294 (all), and 2 epochs (few) against 60 (all). " +
      "Differences in accuracy may come from this alone.",
  );
  // A little more or less is no other training.
  const near = member("near", { training: { epochs: 40, lr: 1 }, samples: 1150 });
  assert.equal(fairnessNotice([all, near]), null);
  // Accuracies on other data do not compare anyhow.
  assert.equal(fairnessNotice([all, member("other", { data: { set: "moons" }, training: { epochs: 2 } })]), null);
  // An imported run says neither.
  assert.equal(
    fairnessNotice([all, { ...few, runs: [{ ...few.runs[0], source: /** @type {any} */ ("tensorboard") }] }]),
    null,
  );
});

test("a comparison of exactly the epochs or the samples is fair", () => {
  const epochs = [2, 60].map((epochs) => member(`${epochs}`, { training: { epochs } }));
  assert.equal(fairnessNotice(epochs), null);
  const both = [2, 60].map((epochs) => member(`${epochs}`, { training: { epochs, lr: epochs } }));
  assert.match(String(fairnessNotice(both)), /^These runs were not trained alike: 2 epochs \(2\) against 60/);
  assert.equal(fairnessNotice(both, { "training.epochs": [2, 60], "training.lr": [2, 60] }), null);
});

/** @param {number} lr @param {(number | null)[]} accuracies @param {any} [run] */
const rate = (lr, accuracies, run = {}) => member(`lr ${lr}`, { training: { lr }, accuracies, run });

test("accuracy over one numeric setting has a course of three values or more", () => {
  const members = [rate(0.1, [0.1]), rate(0.001, [0.95]), rate(0.01, [0.97, 0.99])];
  const course = courseOf(members);
  assert.deepEqual(
    course?.points.map(({ x, y }) => [x, Number(y.toFixed(6))]),
    [
      [0.001, 0.95],
      [0.01, 0.98],
      [0.1, 0.1],
    ],
  );
  assert.equal(course?.gain.title, "Test accuracy");
  assert.ok(Math.abs(Number(course?.points[1].std) - Math.SQRT1_2 * 0.02) < 1e-12);
  assert.equal(courseOf(members.slice(1)), null);
  assert.equal(courseOf([...members, member("deep", { training: { lr: 1, epochs: 3 } })]), null);
  assert.equal(
    courseOf(["relu", "tanh", "silu"].map((activation) => member(activation, { network: { activation } }))),
    null,
  );
  assert.equal(courseOf([0, 1, 2].map((fold) => member(`fold ${fold}`, { data: { fold } }))), null);
});

test("the line goes through the means of each value, without runs that diverged", () => {
  const diverged = rate(1, [0.1], { status: "finished", reason: "diverged" });
  const points = courseOf([rate(0.1, [0.4]), rate(0.1, [0.6]), rate(0.01, [0.8]), diverged])?.points ?? [];
  assert.deepEqual(lineThrough(points), [
    { x: 0.01, y: 0.8 },
    { x: 0.1, y: 0.5 },
  ]);
  assert.equal(points.at(-1)?.isSound, false);
});

test("settings that all have come first, and a compact head has no widths of its own", () => {
  const mlp = member("mlp", { network: { kind: "mlp", hidden: [128, 64], dropout: 0 } });
  const compact = { kind: "vgg16", head: "compact", hidden: [4096, 4096], dropout: 0.5 };
  const lines = (/** @type {any} */ network) =>
    settingLines([mlp, member("vgg", { network, training: { epochs: 2 } })]).map(({ label, values }) => [
      label,
      ...values,
    ]);
  assert.deepEqual(lines(compact), [
    ["Network", "MLP", "VGG16"],
    ["Epochs", "10", "2"],
    ["Hidden widths", "128, 64", "–"],
    ["Dropout", "0", "–"],
    ["Head", "–", "Compact"],
  ]);
  assert.ok(lines({ ...compact, head: "classic" }).some((line) => line.join() === "Widths of the head,–,4096, 4096"));
});

test("the part that all runs have is offered where one is much shorter", () => {
  assert.equal(commonEnd([60, 2]), 2);
  assert.equal(commonEnd([60, 50, 55]), null);
  assert.equal(commonEnd([60]), null);
  assert.equal(commonEnd([60, 0]), null);
});

test("two runs trained here are evaluated side by side", () => {
  const [a, b, c] = ["a", "b", "c"].flatMap((name) => member(name).runs);
  assert.equal(sideBySideUrl([a, b]), "/runs/a0/evaluation?with=b0");
  assert.equal(sideBySideUrl([a, b, c]), null);
  assert.equal(sideBySideUrl([a, { ...b, source: /** @type {any} */ ("tensorboard") }]), null);
});
