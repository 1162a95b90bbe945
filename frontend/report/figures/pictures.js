// The figures of filters, of feature maps, and of an image with its prediction.

import { FEATURES, FILTERS } from "../../inside/panel-kinds.js";
import { crossOutDead, showLegend } from "../../inside/sheet.js";
import { inspectPicture } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { formatNumber, percent } from "../../lib/format.js";
import { runName } from "../../lib/run-name.js";
import { FigureError } from "../block.js";
import {
  CHECKPOINT,
  IMAGE,
  LAYER,
  layerOf,
  layerWords,
  canvasImage,
  checkpointWords,
  isFrame,
  RUN,
} from "./inspect.js";

/** @import { Layer, Prediction, Sheet } from "../../lib/types" */
/** @import { Sources } from "../sources.js" */
/** @import { Drawn, Field, Kind, Values } from "./index.js" */

/** Maximum width of an enlarged picture. */
const WIDTH = 640;
/** Number of predicted classes shown. */
const MAX_CLASSES = 5;

/** @type {Field} */
const SCALE = {
  name: "scale",
  label: "Colours span",
  type: "choice",
  value: "tile",
  options: [
    ["tile", "Each tile"],
    ["layer", "The layer"],
    ["network", "The network"],
  ],
};

/** @type {Field} */
const PAGE = { name: "page", label: "Page", type: "number", value: "0", min: 0, max: 100000 };

/** @type {Kind} */
export const filters = {
  kind: "filters",
  title: "Filters",
  about: "The learnt filters of a convolution",
  is: "figure",
  fields: [
    RUN,
    LAYER,
    SCALE,
    {
      name: "sort",
      label: "Order",
      type: "choice",
      value: "norm",
      options: [
        ["norm", "Largest first"],
        ["index", "In order"],
      ],
    },
    CHECKPOINT,
    PAGE,
  ],
  draw: (values, sources) => sheet(values, sources, FILTERS, { sort: values.sort }),
};

/** @type {Kind} */
export const features = {
  kind: "features",
  title: "Feature maps",
  about: "The response of a layer to an image",
  is: "figure",
  fields: [
    RUN,
    LAYER,
    IMAGE,
    SCALE,
    {
      name: "sort",
      label: "Order",
      type: "choice",
      value: "mean",
      options: [
        ["mean", "Most active first"],
        ["index", "In order"],
      ],
    },
    CHECKPOINT,
    PAGE,
  ],
  draw: (values, sources) =>
    sheet(values, sources, FEATURES, {
      sort: values.sort,
      // A frame of the film has one image.
      ...(isFrame(values.checkpoint) ? {} : { image: values.image }),
    }),
};

/**
 * @param {Values} values
 * @param {Sources} sources
 * @param {typeof FILTERS} kind
 * @param {{ [name: string]: string }} own
 * @returns {Promise<Drawn>}
 */
async function sheet(values, sources, kind, own) {
  const run = await sources.runOf(values.run);
  const { inside, layer } = await layerOf(run, values, sources);
  if (!kind.has(layer)) throw new FigureError(`${layer.name}: ${kind.none}`);
  const query = { scale: values.scale, page: values.page, checkpoint: values.checkpoint, ...own };
  const what = `layers/${encodeURIComponent(layer.name)}/${kind.what}`;
  /** @type {[Sheet, ImageBitmap]} */
  const [about, picture] = await Promise.all([
    sources.inspect(run, what, query),
    sources.once(`${what}.png ${JSON.stringify(query)}`, [run], async () =>
      createImageBitmap(await inspectPicture(run.id, `${what}.png`, query)),
    ),
  ]);
  const canvas = h("canvas", { width: picture.width, height: picture.height });
  const ctx = canvas.getContext("2d");
  ctx?.drawImage(picture, 0, 0);
  if (ctx) crossOutDead(ctx, about);
  const times = Math.max(1, Math.min(3, Math.floor(WIDTH / picture.width)));
  const title = `${kind.title(layer)} of ${layerWords(inside, layer)}`;
  const legend = h("div", { class: "legend-bar" });
  showLegend(legend, about, about.tiles[0]);
  const shown = about.tiles.length < about.total ? ` ${about.tiles.length} of ${about.total} are shown.` : "";
  const dead = about.tiles.filter(({ constant }) => constant).length;
  const crossed =
    dead > 0 ? ` ${dead} that ${dead === 1 ? "is" : "are"} constant ${dead === 1 ? "is" : "are"} crossed out.` : "";
  const own_scale =
    about.range || about.kind === "picture" ? "" : " Each tile has its own scale; the legend is the first one's.";
  return {
    body: canvasImage(canvas, `${title} in “${runName(run)}”`, picture.width * times, true),
    runs: [run],
    note: legend,
    caption: `${title} in “${runName(run)}”, ${checkpointWords(run, values.checkpoint)}. ${captionOf(kind, about, layer)}${shown}${crossed}${own_scale}`,
  };
}

/**
 * The caption of the inspection page, without instructions for clicking.
 * @param {typeof FILTERS} kind
 * @param {Sheet} about
 * @param {Layer} layer
 */
function captionOf(kind, about, layer) {
  const words = kind.caption(about, layer, /** @type {any} */ ({ filter: null }));
  return words.replace(/ Click [^.]*\./g, "").trim();
}

/** @type {Kind} */
export const photo = {
  kind: "photo",
  title: "Image and prediction",
  about: "An image as the network sees it, and the predicted classes",
  is: "figure",
  fields: [RUN, IMAGE, CHECKPOINT],
  async draw(values, sources) {
    const run = await sources.runOf(values.run);
    const query = { image: values.image, checkpoint: values.checkpoint };
    /** @type {Prediction} */
    const { top, image } = await sources.inspect(run, "predict", query);
    const picture = await sources.once(`image ${values.image}`, [run], async () =>
      createImageBitmap(await inspectPicture(run.id, `images/${encodeURIComponent(values.image)}.png`, {})),
    );
    const canvas = h("canvas", { width: picture.width, height: picture.height });
    canvas.getContext("2d")?.drawImage(picture, 0, 0);
    const truth =
      image.truth === null
        ? null
        : (top.find((scored) => scored.class === image.truth)?.name ?? run.summary.classes?.[image.truth] ?? null);
    const rows = top
      .slice(0, MAX_CLASSES)
      .map(({ name, probability, score }) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, name),
          h("td", { class: "number" }, probability === null ? formatNumber(score) : percent(probability)),
        ),
      );
    const body = h(
      "div",
      { class: "photo" },
      canvasImage(canvas, `The image as “${runName(run)}” sees it`, 192, true),
      h(
        "table",
        { class: "compare-table" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "Class"),
            h("th", { scope: "col", class: "number" }, top[0]?.probability === null ? "Score" : "Probability"),
          ),
        ),
        h("tbody", {}, ...rows),
      ),
    );
    return {
      body,
      runs: [run],
      caption: `The image as “${runName(run)}” sees it, ${picture.width}×${picture.height}, and what it takes it for${truth === null ? "" : `; it is “${truth}”`} (${checkpointWords(run, values.checkpoint)}).`,
    };
  },
};
