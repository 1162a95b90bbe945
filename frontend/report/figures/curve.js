// The figure of loss and accuracy curves, in one panel or several.

import { AXES } from "../../chart/axis.js";
import { cutText, inUnit } from "../../chart/note.js";
import { plotData, unionExtent, xExtent } from "../../chart/plot-data.js";
import { defaultSmoothing, defaultView } from "../../chart/view.js";
import { axisFor, CHARTS, memberLines } from "../../compare/lines.js";
import { RunLines } from "../../run/lines.js";
import { RunStore, SERIES } from "../../run/store.js";
import { FigureError } from "../block.js";
import { listOf, runsTitle, membersFor, RUNS, SEEDS } from "./members.js";
import { isNarrow } from "../narrow.js";
import { panelsSvg } from "./panels.js";

/** @import { AxisName } from "../../chart/axis.js" */
/** @import { Line } from "../../chart/plot-data.js" */
/** @import { MetricChart } from "../../compare/lines.js" */
/** @import { Member } from "../../compare/members.js" */
/** @import { Run } from "../../lib/types" */
/** @import { Kind, Values } from "./index.js" */
/** @import { Panel } from "./panels.js" */

/** Points per curve: more than the figure has columns. */
const POINTS = 500;
/** A figure with a panel for each run has at most so many. */
const MAX_ALONE = 12;

/** The axes with their units. @type {{ [name in AxisName]: string }} */
const X_TITLES = { step: "Step", samples: "Samples seen", epoch: "Epoch", time: "Training time (s)" };
/** `sign`: the unit, where a title names the axis. */
const METRICS = [
  { id: "loss", sign: "" },
  { id: "accuracy", sign: " (%)" },
];

/** @type {Kind} */
export const curve = {
  kind: "curve",
  title: "Curves",
  about: "Loss and accuracy of one or several runs, in one panel or several",
  is: "figure",
  fields: [
    RUNS,
    {
      name: "series",
      label: "Shows",
      type: "several",
      value: "train_loss",
      start: "train_loss, validation_loss",
      options: CHARTS.map(({ series, title }) => [series, title]),
    },
    {
      name: "panels",
      label: "Panels",
      type: "choice",
      value: "metric",
      options: [
        ["metric", "Loss beside accuracy"],
        ["series", "One for each curve shown"],
        ["runs", "Each run alone, and all together"],
      ],
      help: "All panels of loss, or of accuracy, have the same scale.",
    },
    {
      name: "x",
      label: "Over",
      type: "choice",
      value: "",
      options: [["", "Automatic"], ...AXES.map(({ name, title }) => /** @type {[string, string]} */ ([name, title]))],
    },
    {
      name: "smoothing",
      label: "Smoothing of training curves",
      type: "number",
      value: "",
      min: 0,
      max: 0.999,
      help: "From 0 to 0.999. Empty: chosen by the length of the runs.",
    },
    {
      name: "scale",
      label: "Axis of the loss",
      type: "choice",
      value: "linear",
      options: [
        ["linear", "Linear"],
        ["log", "Logarithmic"],
      ],
    },
    {
      name: "outliers",
      label: "Outliers",
      type: "choice",
      value: "auto",
      options: [
        ["auto", "Cut off a leap of the loss"],
        ["in", "Show all"],
        ["out", "Cut off all"],
      ],
    },
    SEEDS,
  ],
  async draw(values, sources) {
    const runs = await sources.runsOf(values.runs);
    const named = chartsNamed(values.series);
    const axis = /** @type {AxisName} */ (values.x || axisFor(runs));
    const weightOf = (/** @type {Run} */ { summary }) =>
      values.smoothing === "" ? defaultSmoothing(Math.max(1, summary.steps ?? 0)) : Number(values.smoothing);
    const weights = runs.map(weightOf);
    const smoothing = Math.max(...weights);
    const metrics = await sources.metrics(runs, { series: SERIES, points: POINTS, smooth: smoothing });
    const view = defaultView(
      named.map(({ id }) => id),
      axis,
    );
    const lines = new Map(
      runs.flatMap((run) => {
        if (!metrics[run.id]) return [];
        const store = new RunStore();
        store.load(metrics[run.id], smoothing);
        const made = new RunLines(
          store,
          () => run,
          view,
          () => weightOf(run),
        );
        return [[run.id, made]];
      }),
    );
    // A run without validation has no such curve, and the caption does not name it.
    const has = (/** @type {MetricChart} */ { series }) =>
      [...lines.values()].some(({ store }) => store.series[series].x.length > 0);
    const charts = named.some(has) ? named.filter(has) : named;
    const members = membersFor(runs, values.seeds);
    if (values.panels === "runs" && members.length > MAX_ALONE)
      throw new FigureError(
        `${members.length} runs are too many for a panel each; choose at most ${MAX_ALONE}, or other panels.`,
      );
    const drawn = panelsOf(members, charts, values, {
      lines: (which, of) => memberLines(which, of, (id) => lines.get(id), smoothing).filter(({ length }) => length > 0),
      marks: (shown, of) =>
        of.flatMap((member) =>
          member.runs.flatMap((run) => lines.get(run.id)?.gaps(shown.map(({ series }) => series)) ?? []),
        ),
    });
    if (drawn.length === 0) throw new FigureError(`${titleOf(charts)} of ${runsTitle(runs)}: there are no points yet.`);
    const marks = drawn.flatMap((panel) => panel.marks);
    const { panels, cuts } = scaled(drawn, values);
    const mixed = charts.some(({ noisy }) => noisy) && charts.some(({ noisy }) => !noisy) && values.panels !== "series";
    const body = panelsSvg(panels, {
      xLabel: X_TITLES[axis],
      legend: members.length > 1 || !mixed ? drawn.flatMap((panel) => panel.named) : [],
      mixed,
      label: `${titleOf(charts)} of ${runsTitle(runs)}`,
      narrow: isNarrow(),
    });
    const smooth = charts.some(({ noisy }) => noisy) && smoothing > 0;
    const outside = panels.reduce((sum, { data }) => sum + data.outside, 0);
    const sentences = [
      `${titleOf(charts)} of ${runsTitle(runs)}, over ${AXES.find(({ name }) => name === axis)?.title.toLowerCase()}`,
      members.length < runs.length && "Lines are means over seeds, bands one standard deviation",
      smooth && `Training curves are smoothed by ${rangeText(weights)}`,
      values.smoothing !== "" && smoothing === 0 && "Every step is shown as it was, without smoothing",
      marks.length > 0 &&
        `A triangle marks values that are not finite, the first at step ${Math.min(...marks.map(({ step }) => step))}`,
      cuts.length > 0 ? `Cut off: ${cuts.join("; ")}` : outside > 0 && `${outside} points lie outside`,
    ];
    return {
      body,
      runs,
      caption: sentences
        .filter(Boolean)
        .map((sentence) => `${sentence}.`)
        .join(" "),
    };
  },
};

/** "0.75", or "0.75 to 0.97" where runs differ in length. @param {number[]} weights */
function rangeText(weights) {
  const [low, high] = [Math.min(...weights), Math.max(...weights)];
  return low === high ? String(low) : `${low} to ${high}, by their length`;
}

/** @param {string} names */
const chartsNamed = (names) => {
  const chosen = new Set(listOf(names));
  return CHARTS.filter(({ series }) => chosen.has(series));
};

/** @param {MetricChart} chart */
const metricOf = ({ series }) => METRICS[series.endsWith("accuracy") ? 1 : 0];

/** "Training and validation loss and accuracy". @param {MetricChart[]} charts */
export function titleOf(charts) {
  const sides = METRICS.flatMap((metric) => {
    const of = charts.filter((chart) => metricOf(chart) === metric);
    return of.length === 0
      ? []
      : [{ metric: metric.id, side: of.length > 1 ? "Training and validation" : of[0].title.split(" ")[0] }];
  });
  return sides.length === 2 && sides[0].side === sides[1].side
    ? `${sides[0].side} loss and accuracy`
    : sides.map(({ metric, side }, i) => `${i === 0 ? side : side.toLowerCase()} ${metric}`).join(", ");
}

/** A value that is not finite. @typedef {{ step: number, x: number }} Mark */

/**
 * A panel before its scale is known; `named`: the lines that its legend names.
 * @typedef {{ title: string, row: string, metric: typeof METRICS[number], lines: Line[], named: Line[], marks: Mark[]
 *   }} Drawn
 */

/**
 * The panels with their lines; `row` groups those that stand in one row.
 * @param {Member[]} members
 * @param {MetricChart[]} charts
 * @param {Values} values
 * @param {{
 *   lines: (which: MetricChart, members: Member[]) => Line[],
 *   marks: (shown: MetricChart[], members: Member[]) => Mark[],
 * }} find
 * @returns {Drawn[]}
 */
function panelsOf(members, charts, { panels }, find) {
  /** @type {(title: string, row: string, shown: MetricChart[], of: Member[]) => Drawn[]} */
  const panel = (title, row, shown, of) => {
    if (shown.length === 0) return [];
    const metric = metricOf(shown[0]);
    const lines = shown.flatMap((which) => {
      const found = find.lines(which, of);
      return shown.length > 1 ? found.filter(({ quiet }) => !quiet).map((line) => besides(line, which.noisy)) : found;
    });
    const named = find.lines(shown[0], of).filter(({ quiet }) => !quiet);
    if (lines.length === 0) return [];
    return [{ title, row, metric, lines, named, marks: find.marks(shown, of) }];
  };
  const byMetric = METRICS.map((metric) => charts.filter((chart) => metricOf(chart) === metric));
  if (panels === "series") return charts.flatMap((which) => panel(which.title, "all", [which], members));
  const together = byMetric.flatMap((shown) => panel("", "all", shown, members));
  if (panels !== "runs" || members.length < 2) return together;
  return [
    ...byMetric.flatMap((shown, i) => members.flatMap((member) => panel(member.label, METRICS[i].id, shown, [member]))),
    ...together.map((one) => ({ ...one, title: "All together" })),
  ];
}

/** A line that shares its panel with the other of training and validation. @param {Line} line @param {boolean} isTraining @returns {Line} */
const besides = (line, isTraining) =>
  isTraining ? { ...line, width: 1.1, alpha: 0.6, markers: false } : { ...line, width: 2 };

/** Whether values far from the others stretch the axis, as `plotData` takes it. @param {Values} values @param {string} metric */
function outliersOf({ outliers }, metric) {
  if (outliers === "auto") return metric === "loss" ? null : true;
  return outliers === "in";
}

/**
 * The panels' data, with one horizontal range for all and one vertical range for each metric; and what is cut off.
 * @param {Drawn[]} drawn
 * @param {Values} values
 * @returns {{ panels: Panel[], cuts: string[] }}
 */
function scaled(drawn, values) {
  const span = unionExtent(drawn.map(({ lines }) => xExtent(lines, false)));
  const plot = (
    /** @type {Line[]} */ lines,
    /** @type {string} */ metric,
    /** @type {[number, number] | null} */ yRange,
  ) =>
    plotData(lines, {
      range: null,
      yRange,
      logX: false,
      logY: metric === "loss" && values.scale === "log",
      pixels: POINTS,
      outliers: outliersOf(values, metric),
      span,
    });
  /** @type {string[]} */
  const cuts = [];
  const ranges = new Map(
    METRICS.map(({ id }) => {
      const all = drawn.filter(({ metric }) => metric.id === id).flatMap(({ lines }) => lines);
      const { y, cut, unit } = plot(all, id, null);
      if (cut) cuts.push(cutText(cut, (value) => inUnit(unit, value)));
      return [id, /** @type {[number, number]} */ ([y.min, y.max])];
    }),
  );
  const panels = drawn.map(({ title, row, metric, lines, marks }) => {
    // In a panel for each curve the title is the curve's.
    const named = values.panels === "series";
    // One panel keeps its own range, which tells how many points lie outside.
    const data = plot(lines, metric.id, drawn.length > 1 ? (ranges.get(metric.id) ?? null) : null);
    return { title: named ? `${title}${metric.sign}` : title, named, row, data, marks: marks.map(({ x }) => x) };
  });
  return { panels, cuts };
}
