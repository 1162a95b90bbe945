// The data of one drawing of a chart: lines clipped to the visible range and decimated.

import { decimate } from "./decimate.js";
import { cutOff, topWithoutLeap, tukeyFences } from "./outliers.js";
import { padRange, normalize, validRange, invert } from "./scale.js";

/** @import { Scale } from "./scale.js" */
/** @import { Extremes } from "./extremes.js" */
/** @import { Cut } from "./outliers.js" */

/**
 * What a vertical axis shows: its name, the size of its unit, such as 0.01 for percent, and the values that there can be.
 * @typedef {{ name: string, size: number, possible?: [low: number, high: number] }} Unit
 */

/**
 * @typedef {{
 *   id: string,
 *   label: string,
 *   token: string,
 *   dash: number[],
 *   width: number,
 *   alpha: number,
 *   markers: boolean,
 *   counts: boolean,
 *   quiet?: boolean,
 *   unit?: Unit,
 *   x: ArrayLike<number>,
 *   y: ArrayLike<number>,
 *   length: number,
 *   extremes?: Extremes,
 *   steps?: ArrayLike<number>,
 *   perStep?: number,
 *   band?: { low: ArrayLike<number>, high: ArrayLike<number> },
 * }} Line `y` is NaN at a gap; `steps` and `perStep` (points per step on average, 1 by default) tell how many points
 *   were never sent; `counts` is false if another line has the same points; `band` is an area around the line; a
 *   `quiet` line is not named at the pointer
 */

/**
 * @typedef {{ line: Line, x: number[], y: (number | null)[], low: number[], high: number[], dots: number[] }} DrawnLine
 *   `y` is null at a gap; `low` and `high` are empty without a band; `dots`: the indices of points with a marker
 */

/**
 * @typedef {{
 *   x: Scale, y: Scale, drawn: DrawnLine[],
 *   unit: Unit | null, shown: number, total: number, unloggable: number, cut: Cut | null, outside: number,
 * }} PlotData `cut`: what is left out as an outlier, `outside`: how many points that are
 */

/** The first and last position on an axis; infinite if there is none. @typedef {[number, number]} Extent */

/**
 * The horizontal extent of lines; on a log axis only of positions above 0.
 * @param {Line[]} lines
 * @param {boolean} log
 * @returns {Extent}
 */
export function xExtent(lines, log) {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const { x, length } of lines) {
    let first = 0;
    while (log && first < length && x[first] <= 0) first += 1;
    if (first === length) continue;
    min = Math.min(min, x[first]);
    max = Math.max(max, x[length - 1]);
  }
  return [min, max];
}

/** @param {Extent[]} spans @returns {Extent} */
export function unionExtent(spans) {
  return [Math.min(...spans.map(([min]) => min)), Math.max(...spans.map(([, max]) => max))];
}

/** An axis is extended to 0 if that costs at most this fraction of its length. */
const MAX_ZERO_SHARE = 0.1;

/**
 * The range of an axis for an extent. It starts at the first position, or at 0 if that is close: a run whose first step
 * is 1 gets an axis from 0.
 * @param {Extent} span
 * @param {boolean} log
 * @returns {[number, number]}
 */
export function axisRange([min, max], log) {
  return validRange(!log && min > 0 && min <= (max - min) * MAX_ZERO_SHARE ? 0 : min, max, log);
}

/**
 * Clips and decimates lines for one drawing.
 * @param {Line[]} lines the visible ones
 * @param {{
 *   range: [number, number] | null,
 *   yRange: [number, number] | null,
 *   logX: boolean,
 *   logY: boolean,
 *   pixels: number,
 *   outliers?: boolean | null,
 *   span?: Extent,
 * }} view without `outliers`, values far from the others lie outside the vertical range, with null only a leap of few
 *   values; `span`: the extent of all charts of the page, if it is larger than that of these lines
 * @returns {PlotData}
 */
export function plotData(lines, { range, yRange, logX, logY, pixels, outliers = true, span = xExtent(lines, logX) }) {
  const [min, max] = range ? validRange(range[0], range[1], logX) : axisRange(span, logX);
  const x = { min, max, log: logX };
  let shown = 0;
  let total = 0;
  let unloggable = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  /** The values that decide what is an outlier. @type {number[]} */
  const values = [];
  const deciding = deciders(lines);
  /** @type {{ line: Line, from: number, to: number }[]} */
  const parts = [];
  const drawn = lines.map((line) => {
    const { indices, inRange, first } = decimate(line, x, pixels, (pixel) => invert(x, pixel / pixels));
    /** @type {DrawnLine} */
    const out = { line, x: [], y: [], low: [], high: [], dots: [] };
    const decides = outliers !== true && deciding.has(line);
    if (decides) parts.push({ line, from: first, to: first + inRange });
    for (const i of indices) {
      const [at, value] = [line.x[i], line.y[i]];
      const bad = (logX && at <= 0) || (logY && value <= 0);
      if (bad && line.counts) unloggable += 1;
      if (logX && at <= 0) continue;
      out.x.push(at);
      out.y.push(bad || Number.isNaN(value) ? null : value);
      if (line.band) {
        out.low.push(line.band.low[i]);
        out.high.push(line.band.high[i]);
      }
      if (bad || Number.isNaN(value) || at < min || at > max) continue;
      if (line.counts) shown += 1;
      if (decides) values.push(value);
      // The lower edge of a band may be below 0, which a log axis cannot show.
      const floor = line.band && !(logY && line.band.low[i] <= 0) ? line.band.low[i] : value;
      const ceiling = line.band ? line.band.high[i] : value;
      if (floor < low) low = floor;
      if (value < low) low = value;
      if (ceiling > high) high = ceiling;
      if (value > high) high = value;
    }
    out.dots = markerIndices(out);
    if (line.counts)
      total +=
        line.steps && inRange > 0
          ? Math.round((line.steps[first + inRange - 1] - line.steps[first]) * (line.perStep ?? 1)) + 1
          : inRange;
    return out;
  });
  const [lowest, highest] = [low, high];
  if (outliers === false && values.length > 0) [low, high] = tukeyFences(Float64Array.from(values).sort());
  const leaping = outliers === null && !logY ? topWithoutLeap(values, parts.length) : null;
  if (leaping !== null) [low, high] = [lowestUpTo(drawn, leaping), leaping];
  // A range without points may still be crossed by the line between two points outside it.
  if (low > high) [low, high] = crossingRange(drawn, x, logY);
  const [yMin, yMax] = yRange ? validRange(yRange[0], yRange[1], logY) : padRange(validRange(low, high, logY), logY);
  if (logY) for (const { low: edge } of drawn) edge.forEach((value, i) => (edge[i] = value > 0 ? value : yMin));
  const narrowed = !yRange && (low > lowest || high < highest);
  const cut = narrowed ? cutOff(parts, { bottom: yMin, top: yMax, lowest, highest }) : null;
  return {
    x,
    y: { min: yMin, max: yMax, log: logY },
    drawn,
    unit: lines.find(({ unit }) => unit)?.unit ?? null,
    shown,
    total,
    unloggable,
    cut,
    get outside() {
      const { above, below } = cut?.count() ?? { above: 0, below: 0 };
      return above + below;
    },
  };
}

/** The lines that have each point once, and means over seeds. @param {Line[]} lines */
function deciders(lines) {
  const counted = lines.filter(({ counts, band }) => counts || band);
  return new Set(counted.length > 0 ? counted : lines);
}

/**
 * The lowest point of lines without the points above a limit, and of their bands, where these do not reach lower than
 * the lines are high.
 * @param {DrawnLine[]} drawn @param {number} limit
 */
function lowestUpTo(drawn, limit) {
  let [lowest, edge] = [limit, limit];
  for (const { y, low } of drawn) {
    y.forEach((value, i) => {
      if (value === null || value > limit) return;
      lowest = Math.min(lowest, value);
      if (low.length > 0) edge = Math.min(edge, low[i]);
    });
  }
  return Math.max(Math.min(lowest, edge), 2 * lowest - limit);
}

/** Lines with more points than this have no markers, which would overlap. */
const MAX_MARKERS = 80;

/**
 * The indices of points with a marker: all points of a short line with `markers`, and on any line the isolated points
 * between two gaps, which no stroke would show.
 * @param {Pick<DrawnLine, "line" | "x" | "y">} drawn
 * @returns {number[]}
 */
export function markerIndices({ line, x, y }) {
  const all = line.markers && x.length <= MAX_MARKERS;
  /** @type {number[]} */
  const found = [];
  // Before the first point and after the last one there is none, as in a gap.
  let before = /** @type {number | null} */ (null);
  for (let i = 0; i < x.length; i += 1) {
    const value = y[i];
    if (value !== null && (all || (before === null && (i + 1 === x.length || y[i + 1] === null)))) found.push(i);
    before = value;
  }
  return found;
}

/**
 * The markers inside the axes. Markers on the edge are drawn whole.
 * @param {Pick<PlotData, "x" | "y">} data
 * @param {DrawnLine} drawn
 * @returns {[number, number][]}
 */
export function visibleMarkers({ x: { min, max }, y: { min: low, max: high } }, { x, y, dots }) {
  return dots
    .map((i) => /** @type {[number, number]} */ ([x[i], Number(y[i])]))
    .filter(([at, value]) => at >= min && at <= max && value >= low && value <= high);
}

/**
 * The segments of a line between gaps, as first and last index.
 * @param {(number | null)[]} y
 * @returns {[number, number][]}
 */
export function segments(y) {
  /** @type {[number, number][]} */
  const found = [];
  y.forEach((value, i) => {
    if (value === null) return;
    const last = found[found.length - 1];
    if (last && last[1] === i - 1) last[1] = i;
    else found.push([i, i]);
  });
  return found;
}

/**
 * The vertical range of lines that cross a horizontal range without having points in it.
 * @param {DrawnLine[]} drawn
 * @param {Scale} axis
 * @param {boolean} logY
 * @returns {[number, number]}
 */
function crossingRange(drawn, axis, logY) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { x, y } of drawn) {
    for (let i = 1; i < x.length; i += 1) {
      const [from, to] = [y[i - 1], y[i]];
      if (from === null || to === null || x[i] < axis.min || x[i - 1] > axis.max) continue;
      const [start, end] = [normalize(axis, x[i - 1]), normalize(axis, x[i])];
      for (const edge of [0, 1]) {
        const value = invert({ min: from, max: to, log: logY && from !== to }, (edge - start) / (end - start));
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  }
  return [low, high];
}
