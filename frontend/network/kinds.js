// What the operations of a network do, for the colours of their marks, and the legend that names those of a network.

import { h } from "../lib/dom.js";

/** @import { CheckedLayer } from "./types" */

/** @type {{ kind: string, pattern: RegExp, word: string }[]} */
const KINDS = [
  { kind: "convolution", pattern: /^Conv/, word: "convolution" },
  { kind: "linear", pattern: /^Linear/, word: "fully connected" },
  { kind: "norm", pattern: /Norm/, word: "normalisation" },
  { kind: "shape", pattern: /Pool|^Mean|Flatten|Pad/, word: "pool or shape" },
  { kind: "sum", pattern: /^Sum$/, word: "sum" },
  { kind: "join", pattern: /^Concat$/, word: "join" },
  { kind: "activation", pattern: /^(ReLU|SiLU|Sigmoid|Tanh|GELU)/, word: "activation" },
];

/** The mark of a row that stands for several layers. */
const PART = { kind: "", word: "several layers" };

/** @param {string} operation */
export const kindOf = (operation) => KINDS.find(({ pattern }) => pattern.test(operation))?.kind ?? "";

/** Whether a layer filters each channel by itself. @param {CheckedLayer} layer */
const isDepthwise = ({ operation, detail, shape }) =>
  operation.startsWith("Conv") && (detail?.endsWith(`, ${shape[0]} groups`) ?? false);

/**
 * How many convolutions there are besides those that fit skips. A separable one, of each channel by itself and of a pixel
 * after it, counts once if all are.
 * @param {CheckedLayer[]} layers @param {{ skips: number, projected: number }} of `projected`: skips with a convolution
 */
export function convolutionsOf(layers, { skips, projected }) {
  const all = layers.filter(({ operation }) => kindOf(operation) === "convolution").length;
  const depthwise = layers.filter(isDepthwise).length;
  const areSeparable = depthwise > 0 && 2 * depthwise >= all - skips;
  return { amount: areSeparable ? depthwise : all - projected, areSeparable };
}

/** The kinds of what is shown, with their marks. */
export function kindLegend() {
  const element = h("ul", { class: "layer-legend" });
  return {
    element,
    /** @param {ReadonlySet<string>} shown kinds; an empty one is of several layers */
    show(shown) {
      element.replaceChildren(
        ...[...KINDS, PART]
          .filter(({ kind }) => shown.has(kind))
          .map(({ kind, word }) => h("li", {}, h("i", { class: "layer-mark", data: { kind } }), word)),
      );
    },
  };
}
