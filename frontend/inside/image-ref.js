// References to images. Each frame of a film shows the image that was pinned when it was made; pinning another image
// does not change earlier frames.

/** @import { Film, Run } from "../lib/types" */

/**
 * `image` is its name in requests, null if it is deleted; `words` its name for users; `key` is unique to the image.
 * @typedef {{ image: string | null, words: string, key: string }} ImageRef
 */

/**
 * The image of a frame of a film.
 * @param {Film | null | undefined} film @param {string} name @param {Run["spec"]} spec of the run @returns {ImageRef}
 */
export function frameImage(film, name, spec) {
  const frame = film?.frames.find((known) => known.name === name);
  if (!frame) return imageRef("pinned", film, spec);
  if (frame.image === null) return { image: null, words: "an image that was pinned before", key: frame.pinned };
  return imageRef(frame.image, film, spec);
}

/**
 * The reference for an image named as in requests.
 * @param {string} image
 * @param {Film | null | undefined} film the run's, which knows what is pinned
 * @param {Run["spec"]} spec of the run
 * @returns {ImageRef}
 */
export function imageRef(image, film, spec) {
  const plain = image === "pinned" ? (film?.pinned.image ?? "pinned") : image;
  return { image, words: imageLabel(plain), key: keyOf(plain, spec) };
}

/** @param {string} image */
export function imageLabel(image) {
  if (image === "pinned") return "the first sample";
  return isSample(image) ? image.replace(":", " sample ") : "uploaded photo";
}

/** @param {string} image */
const isSample = (image) => /^(test|validation|train):/.test(image);

/**
 * A key that is unique to an image. Samples of different data sets or differently drawn splits are different images.
 * @param {string} image
 * @param {Run["spec"]} spec
 */
function keyOf(image, spec) {
  if (!isSample(image) && image !== "pinned") return image;
  const { data, training } = spec;
  const drawn = image.startsWith("test:") ? null : [data?.validation, data?.limit, training?.seed];
  return JSON.stringify([image, data?.set, drawn]);
}
