// Pooling and padding of one channel, as in PyTorch.

/** @typedef {{ from: number[], to: number[] }} Sides height and width before and after */

/**
 * Calls `take` with the part of the image that each position of a window covers.
 * @param {Sides} sides @param {{ kernel: number[], stride: number[], padding: number[] }} window
 * @param {(at: number, top: number, bottom: number, left: number, right: number, whole: number) => void} take `whole`:
 *   the values of the window with those of the padding
 */
function windows({ from: [height, width], to: [rows, columns] }, { kernel, stride, padding }, take) {
  for (let row = 0; row < rows; row += 1) {
    const top = row * stride[0] - padding[0];
    const bottom = Math.min(top + kernel[0], height + padding[0]);
    for (let column = 0; column < columns; column += 1) {
      const left = column * stride[1] - padding[1];
      const right = Math.min(left + kernel[1], width + padding[1]);
      take(
        row * columns + column,
        Math.max(top, 0),
        Math.min(bottom, height),
        Math.max(left, 0),
        Math.min(right, width),
        (bottom - top) * (right - left),
      );
    }
  }
}

/** The sum of a part of an image. @param {Float32Array} values @param {number} width @param {number[]} part */
function sumOf(values, width, [top, bottom, left, right]) {
  let sum = 0;
  for (let y = top; y < bottom; y += 1) for (let x = left; x < right; x += 1) sum += values[y * width + x];
  return sum;
}

/** @param {Float32Array} from @param {Float32Array} to @param {Sides} sides @param {any} window */
export function poolMax(from, to, sides, window) {
  const width = sides.from[1];
  windows(sides, window, (at, top, bottom, left, right) => {
    let most = Number.NEGATIVE_INFINITY;
    for (let y = top; y < bottom; y += 1)
      for (let x = left; x < right; x += 1) most = Math.max(most, from[y * width + x]);
    to[at] = most;
  });
}

/** @param {Float32Array} from @param {Float32Array} to @param {Sides} sides @param {any} window */
export function poolMean(from, to, sides, window) {
  windows(sides, window, (at, top, bottom, left, right, whole) => {
    const count = window.count_include_pad ? whole : (bottom - top) * (right - left);
    to[at] = sumOf(from, sides.from[1], [top, bottom, left, right]) / count;
  });
}

/** Means over a grid of parts. @param {Float32Array} from @param {Float32Array} to @param {Sides} sides */
export function adaptiveMean(from, to, { from: [height, width], to: [rows, columns] }) {
  for (let row = 0; row < rows; row += 1) {
    const [top, bottom] = [Math.floor((row * height) / rows), Math.ceil(((row + 1) * height) / rows)];
    for (let column = 0; column < columns; column += 1) {
      const [left, right] = [Math.floor((column * width) / columns), Math.ceil(((column + 1) * width) / columns)];
      const sum = sumOf(from, width, [top, bottom, left, right]);
      to[row * columns + column] = sum / ((bottom - top) * (right - left));
    }
  }
}

/**
 * Zeros around an image.
 * @param {Float32Array} from @param {Float32Array} to @param {Sides} sides
 * @param {number[]} padding left, right, above and below
 */
export function zeroPad(from, to, { from: [height, width], to: [rows, columns] }, [left, , top]) {
  to.fill(0, 0, rows * columns);
  for (let row = 0; row < height; row += 1)
    to.set(from.subarray(row * width, (row + 1) * width), (top + row) * columns + left);
}
