import assert from "node:assert/strict";
import { test } from "node:test";
import { contour, position } from "../../run/contour.js";
import { decodeBoundary, CONFIDENCE_ERROR, signedConfidence } from "../../run/grid.js";
import { smoothContour } from "../../run/smooth-contour.js";

/**
 * The contour's segments as pairs of points.
 * @param {ArrayLike<number>} field
 * @param {number} columns
 * @param {number} rows
 */
function piecesOf(field, columns, rows) {
  const line = contour(field, columns, rows);
  return line.links.map(([from, to]) => [...position(line, from), ...position(line, to)]);
}

test("a straight boundary is where the field is 0, between the cells", () => {
  // Two rows of three cells; the field crosses 0 a quarter of the way from the second to the third.
  const pieces = piecesOf([-5, -1, 3, -5, -1, 3], 3, 2);
  assert.deepEqual(pieces, [[1.25, 0, 1.25, 1]]);
});

test("a field of one sign has no boundary", () => {
  assert.deepEqual(piecesOf([1, 2, 3, 4], 2, 2), []);
  assert.deepEqual(piecesOf([-1, -2, -3, -4], 2, 2), []);
});

test("every crossing of every case lies on an edge between two signs, and a loop closes", () => {
  // One cell inside: four segments around it.
  const field = [-1, -1, -1, -1, 1, -1, -1, -1, -1];
  const pieces = piecesOf(field, 3, 3);
  assert.equal(pieces.length, 4);
  const ends = pieces.flatMap(([x0, y0, x1, y1]) => [`${x0},${y0}`, `${x1},${y1}`]).sort();
  assert.deepEqual(ends, ["0.5,1", "0.5,1", "1,0.5", "1,0.5", "1,1.5", "1,1.5", "1.5,1", "1.5,1"]);
});

test("all sixteen cases have as many ends as edges that change sign", () => {
  for (let corners = 0; corners < 16; corners += 1) {
    const [a, b, c, d] = [1, 2, 4, 8].map((bit) => (corners & bit ? 1 : -1));
    const pieces = piecesOf([a, b, d, c], 2, 2);
    const changes = [
      [a, b],
      [b, c],
      [c, d],
      [d, a],
    ].filter(([p, q]) => p !== q).length;
    assert.equal(pieces.length * 2, changes, `case ${corners}`);
    const ends = new Set(pieces.flatMap(([x0, y0, x1, y1]) => [`${x0},${y0}`, `${x1},${y1}`]));
    assert.equal(ends.size, changes, `case ${corners}`);
  }
});

test("the middle decides how two opposite corners connect", () => {
  assert.deepEqual(
    piecesOf([3, -1, -1, 3], 2, 2).map((piece) => piece.map((v) => Math.round(v * 100) / 100)),
    [
      [0, 0.75, 0.25, 1],
      [0.75, 0, 1, 0.25],
    ],
  );
  assert.deepEqual(
    piecesOf([1, -3, -3, 1], 2, 2).map((piece) => piece.map((v) => Math.round(v * 100) / 100)),
    [
      [0, 0.25, 0.25, 0],
      [1, 0.75, 0.75, 1],
    ],
  );
});

test("a boundary's bytes are classes and confidences, from the lower edge", () => {
  const cells = btoa(String.fromCharCode(0 * 32 + 31, 1 * 32 + 0, 2 * 32 + 31, 7 * 32 + 31));
  const grid = decodeBoundary({
    kind: "boundary",
    seq: 1,
    time: "2026-01-01T00:00:00Z",
    epoch: 1,
    step: 1,
    x: [0, 1],
    y: [0, 1],
    columns: 2,
    rows: 2,
    cells,
  });
  assert.deepEqual([...grid.classes], [0, 1, 2, 7]);
  assert.deepEqual([...grid.confidence], [1, 0, 1, 1]);
  assert.deepEqual([...signedConfidence(grid, 0)].map(Math.sign), [1, -1, -1, -1]);
});

test("a boundary with too few cells is refused", () => {
  assert.throws(
    () =>
      decodeBoundary({
        kind: "boundary",
        seq: 1,
        time: "2026-01-01T00:00:00Z",
        epoch: 1,
        step: 1,
        x: [0, 1],
        y: [0, 1],
        columns: 2,
        rows: 2,
        cells: btoa("ab"),
      }),
    /2 × 2 cells came with 2/,
  );
});

test("between two unsure cells the line lies in the middle", () => {
  const cells = btoa(String.fromCharCode(0, 32, 0, 32));
  const grid = decodeBoundary({
    kind: "boundary",
    seq: 1,
    time: "2026-01-01T00:00:00Z",
    epoch: 1,
    step: 1,
    x: [0, 1],
    y: [0, 1],
    columns: 2,
    rows: 2,
    cells,
  });
  assert.deepEqual(piecesOf(signedConfidence(grid, 1), 2, 2), [[0.5, 0, 0.5, 1]]);
});

test("a straight boundary through rounded cells is drawn straight", () => {
  const [columns, rows] = [60, 60];
  const truth = (/** @type {number} */ i, /** @type {number} */ j) => (i - 30.3 - (j - 30) * 0.13) * 0.011;
  // The server sends the class, and the confidence in steps of 1/31.
  const field = Float64Array.from({ length: columns * rows }, (_, k) => {
    const value = truth(k % columns, Math.floor(k / columns));
    return (value > 0 ? 1 : -1) * (Math.round(Math.abs(value) * 31) / 31 + CONFIDENCE_ERROR);
  });
  const off = (/** @type {ReturnType<typeof contour>} */ line) =>
    Math.max(
      ...line.edges.map((_, k) => {
        const [x, y] = position(line, k);
        return y < 5 || y > 54 ? 0 : Math.abs(x - 30.3 - (y - 30) * 0.13);
      }),
    );
  const line = contour(field, columns, rows);
  const before = off(line);
  const after = off(smoothContour(line, field, CONFIDENCE_ERROR));
  assert.ok(before > 0.3, `stairs of ${before}`);
  assert.ok(after < 0.15, `off by ${after}`);
});

test("a vertex never leaves its edge, and a well-known one stays", () => {
  const field = [-1, 3, -3, 1, -1, 3];
  const line = smoothContour(contour(field, 2, 3), field, 0.001);
  line.shares.forEach((share, k) => assert.ok(Math.abs(share - contour(field, 2, 3).shares[k]) < 0.001));
});
