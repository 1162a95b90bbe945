// A picture of an image of a set.

import { apiUrl } from "../lib/base-path.js";
import { h } from "../lib/dom.js";

/** Pixels that are asked for: twice those of a cell, for screens with small pixels. */
const SIZE = 256;

/** @param {string} set @param {number} sample @param {string} alt */
export function samplePicture(set, sample, alt) {
  return h("img", {
    class: "sample-picture",
    src: apiUrl(`/datasets/${encodeURIComponent(set)}/samples/${sample}.png?size=${SIZE}`),
    alt,
    loading: "lazy",
    decoding: "async",
    // Images of few pixels are shown as they are, those of photos are scaled smoothly.
    on: {
      load: (/** @type {any} */ event) => event.target.classList.toggle("pixels", event.target.naturalWidth < 100),
    },
  });
}
