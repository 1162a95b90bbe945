// The note below a chart: what is not shown, and why.

import { h, setText } from "../lib/dom.js";
import { count, formatNumber, plural } from "../lib/format.js";

/** @import { Gap } from "./chart.js" */
/** @import { PlotData } from "./plot-data.js" */

/** Labels for the kinds of values that are not finite. @type {[string, string][]} */
const GAP_LABELS = [
  ["nan", "▲ not a finite number"],
  ["inf", "▲ infinite"],
  ["-inf", "▲ minus infinity"],
];

/** @param {Gap[]} gaps */
export function gapText(gaps) {
  return GAP_LABELS.flatMap(([kind, what]) => {
    const of = gaps.filter((gap) => gap.kind === kind);
    if (of.length === 0) return [];
    return of.length === 1
      ? [`${what} at step ${count(of[0].step)}`]
      : [`${what} at ${plural(of.length, "step")}, first at step ${count(of[0].step)}`];
  });
}

/**
 * What is cut off: "3 values above 2.6, up to 24.1", or "3 values of lr 0.1 above 2.6, up to 24.1" among several runs.
 * @param {PlotData["cut"]} cut
 * @param {(value: number) => string} value
 * @param {boolean} [named] whether a line is named that alone has such values
 */
export function cutText(cut, value, named = false) {
  if (!cut) return "";
  const { top, bottom, highest, lowest } = cut;
  const { above, below, labels } = cut.count();
  const of = named && labels.length === 1 ? ` of ${labels[0]}` : "";
  if (above + below === 0)
    return `a part of the bands, which reach ${highest > top ? `up to ${value(highest)}` : `down to ${value(lowest)}`}`;
  return [
    above > 0 && `${plural(above, "value")}${of} above ${value(top)}, up to ${value(highest)}`,
    below > 0 && `${plural(below, "value")}${above > 0 ? "" : of} below ${value(bottom)}, down to ${value(lowest)}`,
  ]
    .filter(Boolean)
    .join(" and ");
}

/** A note names so many lines that leave the chart. */
const MAX_NAMED = 3;

/**
 * Which lines leave a chart: "1 run leaves the chart: too fast (up to 1.31e24)".
 * @param {PlotData["leaving"]} leaving
 * @param {string} noun what a line is
 * @param {(value: number) => string} value
 */
export function leavingText(leaving, noun, value) {
  if (leaving.length === 0) return "";
  const named = leaving.slice(0, MAX_NAMED).map(({ label, farthest }) => `${label} (up to ${value(farthest)})`);
  const more = leaving.length - named.length;
  return `${plural(leaving.length, noun)} ${leaving.length === 1 ? "leaves" : "leave"} the chart: ${[...named, ...(more > 0 ? [`and ${more} more`] : [])].join(", ")}`;
}

/**
 * @param {{ value: (value: number) => string, noun: string, onShowAll: () => void }} options `noun`: what a line is;
 *   `onShowAll`: show what is cut off
 */
export function chartNote({ value, noun, onShowAll }) {
  const cutWords = h("span");
  const all = h("button", { class: "link-button", type: "button", on: { click: onShowAll } }, "Show all");
  const cutLine = h("span", { class: "chart-cut" }, cutWords, " ", all);
  const rest = h("span");
  const element = h("p", { class: "chart-note" }, cutLine, rest);
  return {
    element,
    /** @param {PlotData} shown @param {Gap[]} gaps */
    show({ unloggable, cut, leaving, drawn: lines }, gaps) {
      const words = [
        unloggable > 0 && `${plural(unloggable, "point")} at 0 or below, which a log axis cannot show`,
        ...gapText(gaps),
      ].filter(Boolean);
      const several = noun === "run" && new Set(lines.map(({ line }) => line.label)).size > 1;
      const told = [
        leaving.length > 0 && `${leavingText(leaving, noun, value)}.`,
        cut && `Cut off: ${cutText(cut, value, several)}.`,
      ].filter(Boolean);
      setText(cutWords, told.join(" "));
      cutLine.hidden = told.length === 0;
      setText(rest, words.join(" · "));
      element.hidden = cutLine.hidden && words.length === 0;
    },
  };
}

/** A value of a chart's note: few digits, in the unit of the axis. @param {PlotData["unit"]} unit @param {number} value */
export const inUnit = (unit, value) => formatNumber(value / (unit?.size ?? 1));
