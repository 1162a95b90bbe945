// A network at a glance, above its layers: a block for each stage, as high as the results are and the wider the more
// channels they have. Pressing one leads to the line that makes it. A network of linear layers is drawn as its neurons.

import { h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { branchesOf, isProjected } from "./branches.js";
import { columnsOf } from "./dense.js";
import { convolutionsOf } from "./kinds.js";
import { neurons } from "./neurons.js";
import { layersOfStages } from "./stage-layers.js";
import { blocksOf, heightOf } from "./thumbnail.js";

/** @import { CheckedLayer, CheckedNetwork, Stage } from "./types" */
/** @import { Branch } from "./branches.js" */

/** How much larger than in the list the blocks are, and how wide one of their convolutions is. */
const ZOOM = 1.6;
const OF_CONVOLUTION = 0.45;
/** A stage is drawn with so many blocks at most, and a block with so many convolutions; more are one. */
const MOST_BLOCKS = 4;
const MOST_CONVOLUTIONS = 5;
/** Pixels between blocks, for the ends of their skips, and between convolutions. */
const SKIP_GAP = 10;
const CONVOLUTION_GAP = 2;
/** Where all blocks together are wider than this, they are drawn narrower. */
const MOST_WIDTH = 400;
/** How much larger blocks of branches are drawn. */
const OF_BRANCHES = 1.9;

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
      const joins = branchesOf(layers);
      const branches = stages.map(({ concat }) => (concat === null ? [] : (joins.get(concat) ?? [])));
      const own = layersOfStages(stages, layers);
      const zoom = ZOOM * (stages.some(({ concat }) => concat !== null) ? OF_BRANCHES : 1);
      const drawn = stages.map((stage, at) => {
        const size = { width: zoom * blocks[at].width, height: zoom * blocks[at].height };
        const skips = stage.skips.map((place) => isProjected(joins.get(place) ?? []));
        return blocksOfStage(stage, own[at].weighted, size, branches[at], skips);
      });
      element.style.setProperty("--zoom", String(zoom / ZOOM));
      const all = drawn.reduce((sum, { width }) => sum + width, 0);
      element.style.setProperty("--fit", String(Math.min(1, MOST_WIDTH / all)));
      element.replaceChildren(
        ...stages.map((stage, at) => {
          const block = h(
            "span",
            { class: "stage-block" },
            drawn[at].element,
            own[at].pools.map((pool) => poolBar(pool, stages, zoom)),
          );
          const face = [block, ...shapeOf(stage, at === stages.length - 1, own[at].pools)];
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
      return kindsOf(stages);
    },
  };
}

/** @param {Stage[]} stages */
function kindsOf(stages) {
  const kinds = stages.flatMap(({ layers, shape, skips, concat }) => [
    layers > 0 && (shape.length > 1 ? "convolution" : "linear"),
    skips.length > 0 && "sum",
    concat !== null && "join",
  ]);
  return kinds.filter((kind) => kind !== false);
}

/**
 * The blocks of a stage: one for each skip, with a line around it. A block has a bar for each of a few convolutions, or a
 * slice for each branch.
 * @param {Stage} stage @param {CheckedLayer[]} weighted @param {{ width: number, height: number }} size @param {Branch[]} branches
 * @param {boolean[]} skips whether each has a convolution
 */
function blocksOfStage(stage, weighted, { width, height }, branches, skips) {
  const blocks = Math.max(1, Math.min(skips.length, MOST_BLOCKS));
  const isOfConvolutions = stage.layers > 0 && stage.shape.length > 1 && branches.length === 0;
  const projected = skips.filter(Boolean).length;
  const { amount } = convolutionsOf(weighted, { skips: skips.length + stage.long_skips.length, projected });
  const convolutions = isOfConvolutions ? Math.round(amount / blocks) : 0;
  const isOfBars = convolutions > 0 && convolutions <= MOST_CONVOLUTIONS;
  const bars = isOfBars ? convolutions : 1;
  // A bar is as wide as its channels are many, whatever there is beside it.
  const wide = isOfBars ? bars * OF_CONVOLUTION * width + (bars - 1) * CONVOLUTION_GAP : width;
  const all = blocks * wide + (blocks - 1) * SKIP_GAP;
  const element = h(
    "span",
    { class: "stage-blocks", vars: { width: `${all}px`, gap: `${SKIP_GAP}px` } },
    Array.from({ length: blocks }, (_, at) =>
      h(
        "span",
        { class: "stage-bars" },
        Array.from({ length: bars }, () => slicesOf(stage, branches)),
        skips.length > 0 && h("span", { class: "stage-skip" }, skips[at] && h("i", { class: "is-map" })),
      ),
    ),
    stage.long_skips.length > 0 && h("span", { class: "stage-skip is-long" }),
  );
  element.style.setProperty("--height", `${height}px`);
  element.style.setProperty("--slices", String(branches.length));
  return { element, width: all };
}

/**
 * A bar, of a slice for each branch, which has its convolutions and pools one after another.
 * @param {Stage} stage @param {Branch[]} branches
 */
function slicesOf({ shape, layers }, branches) {
  const kind = layers === 0 ? "is-input" : shape.length > 1 ? "is-map" : "is-vector";
  const slices = (branches.length > 0 ? branches : [{ steps: [], channels: 1 }]).map(({ steps, channels }) => {
    const slice = h(
      "span",
      { class: "stage-slice" },
      (steps.length > 0 ? steps : [""]).map((step) => h("i", { class: step === "pool" ? "is-pool" : kind }, step)),
    );
    // By the square root, or a slim branch could not be seen.
    slice.style.flexGrow = String(Math.sqrt(channels));
    return slice;
  });
  return h("span", { class: "stage-slices" }, slices);
}

/** A pool behind a block, as high as its result. @param {CheckedLayer} pool @param {Stage[]} stages @param {number} zoom */
function poolBar({ operation, shape }, stages, zoom) {
  const bar = h("i", { class: "stage-pool", title: `${operation}: ${shape.join(" × ")}` });
  bar.style.setProperty("--height", `${zoom * heightOf(shape.length > 1 ? shape : [shape[0], 1], stages)}px`);
  return bar;
}

/** @param {Stage} stage @param {Branch[]} branches */
function titleOf({ layers, shape, skips, long_skips: long }, branches) {
  const of = branches.map(({ channels, name }) => `${channels} (${name})`);
  return [
    `${plural(layers, "layer")}: ${shape.join(" × ")}`,
    ...(skips.length > 0 ? [plural(skips.length, "skip")] : []),
    ...(long.length > 0 ? [`${plural(long.length, "skip")} over several blocks`] : []),
    ...(of.length > 0 ? [`channels of its branches: ${of.join(" + ")}`] : []),
  ].join("; ");
}

/**
 * The shape in short lines: how many channels or values, how large, and how large after a pool.
 * @param {Stage} stage @param {boolean} isLast @param {CheckedLayer[]} pools
 */
function shapeOf(stage, isLast, pools) {
  const [size, ...plane] = stage.shape;
  return [
    h("b", {}, stage.layers > 0 ? String(size) : "Input"),
    h("small", {}, plane.length > 0 ? plane.join("×") : isLast && "classes"),
    // A mean leaves one value of each channel.
    ...pools.map(({ shape: [, ...to] }) =>
      h("small", { class: "stage-pooled" }, `→ ${to.length > 0 ? to.join("×") : "1×1"}`),
    ),
  ];
}
