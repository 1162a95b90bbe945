// The data of one drawing of a chart: lines clipped to the visible range and decimated.

import { decimate } from "./decimate.js";
import { leavingLines } from "./leaving.js";
import { beginningOf, cutOff, topWithoutLeap, tukeyFences } from "./outliers.js";
import { invert, validRange } from "./scale.js";
import { crossingRange, lowestUpTo, verticalRange } from "./vertical-range.js";

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
 *   diverged?: boolean,
 *   unit?: Unit,
 *   x: ArrayLike<number>,
 *   y: ArrayLike<number>,
 *   length: number,
 *   extremes?: Extremes,
 *   band?: { low: ArrayLike<number>, high: ArrayLike<number> },
 * }} Line `y` is NaN at a gap; `counts` is false if another line has the same points; `band` is an area around the line;
 *   a `quiet` line is not named at the pointer; `diverged`: its run did
 */

/**
 * @typedef {{ line: Line, x: number[], y: (number | null)[], low: number[], high: number[], dots: number[] }} DrawnLine
 *   `y` is null at a gap; `low` and `high` are empty without a band; `dots`: the indices of points with a marker
 */

/**
 * @typedef {{
 *   x: Scale, y: Scale, drawn: DrawnLine[],
 *   unit: Unit | null, unloggable: number, cut: Cut | null, outside: number,
 *   leaving: Leaving[],
 * }} PlotData `cut`: what is left out as an outlier, `outside`: how many points that are; `leaving`: the lines that the
 *   axis does not follow
 */

/** A line that leaves the chart, and its value that is the farthest away. @typedef {{ label: string, farthest: number }} Leaving */

/** A range of indices of a line. @typedef {{ line: Line, from: number, to: number }} Part */

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
  let unloggable = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  /** The values that decide what is an outlier. @type {number[]} */
  const values = [];
  /** Where the values of each line begin among them. @type {number[]} */
  const starts = [];
  const leaving = outliers === null && !yRange ? leavingLines(lines) : new Set();
  const deciding = deciders(lines);
  /** The extremes of lines that leave. @type {Map<Line, { low: number, high: number }>} */
  const far = new Map();
  /** @type {Part[]} */
  const parts = [];
  const drawn = lines.map((line) => {
    const { indices, inRange, first } = decimate(line, x, pixels, (pixel) => invert(x, pixel / pixels));
    /** @type {DrawnLine} */
    const out = { line, x: [], y: [], low: [], high: [], dots: [] };
    const leaves = leaving.has(line);
    const decides = outliers !== true && deciding.has(line) && !leaves;
    const reach = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
    if (decides) parts.push({ line, from: first, to: first + inRange });
    if (decides) starts.push(values.length);
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
      if (decides) values.push(value);
      // The lower edge of a band may be below 0, which a log axis cannot show.
      const floor = line.band && !(logY && line.band.low[i] <= 0) ? line.band.low[i] : value;
      const ceiling = line.band ? line.band.high[i] : value;
      reach.low = Math.min(reach.low, floor, value);
      reach.high = Math.max(reach.high, ceiling, value);
    }
    if (leaves) far.set(line, reach);
    else [low, high] = [Math.min(low, reach.low), Math.max(high, reach.high)];
    out.dots = markerIndices(out);
    return out;
  });
  // Where only such lines have points, the axis follows them after all.
  if (low > high)
    for (const reach of far.values()) [low, high] = [Math.min(low, reach.low), Math.max(high, reach.high)];
  const [lowest, highest] = [low, high];
  if (outliers === false && values.length > 0) [low, high] = tukeyFences(Float64Array.from(values).sort());
  const withoutLeap = outliers === null && !logY ? topWithoutLeap(values, parts.length) : null;
  // The end of each line stays in sight, and half of its values: those of a short run among long ones are few. So does
  // where it begins to learn, be that ever so small a part of a long run.
  const ends = drawn.flatMap(({ line, y }) => (leaving.has(line) ? [] : (y.findLast((value) => value !== null) ?? [])));
  const middles =
    withoutLeap === null ? [] : starts.flatMap((from, i) => median(values.slice(from, starts[i + 1])) ?? []);
  const beginnings =
    withoutLeap === null ? [] : parts.flatMap(({ line, from, to }) => beginningOf(line.y, from, to) ?? []);
  const settled = Math.max(withoutLeap ?? high, ...ends, ...middles);
  const top = Math.max(settled, ...beginnings);
  // Where the ends reach far up, the leap is not worth a cut, nor where the rest of a small loss is next to nothing.
  const isSmall = (top > (withoutLeap ?? top) && high <= WORTH * top) || (high < 1 && settled < high * NOTHING);
  const leaping = withoutLeap === null || isSmall ? null : top;
  // Values that are all the same beside the leap would make no axis.
  if (leaping !== null && leaping > low) [low, high] = [lowestUpTo(drawn, leaping), leaping];
  // A range without points may still be crossed by the line between two points outside it.
  if (low > high) [low, high] = crossingRange(drawn, x, logY);
  const unit = lines.find((line) => line.unit)?.unit ?? null;
  const [yMin, yMax] = yRange ? validRange(yRange[0], yRange[1], logY) : verticalRange(low, high, logY, unit);
  if (logY) for (const { low: edge } of drawn) edge.forEach((value, i) => (edge[i] = value > 0 ? value : yMin));
  const narrowed = !yRange && (low > lowest || high < highest);
  const cut = narrowed ? cutOff(parts, { bottom: yMin, top: yMax, lowest, highest }) : null;
  return {
    x,
    y: { min: yMin, max: yMax, log: logY },
    drawn,
    unit,
    unloggable,
    cut,
    leaving: leavingOf(far, yMin, yMax),
    get outside() {
      const { above, below } = cut?.count() ?? { above: 0, below: 0 };
      return above + below;
    },
  };
}

/** The median, the upper of two; null of nothing. @param {number[]} values */
const median = (values) =>
  Float64Array.from(values)
    .sort()
    .at(values.length >> 1) ?? null;

/** A leap is cut off if it is so many times as high as the end of some line. */
const WORTH = 2;
/** So small a share of the highest value is next to nothing. */
const NOTHING = 1e-3;

/**
 * The lines that lie outside a vertical range at some point; a line and its companion have one label.
 * @param {Map<Line, { low: number, high: number }>} far @param {number} bottom @param {number} top
 * @returns {Leaving[]}
 */
function leavingOf(far, bottom, top) {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const [{ label }, { low, high }] of far) {
    if (high > top) found.set(label, Math.max(high, found.get(label) ?? high));
    else if (low < bottom && !found.has(label)) found.set(label, low);
  }
  return [...found].map(([label, farthest]) => ({ label, farthest }));
}

/** The lines that have each point once, and means over seeds. @param {Line[]} lines */
function deciders(lines) {
  const counted = lines.filter(({ counts, band }) => counts || band);
  return new Set(counted.length > 0 ? counted : lines);
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
