// Draws a chart with uPlot. This file and `plot-data.js` decide on points, ranges, ticks and colours; uPlot does layout
// and painting. Each line has its own x values: uPlot's aligned format would turn a hundred lines into a table with
// millions of gaps.

import uPlot from "../../static/vendor/uplot/uPlot.esm.js";
import { colour } from "../lib/theme.js";
import { visibleMarkers, segments } from "./plot-data.js";
import { normalize, ticks, tickTexts } from "./scale.js";

/** @import { PlotData, Line } from "./plot-data.js" */

const FONT =
  '11px "Inter", -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';
const FADED_ALPHA = 0.12;

/** @typedef {ReturnType<typeof plot>} Plot */

/**
 * @param {HTMLElement} place
 * @param {{ marks: () => number[], onDraw: () => void }} options `marks`: positions of values that are not finite
 */
export function plot(place, { marks, onDraw }) {
  /** @type {uPlot | null} */
  let chart = null;
  let built = "";
  let lit = "";
  /** @type {PlotData | null} */
  let last = null;
  let size = { width: 0, height: 0 };

  /** @param {PlotData} data */
  function draw(data) {
    last = data;
    if (size.width < 40) return;
    const kind = JSON.stringify([data.x.log, data.y.log, data.drawn.map(({ line }) => line.id)]);
    if (chart && built === kind) {
      const made = chart;
      made.batch(() => {
        made.setData(alignedCorners(data), false);
        made.setScale("x", data.x);
        made.setScale("y", data.y);
      });
      return;
    }
    chart?.destroy();
    built = kind;
    chart = new uPlot(options(data), alignedCorners(data), place);
  }

  /** @param {PlotData} data @returns {uPlot.Options} */
  function options(data) {
    return {
      ...size,
      padding: [10, 12, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: {
        // The range is exactly that of the plot data: uPlot would round a log axis to whole decades.
        x: { time: false, auto: false, distr: data.x.log ? 3 : 1, range: () => [last?.x.min ?? 0, last?.x.max ?? 1] },
        y: { auto: false, distr: data.y.log ? 3 : 1, range: () => [last?.y.min ?? 0, last?.y.max ?? 1] },
      },
      axes: [
        axis(() => last?.x.log ?? false, 85, { size: 26, gap: 5 }),
        axis(() => last?.y.log ?? false, 42, { size: widthOf, gap: 6 }),
      ],
      series: [{}, ...data.drawn.map(({ line }) => series(line))],
      hooks: { drawAxes: [paintBands], draw: [paintMarkers, paintMarks, onDraw] },
    };
  }

  /** @param {Line} line @returns {uPlot.Series} */
  function series(line) {
    return {
      label: line.label,
      scale: "y",
      stroke: () => colour(line.token),
      width: line.width,
      dash: line.dash,
      alpha: alphaOf(line),
      points: { show: false },
      paths: (made, at) => ({ stroke: trace(made, at - 1), flags: 0 }),
    };
  }

  /** Converts axis positions to canvas pixels. @param {uPlot} made @param {PlotData} data */
  function pixels({ bbox }, data) {
    return {
      left: (/** @type {number} */ x) => bbox.left + normalize(data.x, x) * bbox.width,
      top: (/** @type {number} */ y) => bbox.top + (1 - normalize(data.y, y)) * bbox.height,
    };
  }

  /** The path of a line, interrupted at each gap. @param {uPlot} made @param {number} at */
  function trace(made, at) {
    const path = new Path2D();
    const drawn = last?.drawn[at];
    if (!drawn || !last) return path;
    const { left, top } = pixels(made, last);
    let down = false;
    for (let i = 0; i < drawn.x.length; i += 1) {
      const value = drawn.y[i];
      if (value === null) down = false;
      else if (down) path.lineTo(left(drawn.x[i]), top(value));
      else {
        path.moveTo(left(drawn.x[i]), top(value));
        down = true;
      }
    }
    return path;
  }

  /** Paints the bands around lines, below all lines. @param {uPlot} made */
  function paintBands(made) {
    if (!last || last.drawn.every(({ low }) => low.length === 0)) return;
    const { ctx } = made;
    const { left, top } = pixels(made, last);
    inBox(made, () => {
      for (const { line, x, y, low, high } of last?.drawn ?? []) {
        if (low.length === 0) continue;
        ctx.globalAlpha = 0.2 * (alphaOf(line) / line.alpha);
        ctx.fillStyle = ctx.strokeStyle = colour(line.token);
        ctx.lineWidth = 5 * devicePixelRatio;
        for (const [from, to] of segments(y)) {
          ctx.beginPath();
          for (let i = from; i <= to; i += 1) ctx.lineTo(left(x[i]), top(high[i]));
          for (let i = to; i >= from; i -= 1) ctx.lineTo(left(x[i]), top(low[i]));
          // The band around an isolated point has no width, so it is drawn as a stroke.
          if (from === to) ctx.stroke();
          else ctx.fill();
        }
      }
    });
  }

  /** Paints the markers. @param {uPlot} made */
  function paintMarkers(made) {
    if (!last) return;
    const { ctx } = made;
    const { left, top } = pixels(made, last);
    const radius = 2.5 * devicePixelRatio;
    ctx.save();
    for (const drawn of last.drawn) {
      ctx.globalAlpha = alphaOf(drawn.line);
      ctx.fillStyle = colour(drawn.line.token);
      for (const [x, y] of visibleMarkers(last, drawn)) {
        ctx.beginPath();
        ctx.arc(left(x), top(y), radius, 0, 2 * Math.PI);
        ctx.fill();
      }
    }
    ctx.restore();
  }

  /** Paints clipped to the plot area. @param {uPlot} made @param {() => void} paint */
  function inBox({ ctx, bbox }, paint) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    paint();
    ctx.restore();
  }

  /** @param {Line} line */
  const alphaOf = (line) =>
    lit === "" || lit === line.id || line.id.startsWith(`${lit}.`) ? line.alpha : Math.min(line.alpha, FADED_ALPHA);

  /** Paints marks on the axis at values that are NaN or infinite. @param {uPlot} made */
  function paintMarks(made) {
    const { ctx, bbox } = made;
    const side = 4.5 * devicePixelRatio;
    ctx.save();
    ctx.fillStyle = colour("--bad");
    for (const at of marks()) {
      const x = made.valToPos(at, "x", true);
      if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) continue;
      const y = bbox.top + bbox.height;
      ctx.beginPath();
      ctx.moveTo(x, y - side * 2);
      ctx.lineTo(x + side, y);
      ctx.lineTo(x - side, y);
      ctx.fill();
    }
    ctx.restore();
  }

  return {
    draw,
    /** @param {number} width @param {number} height */
    resize(width, height) {
      if (width === size.width && height === size.height) return false;
      size = { width, height };
      chart?.setSize(size);
      return true;
    },
    /** Redraws in the current theme's colours. */
    repaint: () => chart?.redraw(false, true),
    /** Highlights a line and its companions; "" for none. @param {string} id */
    highlight(id) {
      if (id === lit || !chart || !last) return;
      lit = id;
      for (const [i, { line }] of last.drawn.entries()) chart.series[i + 1].alpha = alphaOf(line);
      chart.redraw(false);
    },
    /** The plot area in CSS pixels; null before the first drawing. */
    box() {
      if (!chart) return null;
      const { left, top, width, height } = chart.bbox;
      const ratio = uPlot.pxRatio;
      return { left: left / ratio, top: top / ratio, width: width / ratio, height: height / ratio };
    },
  };
}

/**
 * The width of the vertical axis, from its longest label.
 * @param {uPlot} _
 * @param {string[] | null} words
 */
function widthOf(_, words) {
  return Math.max(48, ...(words ?? []).map((word) => 14 + word.length * 6.5));
}

/**
 * The minimal data that makes uPlot draw series: the ends of the axes.
 * @param {PlotData} data
 * @returns {uPlot.AlignedData}
 */
function alignedCorners({ x, y, drawn }) {
  return [[x.min, x.max], ...drawn.map(() => [y.min, y.max])];
}

/**
 * @param {() => boolean} isLog
 * @param {number} apart pixels between ticks
 * @param {Partial<uPlot.Axis>} more
 * @returns {uPlot.Axis}
 */
function axis(isLog, apart, more) {
  return {
    stroke: () => colour("--ink-2"),
    font: FONT,
    grid: { stroke: () => colour("--grid"), width: 1 },
    ticks: { show: false },
    splits: (made, which, min, max) => {
      const length = which === 0 ? made.bbox.width : made.bbox.height;
      return ticks({ min, max, log: isLog() }, Math.max(2, Math.floor(length / uPlot.pxRatio / apart)));
    },
    filter: (_, splits) => splits,
    values: (_, splits) => tickTexts(splits),
    ...more,
  };
}
