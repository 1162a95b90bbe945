// The lines beside a row as SVG paths. They are drawn in a box one unit high, which the style sheet stretches to the
// row's height.

/** @import { Strokes } from "./lanes.js" */

/** Width of a lane in pixels; many lanes are narrower, so that the layers keep their place. */
const LANE = 14;
const MOST_LANES_WIDTH = 112;
/** How far loops lead aside, in lanes: the first less than a whole one, where another value may run. */
const LOOPS = [0.8, 1.25, 1.7];
/** Where they leave the line, in rows: below the row's edge, or those of neighbours would meet. */
const LOOP_FROM = 0.1;

/** @param {number} lanes */
export const laneWidth = (lanes) => Math.min(LANE, MOST_LANES_WIDTH / lanes);

/** The middle of a lane. @param {number} lane @param {number} width */
export const laneMiddle = (lane, width) => (lane + 0.5) * width;

/** @param {Strokes} strokes @param {number} width of a lane @returns {string} the path's `d` */
export function lanePath({ through, into, out, lane, loops }, width) {
  const x = (/** @type {number} */ at) => round(laneMiddle(at, width));
  const line = (
    /** @type {number} */ a,
    /** @type {number} */ from,
    /** @type {number} */ b,
    /** @type {number} */ to,
  ) => {
    if (a === b) return `M${x(a)} ${from}V${to}`;
    const middle = (from + to) / 2;
    return `M${x(a)} ${from}C${x(a)} ${middle} ${x(b)} ${middle} ${x(b)} ${to}`;
  };
  return [
    ...through.map(([from, to]) => line(from, 0, to, 1)),
    ...(lane === null ? [] : into.map((from) => line(from, 0, lane, 0.5))),
    ...(lane === null ? [] : out.map((to) => line(lane, 0.5, to, 1))),
    ...(lane === null ? [] : LOOPS.slice(0, loops)).flatMap((by) => [
      line(Number(lane), LOOP_FROM, Number(lane) + by, 0.5),
      line(Number(lane) + by, 0.5, Number(lane), 1 - LOOP_FROM),
    ]),
  ].join("");
}

const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;
