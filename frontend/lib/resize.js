// From the pixels of a photo to the input of a network, as preprocessing.json describes. The canvas would scale with another
// filter in each browser. Products and sums are float32, by Math.fround, so that values are Vivarium's to the bit: a sum
// that differs in its last bit may round to another byte.

/** A picture: RGBA, row by row. @typedef {{ width: number, height: number, data: Uint8ClampedArray | Uint8Array }} Pixels */

/**
 * @typedef {{
 *   size: [number, number],
 *   channels: "RGB" | "grey",
 *   fit: "crop" | "pad" | "stretch",
 *   round: boolean,
 *   mean: number[],
 *   std: number[],
 *   scores: "logits" | "ranks",
 * }} Preprocessing
 */

/**
 * The share of every old pixel in each new one along a side: for each new pixel, the first old one and the weights from
 * there. Bilinear, with antialiasing.
 * @param {number} old
 * @param {number} size
 */
export function taps(old, size) {
  const scale = old / size;
  const reach = Math.max(scale, 1);
  return Array.from({ length: size }, (_, at) => {
    const centre = (at + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach));
    const last = Math.min(old, Math.ceil(centre + reach));
    const weights = [];
    for (let pixel = first; pixel < last; pixel += 1)
      weights.push(Math.max(0, 1 - Math.abs(pixel + 0.5 - centre) / reach));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: Float32Array.from(weights, (weight) => weight / sum) };
  });
}

/**
 * The part of a photo that a network sees.
 * @param {{ width: number, height: number }} photo
 * @param {Preprocessing["fit"]} fit
 */
export function frameOf({ width, height }, fit) {
  if (fit !== "crop") return { left: 0, top: 0, width, height };
  const side = Math.min(width, height);
  return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), width: side, height: side };
}

/**
 * Where this part lies in the input; beside it the input is black.
 * @param {{ width: number, height: number }} frame
 * @param {Pick<Preprocessing, "size" | "fit">} preprocessing
 */
export function boxOf(frame, { size: [rows, columns], fit }) {
  if (fit !== "pad") return { left: 0, top: 0, width: columns, height: rows };
  const longest = Math.max(frame.width, frame.height);
  const width = Math.max(1, Math.round((frame.width * columns) / longest));
  const height = Math.max(1, Math.round((frame.height * rows) / longest));
  return { left: Math.floor((columns - width) / 2), top: Math.floor((rows - height) / 2), width, height };
}

/**
 * The normalised input for a photo, [channels, height, width], written to `input`.
 * @param {Pixels} photo
 * @param {Preprocessing} preprocessing
 * @param {Float32Array} input
 */
export function preprocess(photo, preprocessing, input) {
  const { size, channels, fit, round, mean, std } = preprocessing;
  const [height, width] = size;
  const frame = frameOf(photo, fit);
  const box = boxOf(frame, preprocessing);
  const columns = taps(frame.width, box.width);
  const rows = taps(frame.height, box.height);
  const planes = channels === "grey" ? 1 : 3;
  for (let plane = 0; plane < planes; plane += 1)
    input.fill(-mean[plane] / std[plane], plane * height * width, (plane + 1) * height * width);
  const line = new Float32Array(planes * frame.width);
  // Rows of the photo, scaled to the new width; only those are kept that the next new row needs.
  /** @type {Map<number, Float32Array>} */
  const scaled = new Map();
  rows.forEach(({ first, weights }, row) => {
    for (const at of scaled.keys()) if (at < first) scaled.delete(at);
    const sums = new Float32Array(planes * box.width);
    weights.forEach((weight, tap) => {
      const at = first + tap;
      let values = scaled.get(at);
      if (!values) {
        readRow(photo, frame, at, line);
        values = scaleRow(line, frame.width, columns, planes);
        scaled.set(at, values);
      }
      for (let place = 0; place < sums.length; place += 1) sums[place] += Math.fround(weight * values[place]);
    });
    for (let plane = 0; plane < planes; plane += 1)
      for (let column = 0; column < box.width; column += 1) {
        const sum = sums[plane * box.width + column];
        const value = round ? Math.min(255, Math.round(sum)) / 255 : Math.fround(sum / 255);
        input[(plane * height + box.top + row) * width + box.left + column] = (value - mean[plane]) / std[plane];
      }
  });
}

/**
 * A row of the frame as planes, on white where it is transparent.
 * @param {Pixels} photo @param {ReturnType<typeof frameOf>} frame @param {number} at @param {Float32Array} line
 */
function readRow(photo, frame, at, line) {
  const y = frame.top + at;
  const isGrey = line.length === frame.width;
  for (let column = 0; column < frame.width; column += 1) {
    const place = 4 * (y * photo.width + frame.left + column);
    const alpha = photo.data[place + 3];
    const on = (/** @type {number} */ colour) => Math.floor((colour * alpha + 255 * (255 - alpha) + 127) / 255);
    const [red, green, blue] = [0, 1, 2].map((channel) => on(photo.data[place + channel]));
    if (isGrey) {
      line[column] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
    } else {
      line[column] = red;
      line[frame.width + column] = green;
      line[2 * frame.width + column] = blue;
    }
  }
}

/**
 * @param {Float32Array} line @param {number} length @param {ReturnType<typeof taps>} columns @param {number} planes
 */
function scaleRow(line, length, columns, planes) {
  const scaled = new Float32Array(planes * columns.length);
  for (let plane = 0; plane < planes; plane += 1) {
    columns.forEach(({ first, weights }, column) => {
      let sum = 0;
      const start = plane * length + first;
      for (let tap = 0; tap < weights.length; tap += 1)
        sum = Math.fround(sum + Math.fround(line[start + tap] * weights[tap]));
      scaled[plane * columns.length + column] = sum;
    });
  }
  return scaled;
}
