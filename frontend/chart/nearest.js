// What lies near the pointer.

import { shareOf } from "./scale.js";

/** @import { Drawn, Frame, Line } from "./frame.js" */

/** @typedef {{ line: Line, x: number, y: number, left: number, top: number, distance: number }} Near `left` and `top` in pixels of the plot */

/** More lines than this are not named at once. */
const MOST = 5;

/**
 * Of each line the drawn point that is nearest by pixel; the nearest lines first.
 * @param {Frame} frame @param {{ left: number, top: number }} at @param {{ width: number, height: number }} size
 * @returns {Near[]}
 */
export function nearest(frame, at, size) {
  /** @type {Near[]} */
  const found = [];
  for (const drawn of frame.drawn.filter(({ line }) => !line.quiet)) {
    const near = of(drawn, frame, size, (left, top) => Math.hypot(left - at.left, top - at.top));
    if (near) found.push(near);
  }
  return found.sort((a, b) => a.distance - b.distance).slice(0, MOST);
}

/**
 * Of each line the drawn point that is nearest along the axis: what a crosshair at `x` stands for.
 * @param {Frame} frame @param {number} x @param {{ width: number, height: number }} size
 * @returns {Near[]}
 */
export function nearestAlong(frame, x, size) {
  const at = shareOf(frame.x, x) * size.width;
  return frame.drawn
    .filter(({ line }) => !line.quiet)
    .flatMap((drawn) => of(drawn, frame, size, (left) => Math.abs(left - at)) ?? []);
}

/** @param {Drawn} drawn @param {Frame} frame @param {{ width: number, height: number }} size @param {(left: number, top: number) => number} measure @returns {Near | undefined} */
function of({ line, x, y }, frame, size, measure) {
  /** @type {Near | undefined} */
  let best;
  for (let i = 0; i < x.length; i += 1) {
    const value = y[i];
    if (value === null || x[i] < frame.x.min || x[i] > frame.x.max) continue;
    const left = shareOf(frame.x, x[i]) * size.width;
    const top = (1 - shareOf(frame.y, value)) * size.height;
    const distance = measure(left, top);
    if (!best || distance < best.distance) best = { line, x: x[i], y: value, left, top, distance };
  }
  return best;
}
