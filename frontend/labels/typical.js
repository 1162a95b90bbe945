// Typical images of two classes that are taken for each other, to compare suspects with.

import { h } from "../lib/dom.js";
import { samplePicture } from "./picture.js";

/** @import { LabelIssues } from "../lib/types" */
/** @import { Pair } from "./pair-filter.js" */

/** @param {LabelIssues} found @param {Pair} pair */
export function typicalImages({ set, classes, typical }, { label, suggested }) {
  return h(
    "div",
    { class: "typical-images" },
    ...[label, suggested].map((of) =>
      h(
        "figure",
        {},
        h("figcaption", { class: "muted small" }, `Typical of ${classes[of]}`),
        ...typical[of].map((sample) => samplePicture(set, sample, "")),
      ),
    ),
  );
}
