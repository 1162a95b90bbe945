import assert from "node:assert/strict";
import { test } from "node:test";
import { Column } from "../../chart/column.js";
import { Smoothed } from "../../chart/smooth.js";
import { defaultView, readView, defaultSmoothing, writeView } from "../../chart/view.js";

const IDS = ["loss", "accuracy"];

test("the default view leaves the URL unchanged", () => {
  assert.equal(writeView(defaultView(IDS), ""), "");
  assert.equal(writeView(defaultView(IDS), "?other=1"), "?other=1");
});

test("a view survives the URL", () => {
  const view = defaultView(IDS);
  view.axis = "samples";
  view.logX = true;
  view.range = [100, 2500.5];
  view.smoothing = 0.97;
  view.charts.loss.log = true;
  view.charts.loss.range = [0.01, 2];
  view.charts.accuracy.hidden.add("train.raw").add("validation");
  const search = writeView(view, "");
  assert.equal(
    search,
    "?x=samples&xscale=log&range=100:2500.5&smooth=0.97&loss.scale=log&loss.range=0.01:2&accuracy.hide=train.raw,validation",
  );
  assert.deepEqual(readView(search, IDS), view);
});

test("a vertical axis that follows the values is not in the URL, and one that was chosen is", () => {
  const view = defaultView(IDS);
  assert.equal(view.charts.loss.log, null);
  view.charts.loss.log = false;
  assert.equal(writeView(view, ""), "?loss.scale=linear");
  assert.deepEqual(readView("?loss.scale=linear", IDS), view);
});

test("invalid values in a URL become defaults", () => {
  assert.deepEqual(readView("?x=weeks&range=5:1&smooth=7&loss.range=a:b&xscale=cubic", IDS), defaultView(IDS));
  assert.deepEqual(readView("?range=:5&smooth=", IDS).range, null);
});

test("smoothing that was set to none stays none", () => {
  const view = defaultView(IDS);
  view.smoothing = 0;
  assert.equal(readView(writeView(view, ""), IDS).smoothing, 0);
});

test("by default, smoothing follows the length of the run", () => {
  assert.deepEqual([10, 32, 500, 5000, 1_000_000].map(defaultSmoothing), [0, 0.5, 0.75, 0.96, 0.999]);
});

test("by default, a smoothed line stays close to a curve that falls fast at the start", () => {
  // A loss that halves every 20 of 2,000 steps, and one that halves every 4 of 48.
  for (const [steps, half] of [
    [2000, 20],
    [48, 4],
  ]) {
    const y = new Column();
    for (let i = 0; i < steps; i += 1) y.push(0.5 ** (i / half));
    const { data } = new Smoothed(y, defaultSmoothing(steps)).get();
    assert.equal(data[0], 1);
    for (let i = 0; i < steps; i += 1)
      // Where the line is as high as the curve was: never further back than a fortieth of the run, or three steps.
      assert.ok(-Math.log2(data[i]) * half > i - Math.max(steps / 40, 3), `at ${i} of ${steps}: ${data[i]}`);
  }
});

test("a range of a few steps among millions survives the URL", () => {
  const view = defaultView(IDS);
  view.range = [1_000_033, 1_000_047.5];
  assert.deepEqual(readView(writeView(view, ""), IDS).range, view.range);
});
