// The pixels of photos and of frames, as networks were trained on them: upright, without a colour profile.

import { webpOrientation } from "./orientation.js";

/** @import { Pixels } from "../lib/resize.js" */

/** Pixels of a photo at most, as of Vivarium. */
const MOST_PIXELS = 64_000_000;

/** @param {Blob} file @returns {Promise<Pixels>} */
export async function pixelsOf(file) {
  if (file.size === 0) throw new Error("is empty");
  // Not every browser turns WebP.
  const orientation = await webpOrientation(file);
  /** @type {ImageBitmap} */
  let image;
  try {
    image = await createImageBitmap(file, {
      imageOrientation: orientation === null ? "from-image" : "none",
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch {
    throw new Error("is no image that this browser reads");
  }
  if (image.width * image.height > MOST_PIXELS) {
    image.close();
    throw new Error(`has ${image.width}x${image.height} pixels, more than ${MOST_PIXELS.toLocaleString("en-US")}`);
  }
  const pixels = draw(image, image.width, image.height, orientation ?? 1);
  image.close();
  return pixels;
}

/**
 * The pixels of an image, turned upright from an orientation of EXIF.
 * @param {CanvasImageSource} source @param {number} width @param {number} height @param {number} [orientation]
 * @returns {Pixels}
 */
export function draw(source, width, height, orientation = 1) {
  const isOnItsSide = orientation >= 5;
  const canvas = isOnItsSide ? new OffscreenCanvas(height, width) : new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("cannot be drawn by this browser");
  const [w, h] = [width, height];
  /** Where a pixel of the source goes, for the orientations from 1. @type {[number, number, number, number, number, number][]} */
  const turns = [
    [1, 0, 0, 1, 0, 0],
    [-1, 0, 0, 1, w, 0],
    [-1, 0, 0, -1, w, h],
    [1, 0, 0, -1, 0, h],
    [0, 1, 1, 0, 0, 0],
    [0, 1, -1, 0, h, 0],
    [0, -1, -1, 0, h, w],
    [0, -1, 1, 0, 0, w],
  ];
  context.setTransform(...turns[orientation - 1]);
  context.drawImage(source, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
