// The totals of a network, above its picture.

import { h, setText } from "../lib/dom.js";
import { bytes, compactNumber, count } from "../lib/format.js";

/** @import { CheckedNetwork } from "./types" */

/** @type {[string, (network: CheckedNetwork) => string | null, (network: CheckedNetwork) => string][]} */
const TOTALS = [
  ["Parameters", (network) => compactNumber(network.parameters), (network) => count(network.parameters)],
  [
    "Multiply-adds",
    (network) => compactNumber(network.multiply_adds),
    (network) => `${count(network.multiply_adds)} for one sample`,
  ],
  [
    "Memory",
    (network) => (network.memory_bytes === undefined ? null : bytes(network.memory_bytes)),
    () => "for one sample in training, with the parameters",
  ],
  [
    "Layers (with weights)",
    ({ layers, stages }) =>
      `${count(layers.length - 1)} (${count(stages.reduce((sum, { layers: of }) => sum + of, 0))})`,
    () => "Networks are named by their convolutions and linear layers: VGG16 has sixteen. The input is no layer.",
  ],
];

export function networkTotals() {
  const cells = TOTALS.map(([label, words, title]) => {
    const value = h("dd", {}, "–");
    const element = h("div", {}, h("dt", {}, label), value);
    return { element, value, words, title };
  });
  return {
    element: h("dl", { class: "totals" }, ...cells.map(({ element }) => element)),
    /** @param {CheckedNetwork} network */
    show(network) {
      for (const { element, value, words, title } of cells) {
        const text = words(network);
        element.hidden = text === null;
        setText(value, text ?? "");
        value.title = title(network);
      }
    },
  };
}
