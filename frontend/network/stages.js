// A network at a glance, above its layers: a block for each stage, as high as the results are and the wider the more
// channels they have. Pressing one leads to the line that makes it. A network of linear layers is drawn as its neurons.

import { h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { columnsOf } from "./dense.js";
import { neurons } from "./neurons.js";
import { branchesOfStages, poolsAfter } from "./stage-layers.js";
import { blocksOf, heightOf } from "./thumbnail.js";

/** @import { CheckedLayer, CheckedNetwork, Stage } from "./types" */

/** How much larger than in the list the blocks are, and how wide one of a few convolutions is beside a block. */
const ZOOM = 1.6;
const OF_BLOCK = 0.55;
/** A stage has so many parts at most. */
const MOST_PARTS = 4;
/** Pixels between its blocks, for the ends of their skips, and between its convolutions. */
const SKIP_GAP = 8;
const CONVOLUTION_GAP = 2;
/** Names of branches in a line. */
const NAMES = 2;

/** @param {(line: number) => void} onGo */
export function networkStages(onGo) {
  const element = h("ol", { class: "stages", "aria-label": "Stages" });
  return {
    element,
    /** @param {CheckedNetwork} network @returns {string[]} the kinds of layers that are drawn */
    show(network) {
      const columns = columnsOf(network);
      element.classList.toggle("of-neurons", columns !== null);
      if (columns) {
        element.replaceChildren(...neurons(columns, network.layers[0].shape, onGo));
        return ["linear"];
      }
      const { stages, layers } = network;
      const blocks = blocksOf(stages);
      const branches = branchesOfStages(stages, layers);
      const pools = poolsAfter(stages, layers);
      element.replaceChildren(
        ...stages.map((stage, at) => {
          const block = h(
            "span",
            { class: "stage-block" },
            blockOf(stage, blocks[at], branches[at]),
            pools[at].map((pool) => poolBar(pool, stages)),
          );
          const face = [block, ...shapeOf(stage, at === stages.length - 1, branches[at])];
          const title = stage.layers > 0 ? titleOf(stage, branches[at]) : "A sample";
          return h(
            "li",
            {},
            stage.line > 0
              ? h("button", { type: "button", title, on: { click: () => onGo(stage.line) } }, ...face)
              : h("span", { class: "stage", title }, ...face),
          );
        }),
      );
      return [
        ...new Set(
          stages.filter(({ layers: of }) => of > 0).map(({ shape }) => (shape.length > 1 ? "convolution" : "linear")),
        ),
      ];
    },
  };
}

/**
 * A block: of a slice for each branch, or of a part for each skip, with a line around it, or for each
 * convolution.
 * @param {Stage} stage @param {{ width: number, height: number }} size @param {string[]} branches what each does
 */
function blockOf(stage, { width, height }, branches) {
  const gap = stage.skips > 0 ? SKIP_GAP : CONVOLUTION_GAP;
  const parts = Array.from({ length: partsOf(stage) }, () => {
    const slices = (stage.branches.length > 0 ? stage.branches : [1]).map((channels, at) => {
      const slice = h("i", { class: branches[at] === "pool" ? "is-pool" : kindOf(stage) });
      // By the square root, or a slim branch could not be seen.
      slice.style.flexGrow = String(Math.sqrt(channels));
      return slice;
    });
    return h("span", { class: "stage-slices" }, slices, stage.skips > 0 && h("span", { class: "stage-skip" }));
  });
  const around = stage.long_skips > 0 && h("span", { class: "stage-skip is-long" });
  const block = h("span", { class: "stage-parts" }, parts, around);
  // A part is as wide as its channels are many, whatever there are beside it.
  const part = ZOOM * width * (isOfConvolutions(stage) ? OF_BLOCK : 1);
  block.style.gap = `${gap}px`;
  block.style.setProperty("--width", `${part * parts.length + gap * (parts.length - 1)}px`);
  block.style.height = `${ZOOM * height}px`;
  return block;
}

/** A pool behind a block, as high as its result. @param {CheckedLayer} pool @param {Stage[]} stages */
function poolBar({ operation, shape }, stages) {
  const bar = h("i", { class: "stage-pool", title: `${operation}: ${shape.join(" × ")}` });
  bar.style.height = `${ZOOM * heightOf(shape.length > 1 ? shape : [shape[0], 1], stages)}px`;
  return bar;
}

/** Whether a stage is a few convolutions one after another. @param {Stage} stage */
const isOfConvolutions = ({ shape, layers, skips, branches }) =>
  shape.length > 1 && layers > 0 && layers <= MOST_PARTS && skips === 0 && branches.length === 0;

/** @param {Stage} stage */
const partsOf = (stage) => (isOfConvolutions(stage) ? stage.layers : Math.max(1, Math.min(stage.skips, MOST_PARTS)));

/** @param {Stage} stage @param {string[]} words what its branches do */
function titleOf({ layers, shape, branches }, words) {
  const of = branches.map((channels, at) => `${channels} (${words[at] ?? "a branch"})`);
  const joined = branches.length > 0 ? `; channels of its branches: ${of.join(" + ")}` : "";
  return `${plural(layers, "layer")}: ${shape.join(" × ")}${joined}`;
}

/** @param {Stage} stage @param {string[]} names of its branches */
function joinsOf({ skips, long_skips: long, branches }, names) {
  if (skips > 0) return plural(skips, "skip") + (long > 0 ? `\n${long} long` : "");
  if (branches.length === 0) return "";
  if (names.length === 0 || names.length > 2 * NAMES) return plural(branches.length, "branch", "branches");
  return `${names.slice(0, NAMES).join(" · ")}\n${names.slice(NAMES).join(" · ")}`;
}

/**
 * The shape in short lines: how many channels or values, how large, and how its blocks are joined.
 * @param {Stage} stage @param {boolean} isLast @param {string[]} names of its branches
 */
function shapeOf(stage, isLast, names) {
  const [size, ...plane] = stage.shape;
  const joins = joinsOf(stage, names);
  return [
    h("b", {}, stage.layers > 0 ? String(size) : "Input"),
    h("small", {}, plane.length > 0 ? plane.join("×") : isLast && "classes"),
    joins && h("small", { class: stage.skips > 0 ? "stage-joins" : "stage-joins of-branches" }, joins),
  ];
}

/** @param {Stage} stage */
function kindOf({ shape, layers }) {
  if (layers === 0) return "is-input";
  return shape.length > 1 ? "is-map" : "is-vector";
}
