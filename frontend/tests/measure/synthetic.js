// Synthetic runs: run directories with any number of steps, to measure pages.

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Steps per line of the log. */
const PER_LINE = 25;

/** A UUIDv7 of a given time. @param {number} at milliseconds @param {number} place */
function runId(at, place) {
  const time = at.toString(16).padStart(12, "0");
  const rest = place.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${rest}`;
}

/** A seeded random number generator. @param {number} seed */
function noise(seed) {
  let state = (seed + 1) * 0x9e3779b9;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/**
 * Writes the directory of a finished run.
 * @param {string} dataDir
 * @param {{
 *   place: number,
 *   name: string,
 *   steps: number,
 *   stepsPerEpoch?: number,
 *   batchSize?: number,
 *   lr?: number,
 *   seed?: number,
 *   spike?: number,
 * }} run `spike`: a step whose loss is far above all others
 * @returns {string} its id
 */
export function writeRun(
  dataDir,
  { place, name, steps, stepsPerEpoch = 500, batchSize = 32, lr = 0.01, seed = 0, spike = 0 },
) {
  const began = Date.UTC(2026, 0, 1) + place * 1000;
  const id = runId(began, place);
  const folder = join(dataDir, "runs", id);
  mkdirSync(folder, { recursive: true });
  const epochs = Math.ceil(steps / stepsPerEpoch);
  const spec = {
    name,
    data: { set: "digits" },
    network: { kind: "mlp", hidden: [64], activation: "relu" },
    training: { epochs, batch_size: batchSize, optimizer: { kind: "sgd", lr }, seed },
    device: "cpu",
  };
  writeFileSync(join(folder, "spec.json"), JSON.stringify(spec));
  const random = noise(place * 31 + seed);
  const file = openSync(join(folder, "events.ndjson"), "w");
  const trainSamples = stepsPerEpoch * batchSize;
  let seq = 0;
  let lines = "";
  /** @param {string} kind @param {number} seconds @param {object} more */
  const event = (kind, seconds, more) => {
    seq += 1;
    lines += `${JSON.stringify({ kind, seq, time: new Date(began + seconds * 1000).toISOString(), ...more })}\n`;
    if (lines.length > 1 << 20) {
      writeSync(file, lines);
      lines = "";
    }
  };
  event("started", 0, {
    version: "0",
    candle: "0",
    cpu: "none",
    threads: 1,
    device: "cpu",
    parameters: 4810,
    classes: ["0", "1"],
    input: [64],
    train_samples: trainSamples,
    validation_samples: 100,
    test_samples: 100,
    steps_per_epoch: stepsPerEpoch,
    total_steps: steps,
    resumed_from_step: 0,
    elapsed: 0,
  });
  const round = (/** @type {number} */ value) => Number(value.toPrecision(6));
  for (let first = 1; first <= steps; ) {
    const epoch = Math.ceil(first / stepsPerEpoch);
    const last = Math.min(first + PER_LINE - 1, epoch * stepsPerEpoch, steps);
    const loss = [];
    const accuracy = [];
    for (let step = first; step <= last; step += 1) {
      const course = 0.1 + 2.2 * Math.exp((-8 * step) / steps - lr * 3);
      loss.push(step === spike ? 50 : round(course * (0.7 + 0.6 * random())));
      accuracy.push(round(Math.min(1, Math.max(0, 1 - course / 2.5 + 0.1 * random()))));
    }
    event("steps", last / 1000, {
      first_step: first,
      epoch,
      samples_seen: last * batchSize,
      seconds: last / 1000,
      loss,
      accuracy,
      lr: loss.map(() => lr),
      images_per_s: batchSize * 1000,
    });
    if (last === epoch * stepsPerEpoch || last === steps) {
      const score = {
        loss: round(0.2 + 2.2 * Math.exp((-8 * last) / steps - lr * 3)),
        accuracy: round(0.9 + 0.05 * random()),
      };
      event("epoch", last / 1000, {
        epoch,
        step: last,
        samples_seen: last * batchSize,
        train: score,
        validation: score,
        seconds: stepsPerEpoch / 1000,
        elapsed: last / 1000,
        peak_memory_bytes: 20 << 20,
      });
    }
    first = last + 1;
  }
  event("test", steps / 1000, {
    loss: 0.3,
    accuracy: round(0.9 + 0.05 * random()),
    confusion: [
      [90, 10],
      [10, 90],
    ],
  });
  event("finished", steps / 1000, { reason: "completed", message: "" });
  writeSync(file, lines);
  closeSync(file);
  return id;
}
