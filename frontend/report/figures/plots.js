// The figures of scatter plots and parallel coordinates.

import { axesOf } from "../../compare/axes.js";
import { usesColourScale, parallelPicture } from "../../compare/parallel-picture.js";
import { COSTS } from "../../compare/costs.js";
import { accuracyOf, hasFront, scatterCard } from "../../compare/scatter.js";
import { s } from "../../lib/dom.js";
import { FigureError } from "../block.js";
import { listOf, runsTitle, membersFor, RUNS, SEEDS } from "./members.js";

/** @import { Kind } from "./index.js" */

const WIDTH = 760;
const GAP = 20;

/** @type {Kind} */
export const scatterFigure = {
  kind: "scatter",
  title: "Accuracy against cost",
  about: "Accuracy against time, memory and parameters, with the Pareto front",
  is: "figure",
  fields: [
    RUNS,
    {
      name: "cost",
      label: "Against",
      type: "several",
      value: "seconds",
      options: COSTS.map(({ id, title }) => [id, title]),
    },
    SEEDS,
  ],
  async draw(values, sources) {
    const runs = await sources.runsOf(values.runs);
    const members = membersFor(runs, values.seeds);
    const chosen = new Set(listOf(values.cost));
    const costs = COSTS.filter(({ id }) => chosen.has(id));
    const gain = accuracyOf(members);
    const plots = costs.map((cost) => scatterCard(members, cost, gain, { named: true }));
    if (plots.some(({ localName }) => localName !== "svg"))
      throw new FigureError(`${gain.title} of ${runsTitle(runs)} is not known yet.`);
    return {
      body: besides(/** @type {SVGSVGElement[]} */ (plots)),
      runs,
      caption: `${gain.title} against ${costs.map(({ title }) => title.toLowerCase()).join(" and ")} of ${runsTitle(runs)}.${costs.some((cost) => hasFront(members, cost, gain)) ? " The line is the Pareto front: no other run is both better and cheaper." : ""}`,
    };
  },
};

/** Plots in rows of two. @param {SVGSVGElement[]} plots */
function besides(plots) {
  const columns = Math.min(2, plots.length);
  const [, , width, height] = (plots[0].getAttribute("viewBox") ?? "").split(" ").map(Number);
  const whole = (WIDTH - GAP) / 2;
  plots.forEach((plot, i) => {
    const place = { x: (i % columns) * (whole + GAP), y: Math.floor(i / columns) * height, width: whole, height };
    for (const [name, value] of Object.entries(place)) plot.setAttribute(name, String(value));
    plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
    // The style of the class is that of a whole picture, which the one around is.
    plot.classList.remove("scatter");
    plot.setAttribute("overflow", "visible");
  });
  const rows = Math.ceil(plots.length / columns);
  return s(
    "svg",
    {
      viewBox: `0 0 ${columns === 1 ? whole : WIDTH} ${rows * height}`,
      class: `scatter columns-${columns}`,
      role: "group",
    },
    ...plots,
  );
}

/** @type {Kind} */
export const parallelFigure = {
  kind: "parallel",
  title: "Parallel coordinates",
  about: "Each run as a line through its settings and results",
  is: "figure",
  fields: [RUNS, SEEDS],
  async draw(values, sources) {
    const runs = await sources.runsOf(values.runs);
    const members = membersFor(runs, values.seeds);
    const axes = axesOf(members);
    if (members.length < 2 || axes.length < 2)
      throw new FigureError("Parallel coordinates need at least two different runs with results.");
    const colours = usesColourScale(members)
      ? ` Coloured by ${accuracyOf(members).title.toLowerCase()}, from dark to light.`
      : "";
    return {
      body: parallelPicture(members, axes, WIDTH),
      runs,
      caption: `From settings to outcome: ${runsTitle(runs)}.${colours}`,
    };
  },
};
