// The ground of figures, and how a drawing is framed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { framed, groundOf } from "../../predict/ground.js";

const SIDE = 32;

/** An image whose pixels have these greys, 0 to 255. @param {(x: number, y: number) => number} grey */
function image(grey) {
  const data = new Uint8ClampedArray(4 * SIDE * SIDE).fill(255);
  for (let at = 0; at < SIDE * SIDE; at += 1) data.fill(grey(at % SIDE, Math.floor(at / SIDE)), 4 * at, 4 * at + 3);
  return { width: SIDE, height: SIDE, data };
}

/** A line from the top to the bottom, `width` pixels wide and 24 long. @param {number} width @param {number} ink @param {number} paper */
const line = (width, ink, paper) => image((x, y) => (x >= 10 && x < 10 + width && y >= 4 && y < 28 ? ink : paper));

test("white lines on black have a dark ground, their extent and their width", () => {
  const ground = groundOf(Array.from({ length: 5 }, () => line(2, 255, 0)));
  assert.equal(ground?.isDark, true);
  assert.equal(ground.extent, 24 / SIDE);
  // Twice the area by the outline: exact for lines of every direction in the mean, π/4 too thin for upright ones.
  const outline = (2 * (24 + 2) * Math.PI) / 4;
  assert.ok(Math.abs(ground.pen - (2 * 2 * 24) / outline / SIDE) < 1e-12, String(ground.pen));
});

test("black lines on white have a light ground", () => {
  const ground = groundOf([line(3, 0, 255), line(3, 0, 255)]);
  assert.equal(ground?.isDark, false);
});

test("filled figures have the widest pen", () => {
  const ground = groundOf([line(20, 255, 0)]);
  assert.equal(ground?.pen, 0.16);
});

test("a figure may touch the border", () => {
  const stroke = image((x) => (x >= 12 && x < 18 ? 255 : 0));
  assert.equal(groundOf([stroke])?.extent, 1);
});

test("photos, empty images and no images have no ground", () => {
  const photo = image((x, y) => (37 * x + 91 * y) % 256);
  assert.equal(groundOf([photo]), null);
  assert.equal(groundOf([photo, photo, line(2, 255, 0)]), null);
  assert.equal(groundOf([image(() => 0)]), null);
  assert.equal(groundOf([]), null);
});

test("a drawing is moved to the middle and made as large as the samples", () => {
  const ground = { isDark: true, extent: 0.8, pen: 0.1 };
  const { scale, x, y } = framed(
    [
      [0.1, 0.1],
      [0.2, 0.45],
    ],
    ground,
  );
  // The taller side, 0.35, becomes the extent without the pen's width.
  assert.ok(Math.abs(scale - 0.7 / 0.35) < 1e-12);
  assert.ok(Math.abs(scale * 0.15 + x - 0.5) < 1e-12);
  assert.ok(Math.abs(scale * 0.275 + y - 0.5) < 1e-12);
});

test("a dot stays small, and nothing drawn has no size that is not a number", () => {
  const ground = { isDark: true, extent: 0.8, pen: 0.1 };
  const { scale, x, y } = framed([[0.9, 0.1]], ground);
  assert.ok(Math.abs(scale - 3.5) < 1e-12);
  assert.ok(Math.abs(scale * 0.9 + x - 0.5) < 1e-12 && Math.abs(scale * 0.1 + y - 0.5) < 1e-12);
});
