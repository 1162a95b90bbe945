// The signs of points in legends: of a class, of a split, and the ring around a point.

import { h } from "../lib/dom.js";
import { colour, onTheme } from "../lib/theme.js";
import { CLASS_COLOURS, drawPoint, drawRing } from "./toy2d.js";

/** @import { Split } from "../lib/types" */

/** The size of the points: as on a large plot, and larger for the shapes that tell classes apart. */
const SIZE = { split: 1.3, class: 1.6 };

/** @param {number} of the class */
export const classSign = (of) => painted(16, (ctx) => drawPoint(ctx, 8, 8, of, "train", colour, SIZE.class));

/** Of no class's colour. @param {Split} split */
export const splitSign = (split) =>
  painted(16, (ctx) =>
    drawPoint(ctx, 8, 8, 0, split, (token) => colour(token === CLASS_COLOURS[0] ? "--ink-2" : token), SIZE.split),
  );

/** The ring around a point. */
export const ringSign = () => painted(22, (ctx) => drawRing(ctx, 11, 11));

/** A small picture that follows the theme. @param {number} side @param {(ctx: CanvasRenderingContext2D) => void} paint */
function painted(side, paint) {
  const mark = h("canvas", {
    class: "point-sign",
    "aria-hidden": "true",
    width: side * 2,
    height: side * 2,
    vars: { side },
  });
  const show = () => {
    const ctx = mark.getContext("2d");
    if (!ctx) return;
    ctx.setTransform(2, 0, 0, 2, 0, 0);
    ctx.clearRect(0, 0, side, side);
    paint(ctx);
  };
  show();
  onTheme(show);
  return mark;
}
