// A small picture of a network: a block for each stage of its layers, as high as the results are and the wider the more
// channels they have, and a bar for each vector.

import { s } from "../lib/dom.js";
import { plural } from "../lib/format.js";

/** @import { Stage } from "./types" */

const HEIGHT = 36;
const GAP = 3;
const MIN_SIDE = 5;
const BAR = 4;
/** A block is so wide for each doubling of its channels, and a bar so high for each doubling of its values. */
const PER_CHANNELS = 2;
const PER_VALUES = 2.6;

/**
 * The blocks from left to right, in pixels.
 * @param {Stage[]} stages
 * @returns {{ x: number, width: number, height: number, isVector: boolean, layers: number }[]}
 */
export function blocksOf(stages) {
  let x = 0;
  return stages.map(({ shape, layers }) => {
    const isVector = shape.length === 1;
    const width = isVector ? BAR : 4 + PER_CHANNELS * Math.log2(shape[0] + 1);
    const height = heightOf(shape, stages);
    const block = { x, width, height, isVector, layers };
    x += width + GAP;
    return block;
  });
}

/** How high a result is drawn, in pixels. @param {number[]} shape @param {Stage[]} stages of its network */
export function heightOf([size, side], stages) {
  if (side === undefined) return Math.min(HEIGHT, MIN_SIDE + PER_VALUES * Math.log2(size));
  const highest = Math.max(1, ...stages.map(({ shape }) => shape[1] ?? 1));
  // By the square root, or the last stages of an image could not be seen.
  return Math.max(MIN_SIDE, HEIGHT * Math.sqrt(side / highest));
}

/** What the picture shows, in words. @param {Stage[]} stages */
export const stagesInWords = (stages) =>
  stages
    .map(({ shape, layers }) =>
      layers === 0
        ? `${shape.join(" × ")} in`
        : `${shape.length > 1 ? `${plural(layers, "layer")} of ` : ""}${shape.join(" × ")}`,
    )
    .join(", ");

/** @param {Stage[]} stages */
export function thumbnail(stages) {
  const blocks = blocksOf(stages);
  const last = blocks[blocks.length - 1];
  const width = last ? last.x + last.width : 0;
  return s(
    "svg",
    {
      class: "network-thumbnail",
      viewBox: `0 0 ${width} ${HEIGHT}`,
      width,
      height: HEIGHT,
      role: "img",
      "aria-label": stagesInWords(stages),
    },
    s("title", {}, stagesInWords(stages)),
    ...blocks.map(({ x, width, height, isVector, layers }) =>
      s("rect", {
        class: layers === 0 ? "is-input" : isVector ? "is-vector" : "is-map",
        x,
        y: (HEIGHT - height) / 2,
        width,
        height,
        rx: 1.5,
      }),
    ),
  );
}
