// The figure of loss or accuracy curves.

import { AXES } from "../../chart/axis.js";
import { plotData } from "../../chart/plot-data.js";
import { chartSvg } from "../../chart/svg.js";
import { defaultView, defaultSmoothing } from "../../chart/view.js";
import { axisFor, CHARTS, memberLines } from "../../compare/lines.js";
import { RunLines } from "../../run/lines.js";
import { RunStore, SERIES } from "../../run/store.js";
import { FigureError } from "../block.js";
import { runsTitle, membersFor, RUNS, SEEDS } from "./members.js";

/** @import { AxisName } from "../../chart/axis.js" */
/** @import { Kind } from "./index.js" */

const WIDTH = 760;
const HEIGHT = 380;
/** Points per curve: more than the figure has columns. */
const POINTS = 500;

/** Counts figures, to make their ids unique. */
let made = 0;

/** @type {Kind} */
export const curve = {
  kind: "curve",
  title: "Curves",
  about: "Loss or accuracy of one or several runs",
  is: "figure",
  fields: [
    RUNS,
    {
      name: "series",
      label: "Shows",
      type: "choice",
      value: "train_loss",
      options: CHARTS.map(({ series, title }) => [series, title]),
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
      label: "Smoothing",
      type: "number",
      value: "",
      min: 0,
      max: 0.999,
      help: "From 0 to 0.999. Empty: chosen by the length of the runs.",
    },
    {
      name: "scale",
      label: "Vertical axis",
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
      value: "in",
      options: [
        ["in", "Show"],
        ["out", "Cut off"],
      ],
    },
    SEEDS,
  ],
  async draw(values, sources) {
    const runs = await sources.runsOf(values.runs);
    const which = CHARTS.find(({ series }) => series === values.series) ?? CHARTS[0];
    const axis = /** @type {AxisName} */ (values.x || axisFor(runs));
    const longest = Math.max(1, ...runs.map(({ summary }) => summary.steps ?? 0));
    const smoothing = values.smoothing === "" ? defaultSmoothing(longest) : Number(values.smoothing);
    const metrics = await sources.metrics(runs, { series: SERIES, points: POINTS, smooth: smoothing });
    const view = defaultView([which.id], axis);
    const lines = new Map(
      runs.flatMap((run) => {
        if (!metrics[run.id]) return [];
        const store = new RunStore();
        store.load(metrics[run.id], smoothing);
        return [
          [
            run.id,
            new RunLines(
              store,
              () => run,
              view,
              () => smoothing,
            ),
          ],
        ];
      }),
    );
    const members = membersFor(runs, values.seeds);
    const drawn = memberLines(which, members, (id) => lines.get(id), smoothing).filter(({ length }) => length > 0);
    if (drawn.length === 0) throw new FigureError(`${which.title} of ${runsTitle(runs)}: there are no points yet.`);
    const picture = plotData(drawn, {
      range: null,
      yRange: null,
      logX: false,
      logY: values.scale === "log",
      pixels: WIDTH - 80,
      outliers: values.outliers === "in",
    });
    const marks = runs.flatMap((run) => lines.get(run.id)?.gaps([which.series]) ?? []);
    const xTitle = AXES.find(({ name }) => name === axis)?.title ?? "";
    made += 1;
    const svg = chartSvg(picture, {
      title: "",
      subtitle: "",
      xLabel: xTitle,
      width: WIDTH,
      height: HEIGHT,
      ink: "var(--ink)",
      faint: "var(--ink-2)",
      grid: "var(--grid)",
      page: "none",
      bad: "var(--bad)",
      font: "inherit",
      colour: (token) => `var(${token})`,
      marks: marks.map(({ x }) => x),
      id: String(made),
    });
    const body = /** @type {Element} */ (
      document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true)
    );
    const seeds = members.length < runs.length ? " Lines are means over seeds, bands one standard deviation." : "";
    const smooth = which.noisy && smoothing > 0 ? ` Smoothed by ${smoothing}.` : "";
    const gaps =
      marks.length > 0
        ? ` A triangle marks values that are not finite, the first at step ${Math.min(...marks.map(({ step }) => step))}.`
        : "";
    const outside = picture.outside > 0 ? ` ${picture.outside} points lie outside.` : "";
    body.setAttribute("role", "img");
    body.setAttribute("aria-label", `${which.title} of ${runsTitle(runs)}`);
    return {
      body,
      runs,
      caption: `${which.title} of ${runsTitle(runs)}, over ${xTitle.toLowerCase()}.${seeds}${smooth}${gaps}${outside}`,
    };
  },
};
