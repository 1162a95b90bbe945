// The figure of a convolution's arithmetic: one value as a sum of products, forward or backward.

import { CONVOLUTIONS } from "../../inside/layer-names.js";
import { runName } from "../../lib/run-name.js";
import { backward, forward } from "../../inside/arithmetic.js";
import { FigureError } from "../block.js";
import { CHECKPOINT, checkpointWords, IMAGE, LAYER, layerOf, layerWords, RUN } from "./inspect.js";

/** @import { Arithmetic, GradientAt } from "../../lib/types" */
/** @import { Kind } from "./index.js" */

/** @type {Kind} */
export const arithmetic = {
  kind: "arithmetic",
  title: "Arithmetic of a convolution",
  about: "One value as a sum of products, forward or backward",
  is: "figure",
  fields: [
    RUN,
    LAYER,
    IMAGE,
    {
      name: "way",
      label: "Direction",
      type: "choice",
      value: "forward",
      options: [
        ["forward", "Forward: where the value comes from"],
        ["backward", "Backward: where its gradient goes"],
      ],
    },
    { name: "map", label: "Map", type: "number", value: "0", min: 0 },
    { name: "row", label: "Row", type: "number", value: "", min: 0, help: "Empty: the middle of the map." },
    { name: "column", label: "Column", type: "number", value: "", min: 0 },
    CHECKPOINT,
  ],
  async draw(values, sources) {
    const run = await sources.runOf(values.run);
    const { inside, layer } = await layerOf(run, values, sources);
    if (!CONVOLUTIONS.has(layer.kind))
      throw new FigureError(`${layer.name} is not a convolution; arithmetic is shown only for convolutions.`);
    const [, height, width] = layer.shape;
    const y = values.row === "" ? Math.floor(height / 2) : Number(values.row);
    const x = values.column === "" ? Math.floor(width / 2) : Number(values.column);
    const query = { map: values.map, y, x, image: values.image, checkpoint: values.checkpoint };
    const path = `layers/${encodeURIComponent(layer.name)}`;
    const place = `map ${values.map}, row ${y}, column ${x} of ${layerWords(inside, layer)} in “${runName(run)}” (${checkpointWords(run, values.checkpoint)})`;
    if (values.way === "forward") {
      /** @type {Arithmetic} */
      const of = await sources.inspect(run, `${path}/arithmetic`, query);
      return { body: forward(of, { all: true }), runs: [run], caption: `Forward: ${place} as a sum of products.` };
    }
    /** @type {GradientAt} */
    const of = await sources.inspect(run, `${path}/gradient`, query);
    return {
      body: backward(of, inside.classes[of.class] ?? "", { all: true }),
      runs: [run],
      caption: `Backward: the gradient at ${place}, and where it goes.`,
    };
  },
};
