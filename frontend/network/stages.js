// A network at a glance, above its layers: a block for each stage, as high as the results are and the wider the more
// channels they have. Pressing one leads to the line that makes it. A network of linear layers is drawn as its neurons.

import { h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { columnsOf } from "./dense.js";
import { neurons } from "./neurons.js";
import { blocksOf } from "./thumbnail.js";

/** @import { CheckedNetwork, Stage } from "./types" */

/** How much larger than in the list the blocks are. */
const ZOOM = 1.6;

/** @param {(line: number) => void} onGo */
export function networkStages(onGo) {
  const element = h("ol", { class: "stages", "aria-label": "Stages" });
  return {
    element,
    /** @param {CheckedNetwork} network */
    show(network) {
      const columns = columnsOf(network);
      element.classList.toggle("of-neurons", columns !== null);
      if (columns) {
        element.replaceChildren(...neurons(columns, network.layers[0].shape, onGo));
        return;
      }
      const { stages } = network;
      const blocks = blocksOf(stages);
      element.replaceChildren(
        ...stages.map((stage, at) => {
          const block = h("span", { class: "stage-block" }, blockOf(stage, blocks[at]));
          const face = [block, ...shapeOf(stage, at === stages.length - 1)];
          const title = stage.layers > 0 ? titleOf(stage) : "A sample";
          return h(
            "li",
            {},
            stage.line > 0
              ? h("button", { type: "button", title, on: { click: () => onGo(stage.line) } }, ...face)
              : h("span", { class: "stage", title }, ...face),
          );
        }),
      );
    },
  };
}

/**
 * A block: of a slice for each branch, with a line around it for a skip.
 * @param {Stage} stage @param {{ width: number, height: number }} size
 */
function blockOf(stage, { width, height }) {
  const slices = (stage.branches.length > 0 ? stage.branches : [1]).map((channels) => {
    const slice = h("i", { class: kindOf(stage) });
    // By the square root, or a slim branch could not be seen.
    slice.style.flexGrow = String(Math.sqrt(channels));
    return slice;
  });
  const block = h("span", { class: "stage-slices" }, slices, stage.skips > 0 && h("span", { class: "stage-skip" }));
  block.style.width = `${ZOOM * width}px`;
  block.style.height = `${ZOOM * height}px`;
  return block;
}

/** @param {Stage} stage */
function titleOf({ layers, shape, branches }) {
  const joined = branches.length > 0 ? `; ${branches.join(" + ")} channels of its branches` : "";
  return `${plural(layers, "layer")}: ${shape.join(" × ")}${joined}`;
}

/** @param {Stage} stage */
function joinsOf({ skips, branches }) {
  if (skips > 0) return plural(skips, "skip");
  return branches.length > 0 ? plural(branches.length, "branch", "branches") : "";
}

/**
 * The shape in short lines: how many channels or values, how large, and how its blocks are joined.
 * @param {Stage} stage @param {boolean} isLast
 */
function shapeOf(stage, isLast) {
  const [size, ...plane] = stage.shape;
  const joins = joinsOf(stage);
  return [
    h("b", {}, stage.layers > 0 ? String(size) : "Input"),
    h("small", {}, plane.length > 0 ? plane.join("×") : isLast && "classes"),
    joins && h("small", { class: "stage-joins" }, joins),
  ];
}

/** @param {Stage} stage */
function kindOf({ shape, layers }) {
  if (layers === 0) return "is-input";
  return shape.length > 1 ? "is-map" : "is-vector";
}
