// What the images of a data set have in common where they are figures on a plain ground, as handwritten digits are:
// enough to draw another one like them.

/** @typedef {{ width: number, height: number, data: ArrayLike<number> }} Pixels RGBA, row by row, 0 to 255 */

/**
 * `isDark`: whether the ground is black, not white. As shares of an image's side, `extent` is the longer side of the
 * figures' boxes and `pen` the width of their lines.
 * @typedef {{ isDark: boolean, extent: number, pen: number }} Ground
 */

/** Images of which this share has a plain ground are figures. */
const MOST = 0.8;

/** The share of an image's border that is ground, at least; figures may touch it. */
const GROUND = 0.6;

/** How far the grey of a ground is from black or white, at most; 0 to 1. */
const NEAR = 0.15;

/** The widest pen: filled figures, as those of clothes, have no lines. */
const WIDEST_PEN = 0.16;

/** The ground of these images, or null: photos have none. @param {Pixels[]} images @returns {Ground | null} */
export function groundOf(images) {
  const light = figuresOn(images, false);
  const dark = figuresOn(images, true);
  const found = dark.length > light.length ? dark : light;
  if (found.length === 0 || found.length < MOST * images.length) return null;
  return {
    isDark: found === dark,
    extent: median(found.map(({ extent }) => extent)),
    pen: Math.min(WIDEST_PEN, median(found.map(({ pen }) => pen))),
  };
}

/** The figures of the images whose border is mostly black, or white. @param {Pixels[]} images @param {boolean} isDark */
function figuresOn(images, isDark) {
  return images.flatMap((image) => {
    const ink = inkOf(image, isDark);
    const border = ink.filter((_, at) => isBorder(image, at));
    const plain = border.filter((value) => value < NEAR).length;
    return plain >= GROUND * border.length && ink.some((value) => value > 0.5) ? [figureOf(ink, image)] : [];
  });
}

/** How much a pixel differs from the ground, 0 to 1. @param {Pixels} image @param {boolean} isDark */
function inkOf({ width, height, data }, isDark) {
  return Array.from({ length: width * height }, (_, at) => {
    const grey = (data[4 * at] + data[4 * at + 1] + data[4 * at + 2]) / (3 * 255);
    return isDark ? grey : 1 - grey;
  });
}

/** @param {Pixels} image @param {number} at */
function isBorder({ width, height }, at) {
  const [x, y] = [at % width, Math.floor(at / width)];
  return x === 0 || y === 0 || x === width - 1 || y === height - 1;
}

/**
 * The box and the lines of a figure. The outline of a line is twice as long as the line, so its width is twice its area
 * by its outline. Differences of neighbours add up to the outline as steps, which are 4/π as long as it in the mean over
 * directions, however blurred it is.
 * @param {number[]} ink @param {Pixels} image
 */
function figureOf(ink, { width, height }) {
  const xs = [];
  const ys = [];
  let area = 0;
  let steps = 0;
  for (let at = 0; at < ink.length; at += 1) {
    const [x, y] = [at % width, Math.floor(at / width)];
    if (ink[at] > 0.5) {
      xs.push(x);
      ys.push(y);
    }
    area += ink[at];
    steps += Math.abs(ink[at] - (x > 0 ? ink[at - 1] : 0)) + Math.abs(ink[at] - (y > 0 ? ink[at - width] : 0));
    if (x === width - 1) steps += ink[at];
    if (y === height - 1) steps += ink[at];
  }
  const side = Math.max(width, height);
  const box = Math.max(...xs) - Math.min(...xs) + 1;
  const tall = Math.max(...ys) - Math.min(...ys) + 1;
  return { extent: Math.max(box, tall) / side, pen: (2 * area) / ((steps * Math.PI) / 4) / side };
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/**
 * Where lines come to lie so that they are as large as the figures of the data set, and in the middle.
 * @param {[number, number][]} points shares of the pad's side
 * @param {Ground} ground
 * @returns {{ scale: number, x: number, y: number }} a point p comes to `scale * p + (x, y)`
 */
export function framed(points, { extent, pen }) {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  // A dot stays one.
  const side = Math.max(right - left, bottom - top, 0.2);
  const scale = Math.max(0, extent - pen) / side;
  return { scale, x: 0.5 - (scale * (left + right)) / 2, y: 0.5 - (scale * (top + bottom)) / 2 };
}
