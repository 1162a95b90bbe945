// A canvas with one plane of numbers: a window that moves over it, or values that appear one by one.

import { h } from "../../lib/dom.js";
import { shorterNumber, shortNumber } from "../cells.js";
import { colourScale, DIVERGING, textColourOn } from "../colours.js";

/** The longer side of the canvas in its own pixels, about twice that on the page. */
const SIDE = 640;
/** Cells of at least this size show their number. */
const CELL_WITH_NUMBER = 56;
/** How much of a value shows that is not computed yet. */
const FAINT = 0.16;
/** The part of a cell that a number may take, so that it does not touch the next, and its smallest size on the page. */
const NUMBER_SHARE = 0.86;
const MIN_NUMBER_PX = 8;
const FONT = 'ui-monospace, "DejaVu Sans Mono", monospace';

/**
 * `padding` is drawn as zeros around the values. `picture` is drawn instead of colours, for a photo.
 * @typedef {{
 *   values: (number | null)[],
 *   height: number,
 *   width: number,
 *   padding?: [number, number],
 *   legend: string[],
 *   map: "diverging" | "sequential",
 *   picture?: ImageBitmap | null,
 * }} Plane
 */

/**
 * `box` is the outline of the window, `cells` what is read in it, `winner` the one that counts; `filled` is the number
 * of values that are computed, and `at` the one that is being computed.
 * @typedef {{
 *   box?: { y: number, x: number, height: number, width: number },
 *   cells?: { y: number, x: number }[],
 *   current?: number,
 *   winner?: number | null,
 *   filled?: number,
 *   at?: number,
 * }} Marks
 */

/**
 * @param {{ label: string, onPick?: (y: number, x: number) => void }} options
 */
export function planeView({ label, onPick }) {
  const canvas = h("canvas", { class: onPick ? "plane pickable" : "plane", role: "img", "aria-label": label });
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = document.createElement("canvas");
  /** @type {Plane | null} */
  let plane = null;
  let cell = 1;
  /** @type {Marks} */
  let marks = {};

  // Whether numbers can be read depends on the size on the page.
  new ResizeObserver(() => draw()).observe(canvas);

  if (onPick)
    canvas.addEventListener("click", (event) => {
      if (!plane) return;
      const { padding = [0, 0], height, width } = plane;
      const rect = canvas.getBoundingClientRect();
      const y = Math.floor(((event.clientY - rect.top) / rect.height) * (height + 2 * padding[0])) - padding[0];
      const x = Math.floor(((event.clientX - rect.left) / rect.width) * (width + 2 * padding[1])) - padding[1];
      if (y >= 0 && x >= 0 && y < height && x < width) onPick(y, x);
    });

  /** @param {Plane} of */
  function show(of) {
    plane = of;
    const { height, width, padding = [0, 0] } = of;
    const [rows, columns] = [height + 2 * padding[0], width + 2 * padding[1]];
    cell = Math.max(1, Math.min(120, Math.floor(SIDE / Math.max(rows, columns))));
    canvas.width = columns * cell;
    canvas.height = rows * cell;
    canvas.style.setProperty("--natural", `${Math.max(columns * cell, 1) / 2}px`);
    paintImage(image, of);
    draw();
  }

  /** @param {number} y @param {number} x @returns {[number, number]} the corner of a cell */
  function corner(y, x) {
    const padding = plane?.padding ?? [0, 0];
    return [(x + padding[1]) * cell, (y + padding[0]) * cell];
  }

  function draw() {
    if (!plane) return;
    const { height, width, padding = [0, 0] } = plane;
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    if (padding[0] + padding[1] > 0) drawPadding();
    ctx.imageSmoothingEnabled = false;
    const [left, top] = corner(0, 0);
    const { filled } = marks;
    if (filled === undefined) ctx.drawImage(image, left, top, width * cell, height * cell);
    else {
      ctx.globalAlpha = FAINT;
      ctx.drawImage(image, left, top, width * cell, height * cell);
      ctx.globalAlpha = 1;
      const rows = Math.floor(filled / width);
      const more = filled % width;
      if (rows > 0) ctx.drawImage(image, 0, 0, width, rows, left, top, width * cell, rows * cell);
      if (more > 0) ctx.drawImage(image, 0, rows, more, 1, left, top + rows * cell, more * cell, cell);
    }
    if (cell >= CELL_WITH_NUMBER && !plane.picture) drawNumbers(filled ?? height * width);
    drawMarks();
  }

  /** Zeros around the values. */
  function drawPadding() {
    ctx.fillStyle = "#e4e5e0";
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.strokeStyle = "#c3c5bd";
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (let at = -canvas.height; at < canvas.width; at += 10) {
      ctx.moveTo(at, canvas.height);
      ctx.lineTo(at + canvas.height, 0);
    }
    ctx.stroke();
    if (!plane || cell < CELL_WITH_NUMBER) return;
    const { height, width, padding = [0, 0] } = plane;
    numberStyle();
    if (isTooSmall()) return;
    ctx.fillStyle = "#55584f";
    for (let y = -padding[0]; y < height + padding[0]; y += 1)
      for (let x = -padding[1]; x < width + padding[1]; x += 1)
        if (y < 0 || x < 0 || y >= height || x >= width) number("0", y, x);
  }

  function numberStyle() {
    ctx.font = `${Math.max(19, Math.min(30, cell / 3.6))}px ${FONT}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
  }

  /** @param {string} text @param {number} y @param {number} x */
  function number(text, y, x) {
    const [left, top] = corner(y, x);
    ctx.fillText(text, left + cell / 2, top + cell / 2, cell - 4);
  }

  /** @param {number} until */
  function drawNumbers(until) {
    if (!plane) return;
    const { values, width } = plane;
    numberStyle();
    const write = numberWriter();
    if (!write) return;
    const colour = scaleOf(plane);
    for (let i = 0; i < Math.min(until, values.length); i += 1) {
      const value = values[i];
      if (value === null) continue;
      ctx.fillStyle = textColourOn(colour(value));
      number(write(value), Math.floor(i / width), i % width);
    }
  }

  /** Whether numbers would be too small on the page. */
  const isTooSmall = () => Number.parseFloat(ctx.font) * (canvas.clientWidth / canvas.width || 1) < MIN_NUMBER_PX;

  /** Writes numbers with as many digits as all cells have room for; null where the canvas is too small for any. */
  function numberWriter() {
    const { values } = /** @type {Plane} */ (plane);
    if (isTooSmall()) return null;
    const fits = (/** @type {(value: number) => string} */ write) =>
      values.every((value) => value === null || ctx.measureText(write(value)).width <= cell * NUMBER_SHARE);
    return [shortNumber, shorterNumber].find(fits) ?? null;
  }

  function drawMarks() {
    if (!plane) return;
    const { width } = plane;
    const { box, cells = [], current = -1, winner = null, at } = marks;
    const thin = Math.max(2, Math.min(6, cell / 8));
    if (box && box.height > 0) {
      const [left, top] = corner(box.y, box.x);
      frame(left, top, box.width * cell, box.height * cell, thin);
      // Gaps between the taps show dilation, and backward a stride.
      const spread = cells.length < box.height * box.width;
      if (spread) for (const { y, x } of cells) outline(y, x, thin / 2);
    }
    if (current >= 0 && cells[current]) outline(cells[current].y, cells[current].x, thin, "#ffd400");
    if (winner !== null) outline(Math.floor(winner / width), winner % width, thin, "#ffd400");
    if (at !== undefined) outline(Math.floor(at / width), at % width, thin);
  }

  /** @param {number} y @param {number} x @param {number} thick @param {string} [colour] */
  function outline(y, x, thick, colour) {
    const [left, top] = corner(y, x);
    // A pixel that is smaller than its outline would be hidden by it.
    const grow = cell < 12 ? thick * 2 : 0;
    frame(left - grow, top - grow, cell + 2 * grow, cell + 2 * grow, thick, colour);
  }

  /** A frame that stands out on every colour. */
  function frame(
    /** @type {number} */ left,
    /** @type {number} */ top,
    /** @type {number} */ wide,
    /** @type {number} */ tall,
    /** @type {number} */ thick,
    colour = "#ffffff",
  ) {
    ctx.lineWidth = thick * 2;
    ctx.strokeStyle = "#111412";
    ctx.strokeRect(left, top, wide, tall);
    ctx.lineWidth = thick;
    ctx.strokeStyle = colour;
    ctx.strokeRect(left, top, wide, tall);
  }

  return {
    element: canvas,
    show,
    /** @param {Marks} now */
    mark(now) {
      marks = now;
      draw();
    },
    /** @param {string} words */
    name(words) {
      canvas.setAttribute("aria-label", words);
    },
  };
}

/** @param {Plane} plane */
function scaleOf({ values, legend, map }) {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value === null) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return colourScale(legend, map, low, high);
}

/** Paints one pixel for each value. @param {HTMLCanvasElement} canvas @param {Plane} plane */
export function paintImage(canvas, plane) {
  const { values, height, width, picture } = plane;
  canvas.width = width;
  canvas.height = height;
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  if (picture) {
    ctx.drawImage(picture, 0, 0, width, height);
    return;
  }
  const colour = scaleOf(plane);
  const pixels = ctx.createImageData(width, height);
  values.forEach((value, i) => {
    if (value === null) return;
    const [r, g, b] = colour(value);
    pixels.data.set([r, g, b, 255], 4 * i);
  });
  ctx.putImageData(pixels, 0, 0);
}

/** How a plane is coloured: blue and red where values have both signs. @param {(number | null)[]} values @param {string[]} sequential */
export function coloursOf(values, sequential) {
  const signed = values.some((value) => value !== null && value < 0);
  return signed
    ? { legend: DIVERGING, map: /** @type {const} */ ("diverging") }
    : { legend: sequential, map: /** @type {const} */ ("sequential") };
}
