// The figures of scatter plots and parallel coordinates.

import { axesOf } from "../../compare/axes.js";
import { usesColourScale, parallelPicture } from "../../compare/parallel.js";
import { COSTS, accuracyOf, scatterCard } from "../../compare/scatter.js";
import { FigureError } from "../block.js";
import { runsTitle, membersFor, RUNS, SEEDS } from "./members.js";

/** @import { Kind } from "./index.js" */

const WIDTH = 760;

/** @type {Kind} */
export const scatterFigure = {
  kind: "scatter",
  title: "Accuracy against cost",
  about: "Accuracy against time, memory or parameters, with the Pareto front",
  is: "figure",
  fields: [
    RUNS,
    {
      name: "cost",
      label: "Cost",
      type: "choice",
      value: "seconds",
      options: COSTS.map(({ id, title }) => [id, title]),
    },
    SEEDS,
  ],
  async draw(values, sources) {
    const runs = await sources.runsOf(values.runs);
    const members = membersFor(runs, values.seeds);
    const cost = COSTS.find(({ id }) => id === values.cost) ?? COSTS[0];
    const gain = accuracyOf(members);
    const body = scatterCard(members, cost, gain, { named: true });
    if (body.localName !== "svg") throw new FigureError(`${gain.title} of ${runsTitle(runs)} is not known yet.`);
    return {
      body,
      runs,
      caption: `${gain.title} against ${cost.title.toLowerCase()} of ${runsTitle(runs)}. The line is the Pareto front: no other run is both better and cheaper.`,
    };
  },
};

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
