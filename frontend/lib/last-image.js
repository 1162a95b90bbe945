// The image that the user looked at last, inside a network: what a report shows next is that one.

import { safeLocalStorage } from "./storage.js";

/** @import { Run } from "./types" */
/** @import { SafeStorage } from "./storage.js" */

const KEY = "vivarium.image";
const IS_SAMPLE = /^(test|validation|train):\d+$/;

/**
 * @param {Pick<Run, "spec">} run
 * @param {string} image as requests name it
 * @param {SafeStorage} [storage]
 */
export function rememberImage({ spec }, image, storage = safeLocalStorage) {
  // The pinned image is what figures show anyway.
  if (image !== "pinned") storage.setItem(KEY, JSON.stringify({ image, set: spec.data?.set ?? null }));
}

/**
 * The image for a figure of a run: the one that was looked at last, else the newest upload, else the pinned one.
 * @param {Pick<Run, "spec">} run
 * @param {string[]} uploads the ids of the uploaded images, the newest first
 * @param {SafeStorage} [storage]
 */
export function lastImage({ spec }, uploads, storage = safeLocalStorage) {
  /** @type {{ image?: unknown, set?: unknown }} */
  let last = {};
  try {
    last = JSON.parse(storage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    // What is stored is not ours.
  }
  const image = String(last.image ?? "");
  // A sample is one of its data set; an uploaded image may be deleted by now.
  if (IS_SAMPLE.test(image) ? last.set === spec.data?.set : uploads.includes(image)) return image;
  return uploads[0] ?? "pinned";
}
