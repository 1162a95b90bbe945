import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCURACY, LOSS } from "../../chart/units.js";
import { markerIndices, axisRange, plotData, segments, xExtent, unionExtent } from "../../chart/plot-data.js";
import { nearest, nearestByX } from "../../chart/nearest.js";

/** @import { Line } from "../../chart/plot-data.js" */

/** @param {string} id @param {[number, number][]} points @param {Partial<Line>} [more] @returns {Line} */
const line = (id, points, more = {}) => ({
  id,
  label: id,
  token: "--data-1",
  dash: [],
  width: 1,
  alpha: 1,
  markers: false,
  counts: true,
  x: points.map(([x]) => x),
  y: points.map(([, y]) => y),
  length: points.length,
  ...more,
});
const plain = { range: null, yRange: null, logX: false, logY: false, pixels: 100 };

test("a gap in a line is kept", () => {
  const [{ x, y }] = plotData(
    [
      line("a", [
        [1, 10],
        [2, Number.NaN],
        [3, 30],
      ]),
    ],
    plain,
  ).drawn;
  assert.deepEqual(
    [x, y],
    [
      [1, 2, 3],
      [10, null, 30],
    ],
  );
});

test("a band follows its line and extends the vertical range", () => {
  const made = plotData(
    [
      line(
        "a",
        [
          [1, 5],
          [2, 6],
        ],
        { band: { low: [1, 2], high: [9, 20] } },
      ),
    ],
    plain,
  );
  assert.deepEqual(
    [made.drawn[0].low, made.drawn[0].high],
    [
      [1, 2],
      [9, 20],
    ],
  );
  assert.ok(made.y.min < 1 && made.y.max > 20);
});

test("what a log axis cannot show is counted and left out", () => {
  const made = plotData(
    [
      line("a", [
        [0, 5],
        [1, 0],
        [2, -3],
        [3, 10],
        [4, 100],
      ]),
    ],
    { ...plain, logX: true, logY: true },
  );
  assert.equal(made.unloggable, 3);
  assert.deepEqual([made.x.min, made.x.max], [1, 4]);
  assert.ok(made.y.min > 0 && made.y.min < 10 && made.y.max > 100);
});

test("a zoom stays while points arrive; otherwise the range follows", () => {
  const short = line("a", [
    [1, 1],
    [2, 2],
  ]);
  const long = line("a", [
    [1, 1],
    [2, 2],
    [3, 50],
  ]);
  assert.deepEqual([plotData([short], plain).x.max, plotData([long], plain).x.max], [2, 3]);
  const zoomed = { ...plain, range: /** @type {[number, number]} */ ([1, 2]) };
  assert.deepEqual(plotData([short], zoomed).x, plotData([long], zoomed).x);
  assert.deepEqual(plotData([short], zoomed).y, plotData([long], zoomed).y);
});

test("the vertical range is that of the visible points", () => {
  const { y } = plotData(
    [
      line("a", [
        [0, 1000],
        [1, 1],
        [2, 2],
      ]),
    ],
    { ...plain, range: [0.5, 2] },
  );
  assert.ok(y.min < 1 && y.max > 2 && y.max < 3);
});

test("an empty chart has axes", () => {
  assert.deepEqual(axisRange(xExtent([], false), false), [0, 1]);
  assert.deepEqual(plotData([], plain).drawn, []);
});

test("one point has room around it", () => {
  const { x, y } = plotData([line("a", [[5, 3]])], plain);
  assert.ok(x.max > x.min && y.min < 3 && y.max > 3);
});

test("at a pointer all lines tell of one moment, however near they come elsewhere", () => {
  const steep = Array.from({ length: 11 }, (_, i) => /** @type {[number, number]} */ ([i, i]));
  const flat = steep.map(([x]) => /** @type {[number, number]} */ ([x, 9]));
  const made = plotData([line("steep", steep), line("flat", flat)], { ...plain, range: [0, 10], yRange: [0, 10] });
  const near = nearest(made, { left: 50, top: 5 }, { width: 100, height: 100 });
  assert.deepEqual(
    near.map(({ line: { id }, x, y }) => [id, x, y]),
    [
      ["steep", 5, 5],
      ["flat", 5, 9],
    ],
  );
});

test("of many lines the five nearest are told, in the order of the legend", () => {
  const lines = Array.from({ length: 7 }, (_, k) =>
    line(String(k), [
      [0, k],
      [10, k],
    ]),
  );
  const made = plotData(lines, { ...plain, range: [0, 10], yRange: [0, 6] });
  const near = nearest(made, { left: 95, top: 100 - (2 / 6) * 100 }, { width: 100, height: 100 });
  assert.deepEqual(
    near.map(({ line: { id } }) => id),
    ["0", "1", "2", "3", "4"],
  );
});

test("a crosshair selects the nearest point of each line along the axis", () => {
  const made = plotData(
    [
      line("a", [
        [0, 1],
        [10, 9],
      ]),
      line("b", [[4, 2]]),
    ],
    plain,
  );
  assert.deepEqual(
    nearestByX(made, 6, { width: 100, height: 100 }).map(({ x, y }) => [x, y]),
    [
      [10, 9],
      [4, 2],
    ],
  );
});

test("the axis starts at the first position, or at 0 if that is close", () => {
  const span = (/** @type {number[]} */ ...x) => {
    const { min, max } = plotData(
      [
        line(
          "a",
          x.map((at) => [at, 1]),
        ),
      ],
      plain,
    ).x;
    return [min, max];
  };
  assert.deepEqual(span(1_000_000, 1_000_050, 1_000_099), [1_000_000, 1_000_099]);
  assert.deepEqual(span(500, 599), [500, 599]);
  assert.deepEqual(span(1, 300), [0, 300]);
  assert.deepEqual(span(-50, 100), [-50, 100]);
  assert.deepEqual(span(0.9, 1.1), [0.9, 1.1]);
  const log = plotData(
    [
      line("a", [
        [1_000_000, 1],
        [1_000_099, 2],
      ]),
    ],
    { ...plain, logX: true },
  ).x;
  assert.deepEqual([log.min, log.max], [1_000_000, 1_000_099]);
});

test("a line that begins late does not hide one that begins at 1", () => {
  const { x } = plotData(
    [
      line("a", [
        [1, 1],
        [100, 2],
      ]),
      line("b", [
        [1_000_000, 1],
        [1_000_099, 2],
      ]),
    ],
    plain,
  );
  assert.deepEqual([x.min, x.max], [0, 1_000_099]);
});

test("charts of one page share their axis", () => {
  const [steps, epochs] = [
    line("a", [
      [1, 1],
      [60, 2],
    ]),
    line("b", [[60, 2]]),
  ];
  const span = unionExtent([xExtent([steps], false), xExtent([epochs], false), xExtent([], false)]);
  assert.deepEqual(span, [1, 60]);
  const { x } = plotData([epochs], { ...plain, span });
  assert.deepEqual([x.min, x.max], [0, 60]);
});

test("isolated points have a marker, even on lines without markers", () => {
  const dots = (/** @type {number[]} */ ...y) =>
    plotData(
      [
        line(
          "a",
          y.map((value, i) => [i, value]),
        ),
      ],
      plain,
    ).drawn[0].dots;
  const hole = Number.NaN;
  assert.deepEqual(dots(1), [0]);
  assert.deepEqual(dots(1, 2), []);
  assert.deepEqual(dots(hole, 1, hole, 2, hole, 3, 4), [1, 3]);
  assert.deepEqual(dots(1, hole, hole, 2), [0, 3]);
  assert.deepEqual(dots(hole, hole), []);
  const negative = plotData(
    [
      line("a", [
        [1, -1],
        [2, 5],
        [3, 0],
        [4, 7],
        [5, 8],
      ]),
    ],
    { ...plain, logY: true },
  );
  assert.deepEqual(negative.drawn[0].dots, [1]);
});

test("a line with markers has one at each point if they are few, otherwise only at isolated points", () => {
  const of = (/** @type {number} */ count) => ({
    line: line("a", [], { markers: true }),
    x: Array.from({ length: count }, (_, i) => i),
    y: Array.from({ length: count }, (_, i) => (i === 1 ? null : i)),
  });
  assert.deepEqual(markerIndices(of(4)), [0, 2, 3]);
  assert.deepEqual(markerIndices(of(200)), [0]);
});

test("segments between gaps", () => {
  assert.deepEqual(segments([null, 1, 2, null, 3, null, null, 4, 5]), [
    [1, 2],
    [4, 4],
    [7, 8],
  ]);
  assert.deepEqual(segments([]), []);
});

test("a line that crosses a range without points is visible", () => {
  const { y } = plotData(
    [
      line("a", [
        [0, 10],
        [100, 20],
      ]),
    ],
    { ...plain, range: [40, 60] },
  );
  assert.ok(y.min < 14 && y.min > 13 && y.max > 16 && y.max < 17, JSON.stringify(y));
});

test("on a log axis, a band that reaches below 0 is ignored for the range", () => {
  const made = plotData(
    [
      line(
        "a",
        [
          [1, 5],
          [2, 6],
        ],
        { band: { low: [-1, 2], high: [9, 20] } },
      ),
    ],
    { ...plain, logY: true },
  );
  assert.ok(made.y.min > 1 && made.y.min < 2, String(made.y.min));
  assert.deepEqual(made.drawn[0].low, [made.y.min, 2]);
});

test("a line of NaN only does not affect the others", () => {
  const alone = plotData(
    [
      line("a", [
        [1, 5],
        [2, 6],
      ]),
    ],
    plain,
  );
  const both = plotData(
    [
      line("a", [
        [1, 5],
        [2, 6],
      ]),
      line("b", [
        [1, Number.NaN],
        [2, Number.NaN],
      ]),
    ],
    plain,
  );
  assert.deepEqual([both.x, both.y], [alone.x, alone.y]);
  assert.ok(Number.isFinite(plotData([line("b", [[1, Number.NaN]])], plain).y.max));
});

test("the axis of a loss begins at 0, and no axis reaches below what there can be", () => {
  const range = (/** @type {number[]} */ values, /** @type {import("../../chart/plot-data.js").Unit} */ unit) => {
    const { min, max } = plotData(
      [
        {
          ...line(
            "a",
            values.map((y, x) => [x, y]),
          ),
          unit,
        },
      ],
      plain,
    ).y;
    return [min, max];
  };
  const [zero, most] = range([0, 0, 0], LOSS);
  assert.ok(zero === 0 && most > 0);
  assert.equal(range([2.3, 0.05], LOSS)[0], 0);
  assert.equal(range([0.1, 0.9], ACCURACY)[0], 0);
  // Small differences between large values stay legible.
  assert.ok(range([2.3, 2.31], LOSS)[0] > 2);
  assert.equal(range([0.02, 0.05], { name: "own", size: 1 })[0] < 0.02, true);
});
