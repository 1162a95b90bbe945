import assert from "node:assert/strict";
import { test } from "node:test";
import { Column } from "../../chart/column.js";
import { describe } from "../../chart/description.js";
import { extremesOf } from "../../chart/extremes.js";
import { cutText, leavingText } from "../../chart/note.js";
import { topWithoutLeap } from "../../chart/outliers.js";
import { plotData } from "../../chart/plot-data.js";
import { formatNumber } from "../../lib/format.js";

/** @import { Line } from "../../chart/plot-data.js" */

/** @param {number[]} y @param {Partial<Line>} [more] @returns {Line} */
const line = (y, more = {}) => ({
  id: "a",
  label: "a",
  token: "--data-1",
  dash: [],
  width: 1,
  alpha: 1,
  markers: false,
  counts: true,
  x: y.map((_, i) => i + 1),
  y,
  length: y.length,
  ...more,
});
const plain = { range: null, yRange: null, logX: false, logY: false, pixels: 600 };
const automatic = { ...plain, outliers: null };

/** A loss that falls from 2.3 in about this many steps. @param {number} length @param {number} over */
const fall = (length, over) => Array.from({ length }, (_, i) => 0.05 + 2.25 * Math.exp(-i / over));

test("a first loss of 24 is cut off by default, counted, and shown on request", () => {
  const y = [24.1, 12, 7.5, ...fall(297, 40)];
  const made = plotData([line(y)], automatic);
  assert.ok(made.y.max < 7.5 && made.y.max > 2.35, String(made.y.max));
  assert.deepEqual(
    [made.cut?.count(), made.cut?.highest, made.outside],
    [{ above: 3, below: 0, labels: ["a"] }, 24.1, 3],
  );
  assert.match(cutText(made.cut, formatNumber), /^3 values above [\d.]+, up to 24.1$/);
  const all = plotData([line(y)], plain);
  assert.ok(all.y.max > 24.1);
  assert.equal(all.cut, null);
});

test("a loss that falls over many steps is shown whole", () => {
  for (const [length, over] of [
    [30, 5],
    [300, 30],
    [2000, 100],
    // However long the run is: the fall is half of a hundredth of it.
    [20_000, 40],
  ]) {
    const made = plotData([line(fall(length, over))], automatic);
    assert.equal(made.cut, null);
    assert.ok(made.y.max > 2.3);
  }
});

test("a leap of several steps after the beginning flattens no other run", () => {
  const leaping = line([2.3, 2.4, 5, 12, 24, 19, 13, 9, 6, 4, ...Array.from({ length: 290 }, () => 2.31)]);
  const others = [10, 20, 40].map((over) => line(fall(300, over)));
  const made = plotData([leaping, ...others], automatic);
  assert.ok(made.y.max < 8 && made.y.max > 2.3, String(made.y.max));
  assert.equal(made.cut?.highest, 24);
});

test("a run that is high for long is no leap", () => {
  const made = plotData([line(fall(300, 30)), line(Array.from({ length: 300 }, () => 50))], automatic);
  assert.equal(made.cut, null);
});

test("a run that diverged after a few steps flattens no other, and neither does its band", () => {
  const bad = [5, 1e3, 1e9, 2e24, 3e24, 2e24, 1e26, Number.NaN];
  const band = { low: bad.map((value) => value - 4e25), high: bad.map((value) => value + 4e25) };
  const good = [0.1, 0.2, 0.3].map((floor) => line(fall(300, 30).map((value) => value + floor)));
  const made = plotData([...good, line(bad, { band, counts: false })], automatic);
  assert.ok(made.y.max < 10 && made.y.min > -10, JSON.stringify(made.y));
  assert.deepEqual(made.leaving, [{ label: "a", farthest: 1e26 + 4e25 }]);
  assert.equal(made.cut, null);
});

test("the axis follows the runs that did not diverge, and the others are named", () => {
  const good = line(fall(30, 5), { label: "slow" });
  // As many values as the others have: no leap.
  const bad = line(
    fall(30, 5).map((_, i) => 3 + i),
    { label: "fast", diverged: true },
  );
  const made = plotData([good, bad], automatic);
  assert.ok(made.y.max < 3, String(made.y.max));
  assert.deepEqual(made.leaving, [{ label: "fast", farthest: 32 }]);
  assert.equal(leavingText(made.leaving, "run", formatNumber), "1 run leaves the chart: fast (up to 32)");
  assert.deepEqual(plotData([good, bad], plain).leaving, []);
  assert.ok(plotData([good, bad], plain).y.max > 32);
  const log = plotData([good, bad], { ...automatic, logY: true });
  assert.ok(log.y.max < 3 && log.leaving.length === 1);
});

test("a run out of all proportion leaves the chart, one that only guesses does not", () => {
  const good = line(fall(30, 5), { label: "good" });
  const absurd = line(
    fall(30, 5).map(() => 1e18),
    { label: "absurd" },
  );
  assert.deepEqual(plotData([absurd, good], automatic).leaving, [{ label: "absurd", farthest: 1e18 }]);
  const guessing = line(
    fall(30, 5).map(() => 2.3),
    { label: "guessing" },
  );
  const tuned = line(fall(30, 5).map((value) => value / 1000));
  assert.deepEqual(plotData([guessing, tuned], automatic).leaving, []);
  // One that came back is drawn where it is again.
  const back = line([2.3, 1e3, 1e4, 1e3, 800, 600, 100, 60, 20, 9, 2.3, 2.3], { label: "back" });
  const made = plotData([back, good], automatic);
  assert.ok(made.y.max < 3 && made.leaving[0].label === "back", JSON.stringify(made.y));
});

test("diverged runs among themselves, and one that stays among the others, are drawn as they are", () => {
  const bad = line([1, 1e3, 1e9], { diverged: true });
  assert.deepEqual([plotData([bad], automatic).leaving, plotData([bad], automatic).y.max > 1e8], [[], true]);
  const mild = line([2, 1.5], { diverged: true });
  assert.deepEqual(plotData([line([2.3, 1]), mild], automatic).leaving, []);
});

test("where a small loss falls to nothing, its fall is shown", () => {
  const made = plotData([line([0.013, 1e-9, ...Array.from({ length: 200 }, () => 1e-25)])], automatic);
  assert.ok(made.cut === null && made.y.max > 0.013, JSON.stringify(made.y));
  const perceptron = [0.013, 0.009, 0, 0.007, 0, 0.005, 0.004, 0, 0.005, ...Array.from({ length: 850 }, () => 0)];
  assert.equal(plotData([line(perceptron)], automatic).cut, null);
});

test("the end of each line stays in sight", () => {
  // Two validated epochs beside sixty: few values, but all that one run has.
  const long = line(fall(60, 3).map((value) => value / 5));
  const short = line([2.85, 2.4], { label: "short" });
  const made = plotData([long, short], automatic);
  assert.ok(made.cut === null && made.y.max > 2.85, JSON.stringify(made.y));
});

test("a short run among long ones is no leap of theirs", () => {
  // Two epochs of a network that learns slowly beside sixty of one that is done.
  const short = line(
    Array.from({ length: 14 }, (_, i) => 3 - i * 0.15),
    { id: "b", label: "b" },
  );
  const long = line(fall(2400, 20));
  assert.ok(plotData([long], automatic).y.max < 3);
  const made = plotData([long, short], automatic);
  assert.equal(made.cut, null);
  assert.ok(made.y.max >= 3, String(made.y.max));
});

test("a run whose values are cut off is named among several", () => {
  const leaping = line([24.1, ...fall(299, 40)], { label: "fast" });
  const { cut } = plotData([leaping, line(fall(300, 40), { label: "slow" })], automatic);
  assert.match(cutText(cut, formatNumber, true), /^1 value of fast above [\d.]+, up to 24.1$/);
});

test("a zoom and a log axis cut nothing off", () => {
  const leaping = line([24.1, ...fall(299, 40)]);
  assert.equal(plotData([leaping], { ...automatic, logY: true }).cut, null);
  const zoomed = plotData([leaping], { ...automatic, yRange: [0, 1] });
  assert.deepEqual([zoomed.cut, zoomed.outside], [null, 0]);
});

test("what is cut off is counted over all points, not only over those that are drawn", () => {
  const y = new Column();
  const x = new Column();
  for (let i = 0; i < 100_000; i += 1) {
    x.push(i);
    y.push(i >= 2000 && i < 2050 ? 30 : i % 1000 === 7 ? Number.NaN : 1 + (i % 7) / 10);
  }
  const made = plotData([line([], { x: x.data, y: y.data, length: y.length, extremes: extremesOf(y) })], automatic);
  assert.equal(made.cut?.count().above, 50);
  assert.ok(made.y.max < 4);
});

test("a band that reaches out of the range is told, without values", () => {
  const band = { low: [0.9, 0.9, 0.9], high: [1.1, 50, 1.1] };
  const made = plotData([line([1, 1.01, 1.02], { band, counts: false })], { ...plain, outliers: false });
  assert.equal(cutText(made.cut, formatNumber), "a part of the bands, which reach up to 50");
});

test("no values, and values that are all equal, have no leap", () => {
  assert.equal(topWithoutLeap([], 0), null);
  assert.equal(topWithoutLeap([2, 2, 2], 1), null);
});

test("a chart says its lines in words", () => {
  const words = (/** @type {Line[]} */ ...lines) =>
    describe({ title: "Training loss", axis: "step", noun: "run", lines, value: formatNumber });
  assert.equal(
    words(
      line([2.31, 1, 0.05], { label: "batch size 16" }),
      line([2.3, Number.NaN], { label: "batch size 32" }),
      line([9, 9], { label: "raw", quiet: true }),
    ),
    "Training loss by step, 2 runs. batch size 16: 2.31 to 0.05. batch size 32: 2.3, then not a number.",
  );
  assert.equal(words(), "Training loss by step. No points yet.");
  assert.match(words(...Array.from({ length: 20 }, () => line([1, 2]))), /And 8 more runs\.$/);
});

test("an axis of fractions is labelled in percent, and names its unit", () => {
  const made = plotData([line([0.1, 0.9], { unit: { name: "accuracy (%)", size: 0.01 } })], plain);
  assert.deepEqual(made.unit, { name: "accuracy (%)", size: 0.01 });
});
