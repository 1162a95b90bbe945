// What can be done with a run's network: edit a copy of its text, take away its source and its weights.

import { h } from "../lib/dom.js";
import { apiUrl, siteUrl } from "../lib/base-path.js";

/** @import { Run } from "../lib/types" */

/** @param {Run} run */
export function networkLinks({ id }) {
  const file = (/** @type {string} */ format, /** @type {string} */ text) =>
    h("a", { href: apiUrl(`/runs/${id}/export?format=${format}`), download: "" }, text);
  const files = [file("pytorch", "PyTorch source"), file("onnx", "ONNX"), file("safetensors", "Weights")];
  return {
    element: h(
      "p",
      { class: "links muted small" },
      h("a", { href: siteUrl(`/networks/new?run=${id}`) }, "Edit its network"),
      ...files,
    ),
    /** @param {Run} run */
    show({ summary }) {
      // There is nothing to take away before the first checkpoint.
      for (const link of files) link.hidden = !(Number(summary.epoch) >= 1);
    },
  };
}
