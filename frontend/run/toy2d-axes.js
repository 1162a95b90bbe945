// The axes of 2-D data: beside the plot with the names of the coordinates, or as numbers on it where there is no room.

import { chartFont } from "../chart/font.js";
import { ticks, tickText } from "../chart/scale.js";

/** @import { Domain, Ink } from "./toy2d.js" */

/** Where the domain lies on a canvas. @typedef {{ left: number, top: number, right: number, bottom: number }} Frame */

/** The names of the coordinates, as the formula of an update has them. */
const NAMES = ["x₁", "x₂"];

/** The length of a tick, and the room for numbers and names. */
const TICK = 4;
const ROOM = { left: 44, bottom: 38, top: 8, right: 8 };

/** @param {number} width @param {number} height @param {boolean} hasAxes @returns {Frame} */
export const frameOf = (width, height, hasAxes) =>
  hasAxes
    ? { left: ROOM.left, top: ROOM.top, right: width - ROOM.right, bottom: height - ROOM.bottom }
    : { left: 0, top: 0, right: width, bottom: height };

/**
 * @typedef {{ domain: Domain, frame: Frame, toX: (x: number) => number, toY: (y: number) => number, ink: Ink }} Place
 */

/** Beside the plot. @param {CanvasRenderingContext2D} ctx @param {Place} place */
export function drawAxes(ctx, { domain, frame, toX, toY, ink }) {
  const { left, top, right, bottom } = frame;
  ctx.font = chartFont();
  ctx.fillStyle = ink("--ink-2");
  ctx.strokeStyle = ink("--line-strong");
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.rect(left - 0.5, top - 0.5, right - left + 1, bottom - top + 1);
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (const tick of ticksOf(domain.x)) {
    const x = Math.round(toX(tick)) + 0.5;
    ctx.moveTo(x, bottom);
    ctx.lineTo(x, bottom + TICK);
    ctx.fillText(tickText(tick), x, bottom + TICK + 3);
  }
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const tick of ticksOf(domain.y)) {
    const y = Math.round(toY(tick)) + 0.5;
    ctx.moveTo(left - TICK, y);
    ctx.lineTo(left, y);
    ctx.fillText(tickText(tick), left - TICK - 4, y);
  }
  ctx.stroke();
  ctx.fillStyle = ink("--ink");
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  ctx.fillText(NAMES[0], (left + right) / 2, bottom + ROOM.bottom);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(NAMES[1], 0, (top + bottom) / 2);
}

/** On the plot, without names. @param {CanvasRenderingContext2D} ctx @param {Place} place */
export function drawTicks(ctx, { domain, frame, toX, toY, ink }) {
  ctx.fillStyle = ink("--ink-2");
  ctx.font = chartFont();
  ctx.textBaseline = "alphabetic";
  ctx.textAlign = "center";
  for (const tick of ticksOf(domain.x)) {
    if (toX(tick) > 24 && toX(tick) < frame.right - 12) ctx.fillText(tickText(tick), toX(tick), frame.bottom - 5);
  }
  ctx.textAlign = "left";
  for (const tick of ticksOf(domain.y)) {
    if (toY(tick) > 12 && toY(tick) < frame.bottom - 18) ctx.fillText(tickText(tick), 5, toY(tick) + 3);
  }
}

/** @param {[number, number]} range */
const ticksOf = ([min, max]) => ticks({ min, max, log: false }, 5).filter((tick) => tick >= min && tick <= max);
