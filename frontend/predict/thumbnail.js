// Small pictures of photos, a few decoded at a time: a photo of a camera takes 50 MB while it is decoded.

/** The side of a thumbnail, in pixels of the screen at twice the density. */
const SIDE = 128;

/** Photos that are decoded at a time. */
const AT_ONCE = 2;

let busy = 0;
/** @type {(() => void)[]} */
const queue = [];

/** @param {HTMLCanvasElement} canvas @param {Blob} file */
export async function showThumbnail(canvas, file) {
  if (busy >= AT_ONCE) await new Promise((/** @type {(value: void) => void} */ go) => queue.push(go));
  busy += 1;
  try {
    const image = await createImageBitmap(file);
    const scale = SIDE / Math.min(image.width, image.height);
    const [width, height] = [image.width * scale, image.height * scale];
    canvas.width = canvas.height = SIDE;
    const context = canvas.getContext("2d");
    if (context) {
      context.imageSmoothingQuality = "high";
      context.drawImage(image, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
    }
    image.close();
  } catch {
    // The row says what is wrong with the photo, or the browser does not read what the server does.
    canvas.classList.add("none");
  } finally {
    busy -= 1;
    queue.shift()?.();
  }
}
