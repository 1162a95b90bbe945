// The view of the charts: axis, scales, zoom, smoothing, hidden lines. It is stored in the URL, so that a reload or a
// shared link shows the same.

/** @import { AxisName } from "./axis.js" */

/** @typedef {[number, number] | null} Range */
/** `log`: whether the vertical axis is logarithmic; null if that follows the values. @typedef {{ log: boolean | null, range: Range, hidden: Set<string> }} ChartView */
/**
 * `smoothing` is null if it follows the length of the run. `outliers`: whether values far from the others stretch the
 * vertical axis; null if only the leap of a few values does not.
 * @typedef {{
 *   axis: AxisName,
 *   logX: boolean,
 *   range: Range,
 *   smoothing: number | null,
 *   outliers: boolean | null,
 *   charts: { [id: string]: ChartView },
 * }} View
 */

const AXIS_NAMES = ["step", "samples", "epoch", "time"];

/**
 * An average over many values lags where a curve is steep, as a loss is at the start: by default it reaches over this
 * share of the run. That is too little to calm a short run, which gets an average over a few steps, if these are no
 * large part of it.
 */
const SMOOTHED_SHARE = 1 / 200;
const SMOOTHED_STEPS = 4;
const MAX_SMOOTHED_SHARE = 1 / 16;

/** The default smoothing weight of a run. @param {number | null} steps its length, 500 if that is not known */
export function defaultSmoothing(steps) {
  const length = steps ?? 500;
  const reach = Math.min(MAX_SMOOTHED_SHARE * length, Math.max(SMOOTHED_STEPS, SMOOTHED_SHARE * length));
  return Math.min(0.999, Number((1 - 1 / Math.max(1, reach)).toFixed(3)));
}

/** @param {string[]} ids @param {AxisName} [axis] @returns {View} */
export function defaultView(ids, axis = "step") {
  return {
    axis,
    logX: false,
    range: null,
    smoothing: null,
    outliers: null,
    charts: Object.fromEntries(ids.map((id) => [id, { log: null, range: null, hidden: new Set() }])),
  };
}

/**
 * Reads a view from a URL's query; missing or invalid values get their defaults.
 * @param {string} search
 * @param {string[]} ids
 * @param {AxisName} [plain] the default axis
 * @returns {View}
 */
export function readView(search, ids, plain = "step") {
  const query = new URLSearchParams(search);
  const view = defaultView(ids, plain);
  const axis = query.get("x") ?? "";
  if (AXIS_NAMES.includes(axis)) view.axis = /** @type {AxisName} */ (axis);
  const outliers = query.get("outliers");
  view.outliers = outliers === "in" ? true : outliers === "out" ? false : null;
  view.logX = query.get("xscale") === "log";
  view.range = readRange(query.get("range"));
  const smoothing = Number(query.get("smooth") ?? Number.NaN);
  if (smoothing >= 0 && smoothing <= 0.999) view.smoothing = smoothing;
  /** @type {Map<string | null, boolean>} */
  const scales = new Map([
    ["log", true],
    ["linear", false],
  ]);
  for (const id of ids) {
    view.charts[id] = {
      log: scales.get(query.get(`${id}.scale`)) ?? null,
      range: readRange(query.get(`${id}.range`)),
      hidden: new Set((query.get(`${id}.hide`) ?? "").split(",").filter(Boolean)),
    };
  }
  return view;
}

/**
 * Writes a view into a URL's query and keeps the other parameters.
 * @param {View} view
 * @param {string} search
 * @param {AxisName} [plain] the default axis
 */
export function writeView(view, search, plain = "step") {
  const query = new URLSearchParams(search);
  set(query, "x", view.axis === plain ? "" : view.axis);
  set(query, "outliers", view.outliers === null ? "" : view.outliers ? "in" : "out");
  set(query, "xscale", view.logX ? "log" : "");
  set(query, "range", writeRange(view.range));
  set(query, "smooth", view.smoothing === null ? "" : String(view.smoothing));
  for (const [id, chart] of Object.entries(view.charts)) {
    set(query, `${id}.scale`, chart.log === null ? "" : chart.log ? "log" : "linear");
    set(query, `${id}.range`, writeRange(chart.range));
    set(query, `${id}.hide`, [...chart.hidden].join(","));
  }
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text === "" ? "" : `?${text}`;
}

/** @param {URLSearchParams} query @param {string} name @param {string} value */
function set(query, name, value) {
  // Always at the end, so that the same view has the same URL.
  query.delete(name);
  if (value !== "") query.append(name, value);
}

/** @param {string | null} text @returns {Range} */
function readRange(text) {
  const parts = (text ?? "").split(":");
  if (parts.length !== 2 || parts.some((part) => part.trim() === "")) return null;
  const [from, to] = parts.map(Number);
  return Number.isFinite(from) && Number.isFinite(to) && from < to ? [from, to] : null;
}

/** @param {Range} range */
function writeRange(range) {
  if (!range) return "";
  // A range of a few steps among millions needs all digits.
  const [from, to] = range;
  const digits = Math.ceil(Math.log10(Math.max(Math.abs(from), Math.abs(to)) / (to - from))) + 5;
  return range.map((value) => Number(value.toPrecision(Math.min(17, Math.max(6, digits))))).join(":");
}
