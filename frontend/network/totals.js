// The totals of a network, above its picture.

import { h, setText } from "../lib/dom.js";
import { bytes, compactNumber, count } from "../lib/format.js";

/** @import { CheckedNetwork } from "./types" */

/**
 * `words`: the figure and what is said after it; `null` where it is not known.
 * @type {{ label: string, words: (network: CheckedNetwork) => [string, string?] | null, title: (network: CheckedNetwork) => string }[]}
 */
const TOTALS = [
  {
    label: "Parameters",
    words: ({ parameters }) => [compactNumber(parameters)],
    title: ({ parameters }) => count(parameters),
  },
  {
    label: "Multiply-adds",
    words: ({ multiply_adds }) => [compactNumber(multiply_adds)],
    title: ({ multiply_adds }) => `${count(multiply_adds)} to classify one sample`,
  },
  {
    label: "Memory",
    words: ({ memory_bytes }) => (memory_bytes === undefined ? null : [bytes(memory_bytes)]),
    title: () => "for one sample in training, with the parameters",
  },
  {
    label: "Layers",
    words: ({ layers, stages }) => [
      count(layers.length - 1),
      `${count(stages.reduce((sum, { layers: of }) => sum + of, 0))} with weights`,
    ],
    title: () =>
      "Networks are named by their convolutions and linear layers, which have weights: VGG16 has sixteen. The input is no layer.",
  },
];

export function networkTotals() {
  const cells = TOTALS.map(({ label, words, title }) => {
    const figure = h("span", {}, "–");
    const more = h("small");
    const value = h("dd", {}, figure, more);
    return { element: h("div", {}, h("dt", {}, label), value), value, figure, more, words, title };
  });
  return {
    element: h("dl", { class: "totals" }, ...cells.map(({ element }) => element)),
    /** @param {CheckedNetwork} network */
    show(network) {
      for (const { element, value, figure, more, words, title } of cells) {
        const said = words(network);
        element.hidden = said === null;
        setText(figure, said?.[0] ?? "");
        setText(more, said?.[1] ?? "");
        value.title = title(network);
      }
    },
  };
}
