// The common parts of figures of a network's inside: layer, image, and pictures.

import { CONVOLUTIONS, inSentence } from "../../inside/layer-names.js";
import { h } from "../../lib/dom.js";
import { runName } from "../../lib/run-name.js";
import { FigureError } from "../block.js";

/** @import { Inside, Layer, Run } from "../../lib/types" */
/** @import { Sources } from "../sources.js" */
/** @import { Field } from "./index.js" */

/** @type {Field} */
export const RUN = { name: "run", label: "Run", type: "run" };

/** @type {Field} */
export const CHECKPOINT = {
  name: "checkpoint",
  label: "Weights",
  type: "checkpoint",
  value: "best",
};

/** Whether a checkpoint is a frame of the film, as the server names them. @param {string} checkpoint */
export const isFrame = (checkpoint) => /^(step-)?\d+$/.test(checkpoint);

/**
 * A checkpoint in words. A run without validation has no best epoch, and the server takes its last one.
 * @param {Run} run
 * @param {string} checkpoint
 */
export function checkpointWords({ summary }, checkpoint) {
  if (checkpoint === "0") return "before training";
  if (checkpoint.startsWith("step-")) return `after step ${checkpoint.slice(5)}`;
  if (isFrame(checkpoint)) return `after epoch ${checkpoint}`;
  if (checkpoint === "last" || summary.best_epoch === null) return "weights of the last epoch";
  return `weights of the best epoch, ${summary.best_epoch}`;
}

/** @type {Field} */
export const LAYER = {
  name: "layer",
  label: "Layer",
  type: "layer",
  value: "first convolution",
  help: "A layer's name, “first convolution” or “last convolution”.",
};

/** @type {Field} */
export const IMAGE = {
  name: "image",
  label: "Image",
  type: "image",
  value: "pinned",
  help: "The image pinned for the run's film, a sample or an uploaded one. An epoch of the film has the pinned one alone.",
};

/** What a layer is called, with its path. @param {Inside} inside @param {Layer} layer */
export function layerWords({ layers }, layer) {
  const words = inSentence(layers, layer);
  return words === layer.name ? words : `${words} (${layer.name})`;
}

/**
 * The inspection data of a run and the named layer.
 * @param {Run} run
 * @param {{ [name: string]: string }} values
 * @param {Sources} sources
 * @returns {Promise<{ inside: Inside, layer: Layer }>}
 */
export async function layerOf(run, values, sources) {
  /** @type {Inside} */
  const inside = await sources.inspect(run, "layers", { checkpoint: values.checkpoint });
  const convolutions = inside.layers.filter(({ kind }) => CONVOLUTIONS.has(kind));
  const named = { "first convolution": convolutions[0], "last convolution": convolutions[convolutions.length - 1] };
  const layer = Object.hasOwn(named, values.layer)
    ? named[/** @type {keyof typeof named} */ (values.layer)]
    : inside.layers.find(({ name }) => name === values.layer);
  if (!layer) throw new FigureError(`“${runName(run)}” has no layer “${values.layer}”.`);
  return { inside, layer };
}

/**
 * A canvas as an embedded image.
 * @param {HTMLCanvasElement} canvas
 * @param {string} words
 * @param {number} width in the page
 * @param {boolean} sharp whether to keep pixels sharp when enlarged
 */
export function canvasImage(canvas, words, width, sharp) {
  return h("img", {
    src: canvas.toDataURL("image/png"),
    alt: words,
    width,
    height: Math.round((canvas.height / canvas.width) * width),
    class: sharp ? "sharp" : undefined,
  });
}
