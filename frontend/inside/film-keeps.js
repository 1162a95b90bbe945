// What a frame of the film keeps of a layer: nothing, a part of its tiles or of their values, or all of it. Asked before
// its pictures are, since those that are not kept are refused.

import { numbers } from "./cache.js";

/** @import { FrameAbout, Layer, Sheet } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

/** @typedef {"nothing" | "part" | "all"} Kept */

/**
 * @param {InsideContext} context
 * @param {string} frame
 * @param {Layer} layer
 * @param {"filters" | "features"} what
 * @returns {Promise<Kept>}
 */
export async function keptIn(context, frame, layer, what) {
  if (!(await isIn(context, frame, layer, what))) return "nothing";
  const { run, query, stamp } = context.of(frame);
  /** @type {Sheet} */
  const about = await numbers(run, `layers/${encodeURIComponent(layer.name)}/${what}`, { ...query }, stamp);
  return about.reduced ? "part" : "all";
}

/**
 * Whether a frame has a picture of a layer.
 * @param {InsideContext} context
 * @param {string} frame
 * @param {Layer} layer
 * @param {"filters" | "features"} what
 */
export async function isIn(context, frame, layer, what) {
  const { run, query, stamp } = context.of(frame);
  /** @type {FrameAbout} */
  const { layers } = await numbers(run, `film/${frame}`, { v: query.v }, stamp);
  return layers[what].includes(layer.name);
}
