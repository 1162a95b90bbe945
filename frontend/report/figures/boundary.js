// The figure of a decision boundary on 2-D data.

import { getBoundary, getPoints } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { printColour } from "../../lib/theme.js";
import { runName } from "../../lib/run-name.js";
import { decodeBoundary } from "../../run/grid.js";
import { drawToy2d } from "../../run/toy2d.js";
import { FigureError } from "../block.js";
import { canvasImage, RUN } from "./inspect.js";

/** @import { Kind } from "./index.js" */

/** The size of a single picture, and of one of several. */
const SIDE = 360;
const SMALL = 224;
/** Pixels per CSS pixel, for high-density screens and print. */
const RATIO = 2;
const MAX_EPOCHS = 12;
const MAX_COLUMNS = 4;
/** The markers of the classes. */
const MARKER_NAMES = [
  "circles",
  "squares",
  "triangles",
  "diamonds",
  "pentagons",
  "triangles that point down",
  "hexagons",
  "crosses",
];

/** The columns of rows of equal length. @param {number} many */
const columnsOf = (many) => Math.ceil(many / Math.ceil(many / MAX_COLUMNS));

/** @type {Kind} */
export const boundary = {
  kind: "boundary",
  title: "Decision boundary",
  about: "Decision boundary on 2-D data after one or several epochs",
  is: "figure",
  fields: [
    RUN,
    {
      name: "epoch",
      label: "After epochs",
      type: "text",
      value: "",
      help: "For example 0, 1, best, last; 0 is before training. Empty: the last epoch.",
    },
  ],
  async draw(values, sources) {
    const run = await sources.runOf(values.run);
    const wanted = values.epoch.split(/[\s,]+/).filter(Boolean);
    for (const epoch of wanted)
      if (!/^(\d{1,9}|best|last)$/.test(epoch))
        throw new FigureError(
          `epoch must be comma-separated whole numbers from 0, best or last, not “${values.epoch}”.`,
        );
    if (wanted.length > MAX_EPOCHS)
      throw new FigureError(`epoch names ${wanted.length} epochs; at most ${MAX_EPOCHS} fit.`);
    const { points, classes } = await sources.once("points", [run], () => getPoints(run.id));
    const side = wanted.length > 1 ? SMALL : SIDE;
    const pictures = await Promise.all(
      (wanted.length > 0 ? wanted : ["last"]).map(async (word) => {
        const best = word === "best" ? run.summary.best_epoch : null;
        const epoch = /^\d+$/.test(word) ? Number(word) : (best ?? /** @type {const} */ ("latest"));
        const { boundary: found } = await sources.once(`boundary ${epoch}`, [run], () => getBoundary(run.id, epoch));
        if (!found) throw new FigureError(`“${runName(run)}” has no boundary yet.`);
        const grid = decodeBoundary(found);
        const canvas = h("canvas");
        drawToy2d(
          canvas,
          {
            domain: { x: grid.x, y: grid.y },
            grid,
            points,
            splits: new Set(/** @type {const} */ (["train", "validation", "test"])),
          },
          { width: side, height: side, ratio: RATIO, ink: printColour, axes: wanted.length < 2 },
        );
        const when = found.epoch === 0 ? "before training" : `after epoch ${found.epoch}`;
        return { when, picture: canvasImage(canvas, `Decision boundary of “${runName(run)}” ${when}`, side, false) };
      }),
    );
    const [{ when, picture }] = pictures;
    const several = pictures.length > 1;
    const body = several
      ? h(
          "div",
          { class: "picture-row", vars: { columns: columnsOf(pictures.length) } },
          ...pictures.map((one) => h("figure", {}, one.picture, h("figcaption", {}, one.when))),
        )
      : picture;
    const present = [...new Set(points.map((point) => point.class))].sort((a, b) => a - b);
    const names = present.map((of) => `${classes?.[of] ?? `class ${of}`} (${MARKER_NAMES[of % MARKER_NAMES.length]})`);
    return {
      body,
      runs: [run],
      caption: `Points and decision boundary of “${runName(run)}”${several ? "" : ` ${when}`}: ${names.join(", ")}. Hollow points are of the validation split, points with a dark rim of the test split.`,
    };
  },
};
