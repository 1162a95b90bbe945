// The playground's points, split, first weights and order of the samples, against a run's.
//
// `RUNS` has what `GET /api/v1/runs/ID/points` and the run's summary tell of runs that were made by
//
//     for set in blobs moons circles spiral xor; do
//         curl --json '{"data": {"set": "'$set'", "samples": 41, "validation": 0},
//                       "network": {"kind": "mlp", "hidden": [4]}, "training": {"epochs": 1}}' localhost:7878/api/v1/runs
//     done
//
// and `LONGER` that of a run with three classes, several batches and AdamW.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { SETS, generate } from "../../playground/data.js";
import { Generator, chacha } from "../../playground/random.js";
import { DEFAULTS } from "../../playground/settings.js";
import { sha256 } from "../../playground/sha256.js";
import { createTrainer } from "../../playground/train.js";

/** @import { SetName } from "../../playground/data.js" */

/** The first test points with their classes, and the loss of the test after an epoch. @type {{ set: SetName, first: [number, number, number][], loss: number }[]} */
const RUNS = [
  {
    set: "blobs",
    first: [
      [-1.6552200317382812, -0.0914190262556076, 1],
      [-2.1230132579803467, -0.6510510444641113, 1],
      [1.3761790990829468, 1.0232182741165161, 0],
    ],
    loss: 0.36931739654392004,
  },
  {
    set: "moons",
    first: [
      [1.8716884851455688, -0.11977320909500122, 1],
      [2.0117268562316895, 0.33295735716819763, 1],
      [1.648108720779419, -0.4080197215080261, 1],
    ],
    loss: 1.0572595223784447,
  },
  {
    set: "circles",
    first: [
      [-0.5538572072982788, 0.1444525122642517, 1],
      [-0.9106549620628357, 0.5436091423034668, 0],
      [-0.7133322954177856, 0.7195632457733154, 0],
    ],
    loss: 0.6708975955843925,
  },
  {
    set: "spiral",
    first: [
      [-0.4038815498352051, -0.3221220076084137, 0],
      [0.18129029870033264, -0.16973111033439636, 1],
      [-0.09681793302297592, -0.5534289479255676, 0],
    ],
    loss: 0.8474282845854759,
  },
  {
    set: "xor",
    first: [
      [-0.9099032878875732, -0.5077567100524902, 0],
      [-0.2248363047838211, 0.8903189301490784, 1],
      [-0.4904005229473114, 0.23151613771915436, 1],
    ],
    loss: 0.5324839130043983,
  },
];
const LONGER = {
  settings: {
    ...DEFAULTS,
    set: /** @type {const} */ ("spiral"),
    samples: 60,
    classes: 3,
    noise: 0.1,
    hidden: [5, 3],
    activation: /** @type {const} */ ("silu"),
    batch: 10,
    seed: 2 ** 53 - 1,
    optimizer: /** @type {const} */ ("adamw"),
    lr: 0.02,
    decay: 0.1,
  },
  epochs: 4,
  loss: 1.0241016099850337,
  accuracy: 5 / 12,
};

for (const { set, first, loss } of RUNS) {
  test(`${set} has the points of a run, and one epoch leads to the same loss`, () => {
    const settings = {
      ...DEFAULTS,
      set,
      noise: SETS[set].noise,
      samples: 41,
      hidden: [4],
      activation: /** @type {const} */ ("relu"),
      lr: 0.01,
      batch: 64,
    };
    const data = generate(settings);
    assert.deepEqual([data.train.count, data.test.count, data.points.length], [33, 8, 41]);
    for (const [i, [x, y, label]] of first.entries()) {
      // Both sides were rounded to f32 before normalisation.
      const [right, up] = data.test.values.subarray(2 * i, 2 * i + 2);
      assert.ok(Math.abs(right - (x - data.mean[0]) / data.deviation[0]) < 1e-6, `point ${i}: ${right}`);
      assert.ok(Math.abs(up - (y - data.mean[1]) / data.deviation[1]) < 1e-6, `point ${i}: ${up}`);
      assert.equal(data.test.labels[i], label);
      assert.ok(data.points.some((one) => one.split === "test" && one.x === x && one.y === y && one.class === label));
    }
    const trainer = createTrainer(data, settings);
    trainer.epoch(settings);
    assert.ok(Math.abs(trainer.evaluate().test.loss - loss) < 1e-6, String(trainer.evaluate().test.loss));
  });
}

test("four epochs in batches lead to the loss of a run", () => {
  const { settings, epochs, loss, accuracy } = LONGER;
  const trainer = createTrainer(generate(settings), settings);
  for (let epoch = 0; epoch < epochs; epoch += 1) trainer.epoch(settings);
  assert.deepEqual([trainer.epochs, trainer.steps], [4, 4 * 5]);
  const { test: found } = trainer.evaluate();
  assert.ok(Math.abs(found.loss - loss) < 1e-5, String(found.loss));
  assert.equal(found.accuracy, accuracy);
});

test("splits are a fifth of every class, and training points have mean 0 and deviation 1", () => {
  const { train, test: held, points } = generate({ ...DEFAULTS, set: "blobs", classes: 7, samples: 233 });
  assert.deepEqual([train.count, held.count], [186, 47]);
  for (let of = 0; of < 7; of += 1) {
    const share = points.filter((one) => one.class === of && one.split === "test").length;
    assert.ok(share === 6 || share === 7, `class ${of}: ${share}`);
  }
  for (const axis of [0, 1]) {
    const values = [...train.values].filter((_, i) => i % 2 === axis);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    assert.ok(Math.abs(mean) < 1e-6 && Math.abs(square - 1) < 1e-6);
  }
});

test("a batch size that changes holds from the next batch on, and an optimizer that changes begins with no state", () => {
  const settings = { ...DEFAULTS, samples: 100 };
  const trainer = createTrainer(generate(settings), settings);
  trainer.step(settings);
  trainer.step({ ...settings, batch: 40 });
  trainer.step({ ...settings, batch: 40, optimizer: "adamw" });
  // 32 + 40, and the 8 that are left of 80.
  assert.deepEqual([trainer.epochs, trainer.steps], [1, 3]);
  assert.deepEqual(
    trainer.history.map((one) => one.epoch),
    [0, 1],
  );
});

test("the curves of many epochs keep a bounded number of evaluations, evenly spaced", () => {
  const settings = { ...DEFAULTS, samples: 40, hidden: [1], batch: 1000 };
  const trainer = createTrainer(generate(settings), settings);
  for (let epoch = 0; epoch < 3000; epoch += 1) trainer.epoch(settings);
  const epochs = trainer.history.map((one) => one.epoch);
  assert.ok(epochs.length > 600 && epochs.length <= 1201);
  assert.ok(epochs.every((epoch, i) => epoch === 4 * i));
});

test("SHA-256 is that of FIPS 180-4, over several blocks too", () => {
  for (const length of [0, 3, 55, 56, 64, 200]) {
    const bytes = new TextEncoder().encode("vivarium".repeat(25).slice(0, length));
    const view = new DataView(new ArrayBuffer(32));
    for (const [i, word] of sha256(bytes).entries()) view.setUint32(4 * i, word);
    assert.equal(Buffer.from(view.buffer).toString("hex"), createHash("sha256").update(bytes).digest("hex"));
  }
});

test("ChaCha with 8 rounds has the known block of the key 0", () => {
  // The first test vector with 256 bits of J. Strombergson's "Test Vectors for the Stream Cipher ChaCha".
  const state = new Uint32Array(16);
  state.set([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]);
  const block = new Uint32Array(16);
  chacha(state, block);
  assert.equal(
    Buffer.from(block.buffer).toString("hex"),
    "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42",
  );
});

test("whole numbers are below their bound and all of them come", () => {
  const random = new Generator(1, "test");
  const counts = new Array(7).fill(0);
  for (let i = 0; i < 7000; i += 1) counts[random.below(7)] += 1;
  assert.ok(
    counts.every((count) => count > 850 && count < 1150),
    String(counts),
  );
  assert.deepEqual(random.shuffle([1, 2, 3, 4]).sort(), [1, 2, 3, 4]);
});
