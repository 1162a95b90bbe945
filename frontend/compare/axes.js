// The axes of the parallel coordinates: first the settings in which runs differ, then their results.

import { padRange, normalize, ticks, tickTexts, validRange } from "../chart/scale.js";
import { settingValue, sharedLabel } from "../lib/setting-labels.js";
import { differingSettings, settingsOf } from "../lib/settings-diff.js";
import { formatNumber, percent, exactNumber } from "../lib/format.js";
import { EPOCH_MEAN } from "../runs/columns.js";
import { COSTS } from "./costs.js";
import { accuracyOf } from "./scatter.js";
import { isSoundMember } from "./sound.js";
import { accuracySpan, costSpan } from "./span.js";
import { meanAndStd } from "./columns.js";
import { runsWith } from "./settings.js";

/** @import { Run } from "../lib/types" */
/** @import { Scale } from "../chart/scale.js" */
/** @import { Member } from "./members.js" */

/**
 * `at`: a member's position, 0 at the bottom and 1 at the top; null without a value. `outcome`: a result, not a
 * setting.
 * @typedef {{
 *   key: string,
 *   title: string,
 *   outcome: boolean,
 *   at: (member: Member) => number | null,
 *   format: (member: Member) => string,
 *   ticks: { at: number, text: string }[],
 * }} Axis
 */

/**
 * A result and the unit of its axis: `unit` returns the size of the unit and its symbol.
 * @typedef {{
 *   key: string,
 *   title: string,
 *   of: (run: Run) => number | null,
 *   format: (value: number) => string,
 *   unit: (most: number) => [number, string],
 * }} Outcome
 */

/** @type {Outcome[]} */
const OUTCOMES = [
  ...COSTS.map(({ id, ...cost }) => ({ key: id, ...cost })).reverse(),
  {
    key: "train_loss",
    title: `Training loss, ${EPOCH_MEAN}`,
    of: ({ summary }) => summary.train_loss,
    format: formatNumber,
    unit: () => [1, ""],
  },
];

/** @param {number} low @param {number} high percent @returns {[number, number]} */
const percentSpan = (low, high) => {
  const [from, to] = accuracySpan([low / 100], [high / 100]);
  return [from * 100, to * 100];
};

/**
 * The axes of results whose small differences are drawn as such.
 * @type {Map<string, (low: number, high: number) => [number, number]>}
 */
const SPANS = new Map([
  ...COSTS.map(({ id }) => /** @type {[string, typeof percentSpan]} */ ([id, (low, high) => costSpan([low, high])])),
  ["gain", percentSpan],
]);

/** A setting whose largest value is more than this many times its smallest gets a log axis. */
const LOG_RATIO = 30;

/** @param {Member[]} members @returns {Axis[]} */
export function axesOf(members) {
  // A setting that only one kind of network has says no more than the kind itself.
  const everywhere = (/** @type {string} */ path) => members.every(({ runs }) => settingsOf(runs[0]).has(path));
  const paths = differingSettings(members.map(({ runs }) => runs[0])).filter(
    (path) => everywhere(path) && (path !== "training.seed" || members.every(({ runs }) => runs.length === 1)),
  );
  const gain = accuracyOf(members);
  /** @type {Outcome[]} */
  const outcomes = [
    ...OUTCOMES,
    { key: "gain", title: gain.title, of: gain.of, format: percent, unit: () => [0.01, "%"] },
  ];
  return [
    ...paths.map((path) => settingAxis(path, members)),
    ...outcomes.flatMap(({ key, title, of, format, unit }) => {
      const values = new Map(members.map((member) => [member.id, meanAndStd(member.runs.map(of))?.mean ?? null]));
      const known = [...values.values()].filter((value) => value !== null);
      // A result that is the same for all runs is left out; accuracy always has an axis.
      if (known.length === 0 || (key !== "gain" && new Set(known).size < 2)) return [];
      // Runs that diverged or failed do not stretch the axes of results.
      const sound = members.filter(isSoundMember).flatMap(({ id }) => values.get(id) ?? []);
      const scaled = sound.length > 0 ? sound : known;
      const size = unit(Math.max(...scaled));
      return [{ ...numberAxis(key, title, values, format, size, SPANS.get(key), scaled), outcome: true }];
    }),
  ];
}

/** @param {string} path @param {Member[]} members @returns {Axis} */
function settingAxis(path, members) {
  const values = new Map(members.map(({ id, runs }) => [id, settingsOf(runs[0]).get(path)]));
  const known = [
    ...new Map(
      [...values.values()].filter((value) => value !== undefined).map((value) => [JSON.stringify(value), value]),
    ).values(),
  ];
  const title = sharedLabel(path, runsWith(path, members));
  // Many different numbers get a scale; few get one tick each.
  if (known.length > 8 && known.every((value) => typeof value === "number")) {
    return numberAxis(
      path,
      title,
      new Map([...values].map(([id, value]) => [id, typeof value === "number" ? value : null])),
      exactNumber,
      [1, ""],
    );
  }
  known.sort((a, b) => (typeof a === "number" && typeof b === "number" ? a - b : 0));
  const place = new Map(
    known.map((value, i) => [JSON.stringify(value), known.length === 1 ? 0.5 : i / (known.length - 1)]),
  );
  return {
    key: path,
    title,
    outcome: false,
    at: ({ id }) => place.get(JSON.stringify(values.get(id))) ?? null,
    format: ({ id }) => (values.get(id) === undefined ? "–" : settingValue(path, values.get(id))),
    ticks: known.map((value) => ({ at: place.get(JSON.stringify(value)) ?? 0, text: settingValue(path, value) })),
  };
}

/**
 * @param {string} key
 * @param {string} title
 * @param {Map<string, number | null>} values
 * @param {(value: number) => string} format
 * @param {[number, string]} unit
 * @param {(low: number, high: number) => [number, number]} [span] of the axis, in its unit
 * @param {number[]} [scaled] the values that the axis follows, by default all; others may have no place on it
 * @returns {Axis}
 */
function numberAxis(key, title, values, format, [size, sign], span = (low, high) => [low, high], scaled) {
  const known = (scaled ?? [...values.values()].filter((value) => value !== null)).map((value) => value / size);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const log = low > 0 && high / low > LOG_RATIO;
  const [from, to] = log ? [low, high] : span(low, high);
  const [min, max] = padRange(validRange(from, to, log), log);
  /** @type {Scale} */
  const scale = { min, max, log };
  const marked = ticks(scale, 5);
  const named = tickTexts(marked);
  return {
    key,
    title: sign ? `${title} (${sign})` : title,
    outcome: false,
    at: ({ id }) => {
      const value = values.get(id) ?? null;
      const at = value === null ? null : normalize(scale, value / size);
      return at !== null && at >= 0 && at <= 1 ? at : null;
    },
    format: ({ id }) => {
      const value = values.get(id) ?? null;
      return value === null ? "–" : format(value);
    },
    ticks: named.map((text, i) => ({ at: normalize(scale, marked[i]), text })),
  };
}
