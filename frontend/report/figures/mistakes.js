// The figure of the mistakes of which a network is most certain.

import { inspectPicture } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { formatNumber, percent, plural } from "../../lib/format.js";
import { runName } from "../../lib/run-name.js";
import { isOfImages } from "../../run/pages.js";
import { FigureError } from "../block.js";
import { evaluationOf, SPLIT, SPLIT_WORDS } from "./confusion.js";
import { canvasImage, CHECKPOINT, checkpointWords, isFrame, RUN } from "./inspect.js";

/** @import { Kind } from "./index.js" */

const SIDE = 84;
const MOST = 60;

/** @type {Kind} */
export const mistakes = {
  kind: "mistakes",
  title: "Mistakes",
  about: "The images of which the network is most certain, and wrong",
  is: "figure",
  fields: [RUN, SPLIT, { name: "many", label: "Images", type: "number", value: "14", min: 1, max: MOST }, CHECKPOINT],
  async draw(values, sources) {
    const run = await sources.runOf(values.run);
    if (isFrame(values.checkpoint))
      throw new FigureError("Mistakes are found with the best or the last weights; the film has no weights.");
    if (!isOfImages(run)) throw new FigureError(`“${runName(run)}” is not trained on images.`);
    const { split, checkpoint } = values;
    const { mistakes: all, classes, scores } = await evaluationOf(run, { split, checkpoint }, sources);
    if (all.length === 0) throw new FigureError(`“${runName(run)}” makes no mistakes on ${SPLIT_WORDS[split]}.`);
    const shown = all.slice(0, Math.round(Number(values.many)));
    const sure = scores === "margins" ? formatNumber : percent;
    const pictures = await Promise.all(
      shown.map(async ({ index, truth, predicted, confidence }) => {
        const image = `${split}:${index}`;
        const picture = await sources.once(`image ${image}`, [run], async () =>
          createImageBitmap(await inspectPicture(run.id, `images/${encodeURIComponent(image)}.png`, {})),
        );
        const canvas = h("canvas", { width: picture.width, height: picture.height });
        canvas.getContext("2d")?.drawImage(picture, 0, 0);
        const words = `${classes[truth]} taken for ${classes[predicted]}`;
        return h(
          "figure",
          {},
          canvasImage(canvas, `${words}, ${sure(confidence)} sure`, SIDE, true),
          h(
            "figcaption",
            {},
            h("span", {}, `${classes[truth]} → ${classes[predicted]}`),
            h("small", {}, sure(confidence)),
          ),
        );
      }),
    );
    return {
      body: h("div", { class: "picture-row mistakes-row" }, ...pictures),
      runs: [run],
      caption: `${plural(shown.length, "mistake")} of “${runName(run)}” on ${SPLIT_WORDS[split]} (${checkpointWords(run, checkpoint)}), the most confident first: true class → predicted class, and how sure the network is.`,
    };
  },
};
