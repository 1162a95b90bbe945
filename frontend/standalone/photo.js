// The pixels of photos and of frames, as networks were trained on them: upright, without a colour profile.

/** @import { Pixels } from "./resize.js" */

/** Pixels of a photo at most, as of Vivarium. */
const MOST_PIXELS = 40_000_000;

/** @param {Blob} file @returns {Promise<Pixels>} */
export async function pixelsOf(file) {
  if (file.size === 0) throw new Error("is empty");
  /** @type {ImageBitmap} */
  let image;
  try {
    image = await createImageBitmap(file, {
      imageOrientation: "from-image",
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
  const pixels = draw(image, image.width, image.height);
  image.close();
  return pixels;
}

/** @param {CanvasImageSource} source @param {number} width @param {number} height @returns {Pixels} */
export function draw(source, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("cannot be drawn by this browser");
  context.drawImage(source, 0, 0);
  return context.getImageData(0, 0, width, height);
}
