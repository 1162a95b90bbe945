// Draws 2-D data: regions tinted by class and confidence, the decision boundary, and the points.

import { colour } from "../lib/theme.js";
import { contour, position } from "./contour.js";
import { CONFIDENCE_ERROR, signedConfidence } from "./grid.js";
import { smoothContour } from "./smooth-contour.js";
import { boundaryLines } from "./straight-lines.js";
import { drawAxes, drawTicks, frameOf } from "./toy2d-axes.js";

/** @import { LinearWeights, Point, Split } from "../lib/types" */
/** @import { Grid } from "./grid.js" */

/** The colours of the classes. */
export const CLASS_COLOURS = [
  "--data-1",
  "--data-2",
  "--data-3",
  "--data-4",
  "--data-5",
  "--data-6",
  "--data-7",
  "--data-8",
];

/** @typedef {(ctx: CanvasRenderingContext2D, x: number, y: number, r: number) => void} Shape */

/** @type {Shape[]} */
export const CLASS_MARKERS = [
  (ctx, x, y, r) => ctx.arc(x, y, r, 0, Math.PI * 2),
  (ctx, x, y, r) => ctx.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76),
  (ctx, x, y, r) => polygon(ctx, x, y, r * 1.25, 3, -Math.PI / 2),
  (ctx, x, y, r) => polygon(ctx, x, y, r * 1.25, 4, 0),
  (ctx, x, y, r) => polygon(ctx, x, y, r * 1.15, 5, -Math.PI / 2),
  (ctx, x, y, r) => polygon(ctx, x, y, r * 1.25, 3, Math.PI / 2),
  (ctx, x, y, r) => polygon(ctx, x, y, r * 1.15, 6, 0),
  (ctx, x, y, r) => cross(ctx, x, y, r),
];

/** @typedef {{ x: [number, number], y: [number, number] }} Domain */

/** The domain of the points, with a margin. @param {Point[]} points @returns {Domain | null} */
export function domainOf(points) {
  if (points.length === 0) return null;
  const range = (/** @type {number[]} */ values) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = (high - low) * 0.1 || 1;
    return /** @type {[number, number]} */ ([low - room, high + room]);
  };
  return { x: range(points.map(({ x }) => x)), y: range(points.map(({ y }) => y)) };
}

/** Returns the colour of a CSS token in a form that canvases accept. @typedef {(token: string) => string} Ink */

/**
 * `before` are weights whose lines are dashed; `marked` are points with a ring around them.
 * @param {HTMLCanvasElement} canvas
 * @param {{
 *   domain: Domain,
 *   grid: Grid | null,
 *   points: Point[],
 *   splits: Set<Split>,
 *   below?: CanvasImageSource,
 *   before?: LinearWeights | null,
 *   marked?: Point[],
 * }} what `below`: a picture of the domain to draw instead of regions
 * @param {{ width?: number, height?: number, ratio?: number, ink?: Ink, axes?: boolean, size?: number }} [look] defaults to
 *   the page's; `axes`: whether they stand beside the plot with their names; `size` of the points, relative to the usual
 */
export function drawToy2d(
  canvas,
  { domain, grid, points, splits, below, before = null, marked = [] },
  {
    width = canvas.clientWidth,
    height = canvas.clientHeight,
    ratio = devicePixelRatio,
    ink = colour,
    axes = false,
    size = 1,
  } = {},
) {
  const ctx = canvas.getContext("2d");
  if (!ctx || width === 0) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  ctx.scale(ratio, ratio);
  ctx.fillStyle = ink("--surface");
  ctx.fillRect(0, 0, width, height);
  const frame = frameOf(width, height, axes);
  const [across, down] = [frame.right - frame.left, frame.bottom - frame.top];
  const toX = (/** @type {number} */ x) => frame.left + ((x - domain.x[0]) / (domain.x[1] - domain.x[0])) * across;
  const toY = (/** @type {number} */ y) => frame.bottom - ((y - domain.y[0]) / (domain.y[1] - domain.y[0])) * down;
  if (below) ctx.drawImage(below, frame.left, frame.top, across, down);
  if (grid) {
    drawRegions(ctx, grid, toX, toY, ink);
    if (grid.linear) drawLines(ctx, grid.linear, domain, toX, toY, ink("--ink"), []);
    else drawBoundary(ctx, grid, toX, toY, ink);
  }
  if (before) drawLines(ctx, before, domain, toX, toY, ink("--ink-2"), [6, 5]);
  (axes ? drawAxes : drawTicks)(ctx, { domain, frame, toX, toY, ink });
  // Training points lie below the fewer validation and test points.
  for (const split of /** @type {Split[]} */ (["train", "validation", "test"])) {
    if (splits.has(split))
      for (const point of points)
        if (point.split === split) drawPoint(ctx, toX(point.x), toY(point.y), point.class, split, ink, size);
  }
  for (const point of marked) drawRing(ctx, toX(point.x), toY(point.y), ink);
  for (const point of marked) drawPoint(ctx, toX(point.x), toY(point.y), point.class, point.split, ink, size);
}

/** What marks a point. @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {Ink} [ink] */
export function drawRing(ctx, x, y, ink = colour) {
  for (const [token, width] of /** @type {[string, number][]} */ ([
    ["--surface", 5],
    ["--ink", 2],
  ])) {
    ctx.beginPath();
    ctx.arc(x, y, 9, 0, Math.PI * 2);
    ctx.lineWidth = width;
    ctx.strokeStyle = ink(token);
    ctx.stroke();
  }
}

/**
 * The straight lines of a linear network.
 * @param {CanvasRenderingContext2D} ctx
 * @param {LinearWeights} linear
 * @param {Domain} domain
 * @param {(x: number) => number} toX
 * @param {(y: number) => number} toY
 * @param {string} stroke
 * @param {number[]} dashes
 */
function drawLines(ctx, linear, domain, toX, toY, stroke, dashes) {
  ctx.save();
  ctx.beginPath();
  for (const { from, to } of boundaryLines(linear, domain)) {
    ctx.moveTo(toX(from[0]), toY(from[1]));
    ctx.lineTo(toX(to[0]), toY(to[1]));
  }
  ctx.setLineDash(dashes);
  ctx.lineWidth = 1.8;
  ctx.lineCap = "round";
  ctx.strokeStyle = stroke;
  ctx.stroke();
  ctx.restore();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} of class
 * @param {Split} split
 * @param {Ink} [ink]
 * @param {number} [size] relative to the usual
 */
export function drawPoint(ctx, x, y, of, split, ink = colour, size = 1) {
  const own = ink(CLASS_COLOURS[of % CLASS_COLOURS.length]);
  const r = (split === "train" ? 3.1 : 3.9) * size;
  ctx.beginPath();
  CLASS_MARKERS[of % CLASS_MARKERS.length](ctx, x, y, r);
  ctx.lineWidth = split === "validation" ? 1.6 : 1;
  ctx.fillStyle = split === "validation" ? ink("--surface") : own;
  ctx.strokeStyle = split === "test" ? ink("--ink") : split === "validation" ? own : ink("--surface");
  ctx.fill();
  ctx.stroke();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Grid} grid
 * @param {(x: number) => number} toX
 * @param {(y: number) => number} toY
 * @param {Ink} ink
 */
function drawRegions(ctx, { columns, rows, x, y, classes, confidence }, toX, toY, ink) {
  const picture = new ImageData(columns, rows);
  const inks = CLASS_COLOURS.map((token) => rgb(ink(token)));
  for (let j = 0; j < rows; j += 1) {
    for (let i = 0; i < columns; i += 1) {
      const from = j * columns + i;
      const to = ((rows - 1 - j) * columns + i) * 4;
      const [r, g, b] = inks[classes[from] % inks.length];
      picture.data[to] = r;
      picture.data[to + 1] = g;
      picture.data[to + 2] = b;
      picture.data[to + 3] = 18 + confidence[from] * 82;
    }
  }
  const small = new OffscreenCanvas(columns, rows);
  small.getContext("2d")?.putImageData(picture, 0, 0);
  ctx.imageSmoothingEnabled = true;
  ctx.drawImage(small, toX(x[0]), toY(y[1]), toX(x[1]) - toX(x[0]), toY(y[0]) - toY(y[1]));
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Grid} grid
 * @param {(x: number) => number} toX
 * @param {(y: number) => number} toY
 * @param {Ink} ink
 */
function drawBoundary(ctx, grid, toX, toY, ink) {
  const { columns, rows, x, y } = grid;
  const present = [...new Set(grid.classes)];
  if (present.length < 2) return;
  const atX = (/** @type {number} */ i) => toX(x[0] + ((i + 0.5) / columns) * (x[1] - x[0]));
  const atY = (/** @type {number} */ j) => toY(y[0] + ((j + 0.5) / rows) * (y[1] - y[0]));
  ctx.beginPath();
  // With two classes, one contour is enough.
  for (const of of present.length === 2 ? present.slice(1) : present) {
    const line = boundaryOf(grid, of);
    for (const [from, to] of line.links) {
      const [[x0, y0], [x1, y1]] = [position(line, from), position(line, to)];
      ctx.moveTo(atX(x0), atY(y0));
      ctx.lineTo(atX(x1), atY(y1));
    }
  }
  ctx.lineWidth = 1.8;
  ctx.lineCap = "round";
  ctx.strokeStyle = ink("--ink");
  ctx.stroke();
}

/** The boundary of a class's region: exact where scores are known, else smooth. @param {Grid} grid @param {number} of */
function boundaryOf(grid, of) {
  const { columns, rows, leads } = grid;
  if (leads) return contour(leads[of], columns, rows);
  const field = signedConfidence(grid, of);
  return smoothContour(contour(field, columns, rows), field, CONFIDENCE_ERROR);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} r
 * @param {number} corners
 * @param {number} turn
 */
function polygon(ctx, x, y, r, corners, turn) {
  for (let i = 0; i < corners; i += 1) {
    const angle = turn + (i * Math.PI * 2) / corners;
    ctx.lineTo(x + Math.cos(angle) * r, y + Math.sin(angle) * r);
  }
  ctx.closePath();
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} r */
function cross(ctx, x, y, r) {
  const t = r * 0.4;
  const corners = [
    [-t, -r],
    [t, -r],
    [t, -t],
    [r, -t],
    [r, t],
    [t, t],
    [t, r],
    [-t, r],
    [-t, t],
    [-r, t],
    [-r, -t],
    [-t, -t],
  ];
  for (const [dx, dy] of corners) ctx.lineTo(x + dx, y + dy);
  ctx.closePath();
}

/** @param {string} text such as rgb(1, 2, 3) @returns {[number, number, number]} */
function rgb(text) {
  const [r, g, b] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [r ?? 0, g ?? 0, b ?? 0];
}
