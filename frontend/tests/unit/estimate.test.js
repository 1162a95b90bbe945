import assert from "node:assert/strict";
import { test } from "node:test";
import { estimateText } from "../../form/estimate.js";
import { HEIGHT, WIDTH, describeSchedule, schedulePoints } from "../../form/schedule.js";
import { roughDuration } from "../../lib/format.js";

const memory_bytes = 3 * 2 ** 20;
const measured = {
  steps: 3,
  step_seconds: 0.1,
  evaluation_seconds: 0.001,
  frozen: null,
  peak_memory_bytes: 2 ** 20,
  threads: 2,
};

test("an estimate has time, memory, and how it was measured", () => {
  const words = estimateText({ run: { measured, seconds: 247, memory_bytes, at_least_seconds: null, note: "" } });
  assert.equal(words.time, "about 4 min");
  assert.equal(words.memory, "3 MiB");
  assert.equal(words.source, "Measured on 3 steps with 2 threads.");
  const unknown = estimateText({
    run: { measured, seconds: 247, memory_bytes: null, at_least_seconds: null, note: "" },
  });
  assert.equal(unknown.memory, "");
});

test("a run of a moment takes less than a second", () => {
  assert.equal(
    estimateText({ run: { measured, seconds: 0.02, memory_bytes, at_least_seconds: null, note: "" } }).time,
    "less than 1 s",
  );
});

test("a sweep's estimate has the total time and the largest memory", () => {
  const words = estimateText({ sweep: { runs: 4, seconds: 247, memory_bytes, measured: 4, kinds: 9, note: "" } });
  assert.deepEqual(words, {
    time: "about 4 min for all 4",
    memory: "3 MiB for the largest",
    source: "Measured on training steps of 4 of 9 kinds of run.",
  });
  assert.equal(
    estimateText({
      sweep: { runs: 4, seconds: null, memory_bytes: null, measured: 1, kinds: 1, note: "No step could be measured." },
    }).source,
    "No step could be measured.",
  );
});

test("a partial measurement shows the reason and the known part", () => {
  const long = {
    measured: null,
    seconds: null,
    memory_bytes: null,
    at_least_seconds: 7200,
    note: "No step could be measured within 15 s.",
  };
  assert.deepEqual(estimateText({ run: long }), { time: "more than 2 h", memory: "", source: long.note });
  assert.equal(estimateText({ run: { ...long, at_least_seconds: null } }).time, "");
});

test("estimated times are rounded", () => {
  assert.deepEqual([0.02, 1.4, 9.6, 33, 54, 58, 61, 247, 599, 5000, 100_000].map(roughDuration), [
    "1 s",
    "1 s",
    "10 s",
    "35 s",
    "55 s",
    "1 min",
    "1 min",
    "4 min",
    "10 min",
    "1 h 25 min",
    "1 d 4 h",
  ]);
});

test("the line of a schedule goes from the first step to the last, over 0", () => {
  assert.equal(
    schedulePoints({ steps: [1, 6, 11], lr: [0, 0.1, 0.05] }),
    `M0 ${HEIGHT}L${WIDTH / 2} 0L${WIDTH} ${HEIGHT / 2}`,
  );
  assert.equal(schedulePoints({ steps: [1], lr: [0.1] }), `M0 0L${WIDTH} 0`);
  assert.equal(schedulePoints({ steps: [1, 2], lr: [0, 0] }), `M0 ${HEIGHT}L${WIDTH} ${HEIGHT}`);
});

test("a schedule has a description for screen readers", () => {
  assert.equal(describeSchedule({ steps: [1, 2, 3], lr: [0.1, 0.1, 0.1] }), "Learning rate 0.1 at every step");
  assert.equal(
    describeSchedule({ steps: [1, 500, 1000], lr: [0.1, 0.05, 0] }),
    "Learning rate from 0.1 at step 1, to 0 at step 1,000",
  );
  assert.equal(
    describeSchedule({ steps: [1, 300, 1000], lr: [0.01, 0.1, 0.001] }),
    "Learning rate from 0.01 at step 1, 0.1 at step 300, to 0.001 at step 1,000",
  );
});
