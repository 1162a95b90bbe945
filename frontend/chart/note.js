// The note below a chart: what is not shown, and why.

import { h, setText } from "../lib/dom.js";
import { count, formatNumber, plural } from "../lib/format.js";

/** @import { Gap } from "./chart.js" */
/** @import { PlotData } from "./plot-data.js" */

/** Labels for the kinds of values that are not finite. @type {[string, string][]} */
const GAP_LABELS = [
  ["nan", "not a number"],
  ["inf", "infinite"],
  ["-inf", "minus infinity"],
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
 * What is cut off: "3 values above 2.6, up to 24.1".
 * @param {PlotData["cut"]} cut
 * @param {(value: number) => string} value
 */
export function cutText(cut, value) {
  if (!cut) return "";
  const { top, bottom, highest, lowest } = cut;
  const { above, below } = cut.count();
  if (above + below === 0)
    return `a part of the bands, which reach ${highest > top ? `up to ${value(highest)}` : `down to ${value(lowest)}`}`;
  return [
    above > 0 && `${plural(above, "value")} above ${value(top)}, up to ${value(highest)}`,
    below > 0 && `${plural(below, "value")} below ${value(bottom)}, down to ${value(lowest)}`,
  ]
    .filter(Boolean)
    .join(" and ");
}

/** @param {{ value: (value: number) => string, onShowAll: () => void }} options `onShowAll`: show what is cut off */
export function chartNote({ value, onShowAll }) {
  const cutWords = h("span");
  const all = h("button", { class: "link-button", type: "button", on: { click: onShowAll } }, "Show all");
  const cutLine = h("span", { class: "chart-cut" }, cutWords, " ", all);
  const rest = h("span");
  const element = h("p", { class: "chart-note" }, cutLine, rest);
  return {
    element,
    /** @param {PlotData} shown @param {Gap[]} gaps */
    show({ shown: drawn, total, unloggable, cut }, gaps) {
      const words = [
        total > drawn * 1.05 + 2 && `showing ${count(drawn)} of ${plural(total, "point")}, every extreme among them`,
        unloggable > 0 && `${plural(unloggable, "point")} at 0 or below, which a log axis cannot show`,
        ...gapText(gaps),
      ].filter(Boolean);
      setText(cutWords, cut ? `Cut off: ${cutText(cut, value)}.` : "");
      cutLine.hidden = !cut;
      setText(rest, words.join(" · "));
      element.hidden = !cut && words.length === 0;
    },
  };
}

/** A value of a chart's note: few digits, in the unit of the axis. @param {PlotData["unit"]} unit @param {number} value */
export const inUnit = (unit, value) => formatNumber(value / (unit?.size ?? 1));
