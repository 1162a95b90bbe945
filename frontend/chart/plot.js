// Paints a chart on a canvas: axes, bands, lines, markers. `plot-data.js` decides on points and ranges, `scale.js` on
// ticks. All lengths are CSS pixels; the canvas has as many pixels as the screen shows.

import { h } from "../lib/dom.js";
import { colour } from "../lib/theme.js";
import { chartFont } from "./font.js";
import { visibleMarkers, segments } from "./plot-data.js";
import { labelledTicks, normalize } from "./scale.js";

/** @import { PlotData, Line, DrawnLine } from "./plot-data.js" */

const PADDING = { top: 10, right: 12 };
/** The names of the axes: above the vertical one, below the horizontal one. */
const Y_NAME_HEIGHT = 14;
const X_AXIS_HEIGHT = 40;
const MIN_Y_AXIS_WIDTH = 48;
const LETTER_WIDTH = 7;
/** Between labels and the plot area. */
const LABEL_GAP = { x: 5, y: 6 };
const X_NAME_TOP = 23;
const Y_NAME_LEFT = 16;
/** The least distance between ticks. */
const TICK_SPACING = { x: 85, y: 42 };
const MARKER_RADIUS = 2.5;
const MARK_SIZE = 4.5;
const FADED_ALPHA = 0.12;

/** @typedef {ReturnType<typeof plot>} Plot */

/** @typedef {{ at: number, label: string }[]} Ticks `at`: the position on the canvas */

/**
 * Everything that is painted, in its place: the plot area `box`, the ticks of both axes, and the path of each line.
 * @typedef {{
 *   data: PlotData,
 *   box: { left: number, top: number, width: number, height: number },
 *   left: (x: number) => number,
 *   top: (y: number) => number,
 *   columns: Ticks,
 *   rows: Ticks,
 *   names: { x: string, y: string },
 *   paths: Path2D[],
 * }} Layout
 */

/**
 * @param {HTMLElement} place
 * @param {{ marks: () => number[], xName: () => string, yName?: () => string, isWhole?: () => boolean }} options `marks`:
 *   positions of values that are not finite; `yName`: that of the data's unit by default; `isWhole`: whether positions
 *   are whole numbers
 */
export function plot(place, { marks, xName, yName, isWhole = () => false }) {
  const canvas = h("canvas", { class: "plot", "aria-hidden": "true" });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let size = { width: 0, height: 0 };
  /** The highlighted line; "" for none. */
  let lit = "";
  /** @type {Layout | null} */
  let layout = null;
  place.append(canvas);
  onPixelRatio(() => {
    fitCanvas();
    paint();
  });

  function fitCanvas() {
    canvas.width = Math.round(size.width * devicePixelRatio);
    canvas.height = Math.round(size.height * devicePixelRatio);
    canvas.style.width = `${size.width}px`;
    canvas.style.height = `${size.height}px`;
  }

  function paint() {
    if (!layout) return;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    paintAxes(layout);
    clipped(layout, 0, paintBands);
    clipped(layout, 1, paintLines);
    paintMarkers(layout);
    paintMarks(layout);
  }

  /** @param {Layout} layout */
  function paintAxes({ box, columns, rows, names }) {
    const bottom = box.top + box.height;
    const right = box.left + box.width;
    context.font = chartFont();
    context.fillStyle = colour("--ink-2");
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const { at, label } of columns) context.fillText(label, at, bottom + LABEL_GAP.x);
    context.fillText(names.x, box.left + box.width / 2, bottom + X_NAME_TOP);
    context.textAlign = "left";
    context.fillText(names.y, Y_NAME_LEFT, 0);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const { at, label } of rows) context.fillText(label, box.left - LABEL_GAP.y, at);
    context.beginPath();
    for (const at of columns.map(({ at }) => sharp(at))) {
      context.moveTo(at, box.top);
      context.lineTo(at, bottom);
    }
    for (const at of rows.map(({ at }) => sharp(at))) {
      context.moveTo(box.left, at);
      context.lineTo(right, at);
    }
    context.strokeStyle = colour("--grid");
    context.lineWidth = Math.max(1, Math.round(devicePixelRatio)) / devicePixelRatio;
    context.stroke();
  }

  /** Paints the bands around lines, below all lines. @param {Layout} layout */
  function paintBands({ data, left, top }) {
    context.lineWidth = 2 * MARKER_RADIUS;
    for (const { line, x, y, low, high } of data.drawn) {
      if (low.length === 0) continue;
      context.globalAlpha = 0.2 * (alphaOf(line) / line.alpha);
      context.fillStyle = context.strokeStyle = colour(line.token);
      for (const [from, to] of segments(y)) {
        context.beginPath();
        for (let i = from; i <= to; i += 1) context.lineTo(left(x[i]), top(high[i]));
        for (let i = to; i >= from; i -= 1) context.lineTo(left(x[i]), top(low[i]));
        // The band around an isolated point has no width, so it is drawn as a stroke.
        if (from === to) context.stroke();
        else context.fill();
      }
    }
  }

  /** @param {Layout} layout */
  function paintLines({ data, paths }) {
    context.lineJoin = "round";
    for (const [i, { line }] of data.drawn.entries()) {
      context.globalAlpha = alphaOf(line);
      context.strokeStyle = colour(line.token);
      context.lineWidth = line.width;
      context.setLineDash(line.dash);
      context.stroke(paths[i]);
    }
  }

  /** @param {Layout} layout */
  function paintMarkers({ data, left, top }) {
    for (const drawn of data.drawn) {
      context.globalAlpha = alphaOf(drawn.line);
      context.fillStyle = colour(drawn.line.token);
      for (const [x, y] of visibleMarkers(data, drawn)) {
        context.beginPath();
        context.arc(left(x), top(y), MARKER_RADIUS, 0, 2 * Math.PI);
        context.fill();
      }
    }
    context.globalAlpha = 1;
  }

  /**
   * Paints marks at the upper edge for values that are NaN or infinite: a loss that ends there has gone beyond the chart.
   * @param {Layout} layout
   */
  function paintMarks({ box, left }) {
    context.fillStyle = colour("--bad");
    for (const x of marks().map(left)) {
      if (x < box.left - 1 || x > box.left + box.width + 1) continue;
      context.beginPath();
      context.moveTo(x, box.top);
      context.lineTo(x + MARK_SIZE, box.top + MARK_SIZE * 2);
      context.lineTo(x - MARK_SIZE, box.top + MARK_SIZE * 2);
      context.fill();
    }
  }

  /**
   * Paints within the plot area and a margin around it, then restores the context's state.
   * @param {Layout} layout
   * @param {number} margin
   * @param {(layout: Layout) => void} paint
   */
  function clipped(layout, margin, paint) {
    const { left, top, width, height } = layout.box;
    context.save();
    context.beginPath();
    context.rect(left - margin, top - margin, width + 2 * margin, height + 2 * margin);
    context.clip();
    paint(layout);
    context.restore();
  }

  /** @param {Line} line */
  const alphaOf = (line) =>
    lit === "" || lit === line.id || line.id.startsWith(`${lit}.`) ? line.alpha : Math.min(line.alpha, FADED_ALPHA);

  return {
    /** @param {PlotData} data */
    draw(data) {
      if (size.width < 40) return;
      layout = arrange(data, size, { x: xName(), y: yName?.() ?? data.unit?.name ?? "" }, isWhole());
      paint();
    },
    /** Must be followed by `draw`. @param {number} width @param {number} height */
    resize(width, height) {
      if (width === size.width && height === size.height) return;
      size = { width, height };
      fitCanvas();
    },
    /** Paints again, in the colours of the current theme. */
    repaint: paint,
    /** Highlights a line and its companions; "" for none. @param {string} id */
    highlight(id) {
      if (id === lit) return;
      lit = id;
      paint();
    },
    /** The plot area; null before the first drawing. */
    box: () => layout?.box ?? null,
  };
}

/**
 * Lays a chart out.
 * @param {PlotData} data
 * @param {{ width: number, height: number }} size
 * @param {Layout["names"]} names
 * @param {boolean} whole whether positions are whole numbers
 * @returns {Layout}
 */
function arrange(data, size, names, whole) {
  const paddingTop = PADDING.top + (names.y ? Y_NAME_HEIGHT : 0);
  const height = Math.max(1, size.height - paddingTop - X_AXIS_HEIGHT);
  const rows = labelledTicks(data.y, Math.max(2, Math.floor(height / TICK_SPACING.y)), data.unit?.size);
  const axisWidth = Math.max(MIN_Y_AXIS_WIDTH, ...rows.map(({ label }) => 14 + label.length * LETTER_WIDTH));
  const width = Math.max(1, size.width - axisWidth - PADDING.right);
  const columns = labelledTicks(data.x, Math.max(2, Math.floor(width / TICK_SPACING.x))).filter(
    ({ value }) => !whole || Number.isInteger(value),
  );
  const box = { left: axisWidth, top: paddingTop, width, height };
  const left = (/** @type {number} */ x) => box.left + normalize(data.x, x) * box.width;
  const top = (/** @type {number} */ y) => box.top + (1 - normalize(data.y, y)) * box.height;
  return {
    data,
    box,
    left,
    top,
    columns: columns.map(({ value, label }) => ({ at: left(value), label })),
    rows: rows.map(({ value, label }) => ({ at: top(value), label })),
    names,
    paths: data.drawn.map((drawn) => trace(drawn, left, top)),
  };
}

/**
 * The path of a line, interrupted at each gap.
 * @param {DrawnLine} drawn
 * @param {(x: number) => number} left
 * @param {(y: number) => number} top
 */
function trace({ x, y }, left, top) {
  const path = new Path2D();
  let down = false;
  for (let i = 0; i < x.length; i += 1) {
    const value = y[i];
    if (value === null) down = false;
    else if (down) path.lineTo(left(x[i]), top(value));
    else {
      path.moveTo(left(x[i]), top(value));
      down = true;
    }
  }
  return path;
}

/** The position at which a thin line covers whole pixels of the screen. @param {number} at */
function sharp(at) {
  const ratio = devicePixelRatio;
  const isOdd = Math.max(1, Math.round(ratio)) % 2 === 1;
  return (Math.round(at * ratio) + (isOdd ? 0.5 : 0)) / ratio;
}

/** Calls back when the page is zoomed or moves to another screen. @param {() => void} changed */
function onPixelRatio(changed) {
  matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener(
    "change",
    () => {
      changed();
      onPixelRatio(changed);
    },
    { once: true },
  );
}
