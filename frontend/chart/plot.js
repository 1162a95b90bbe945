// The drawing itself: uPlot, told exactly what to show. Which points, which range, which ticks and
// which colours is decided here and in `frame.js`; uPlot lays out and paints.

import uPlot from "../../static/vendor/uplot/uPlot.esm.js";
import { colour } from "../lib/theme.js";
import { ticks, tickText } from "./scale.js";

/** @import { Frame, Line } from "./frame.js" */

const FONT = '11px "Inter", -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';
const FAINT = 0.12;

/** @typedef {ReturnType<typeof plot>} Plot */

/**
 * @param {HTMLElement} place
 * @param {{ marks: () => number[], onDraw: () => void }} options `marks`: positions where a value is not finite
 */
export function plot(place, { marks, onDraw }) {
  /** @type {uPlot | null} */
  let chart = null;
  let built = "";
  let lit = "";
  /** @type {Frame | null} */
  let last = null;
  let size = { width: 0, height: 0 };

  /** @param {Frame} frame */
  function draw(frame) {
    last = frame;
    if (size.width < 40) return;
    const kind = JSON.stringify([frame.x.log, frame.y.log, frame.drawn.map(({ line }) => line.id)]);
    if (chart && built === kind) {
      const made = chart;
      made.batch(() => {
        made.setData(/** @type {uPlot.AlignedData} */ (frame.rows), false);
        made.setScale("x", frame.x);
        made.setScale("y", frame.y);
      });
      return;
    }
    chart?.destroy();
    built = kind;
    chart = new uPlot(options(frame), /** @type {uPlot.AlignedData} */ (frame.rows), place);
  }

  /** @param {Frame} frame @returns {uPlot.Options} */
  function options(frame) {
    return {
      ...size,
      padding: [10, 12, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: {
        // The range is the frame's, to the letter: uPlot would round a log axis to whole decades.
        x: { time: false, auto: false, distr: frame.x.log ? 3 : 1, range: () => [last?.x.min ?? 0, last?.x.max ?? 1] },
        y: { auto: false, distr: frame.y.log ? 3 : 1, range: () => [last?.y.min ?? 0, last?.y.max ?? 1] },
      },
      axes: [axis(() => last?.x.log ?? false, 85, { size: 26, gap: 5 }), axis(() => last?.y.log ?? false, 42, { size: 48, gap: 6 })],
      series: [{}, ...frame.drawn.map(({ line }) => series(line))],
      hooks: { draw: [paintMarks, onDraw] },
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
      points: line.markers ? { show: (_, at) => countPoints(at) <= 80, size: 5, width: 0, fill: () => colour(line.token), stroke: () => colour(line.token) } : { show: false },
    };
  }

  /** @param {number} at */
  const countPoints = (at) => last?.drawn[at - 1]?.x.length ?? 0;

  /** @param {Line} line */
  const alphaOf = (line) => (lit === "" || lit === line.id || line.id.startsWith(`${lit}.`) ? line.alpha : Math.min(line.alpha, FAINT));

  /** Marks on the axis where a value is not a number or infinite. @param {uPlot} made */
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
    /** Paints again with the colours of now. */
    repaint: () => chart?.redraw(false, true),
    /** Lets one line and what belongs to it stand out; "" for none. @param {string} id */
    highlight(id) {
      if (id === lit || !chart || !last) return;
      lit = id;
      last.drawn.forEach(({ line }, i) => (/** @type {uPlot} */ (chart).series[i + 1].alpha = alphaOf(line)));
      chart.redraw(false);
    },
    /** The box inside the axes, in pixels of the page; null before the first drawing. */
    box() {
      if (!chart) return null;
      const { left, top, width, height } = chart.bbox;
      const ratio = uPlot.pxRatio;
      return { left: left / ratio, top: top / ratio, width: width / ratio, height: height / ratio };
    },
  };
}

/** @param {() => boolean} isLog @param {number} apart pixels between ticks @param {Partial<uPlot.Axis>} more @returns {uPlot.Axis} */
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
    values: (_, splits) => splits.map(tickText),
    ...more,
  };
}
