// What a window reads at each position, and the sums of it: numbers without a page.

/** @import { Arithmetic, Layer, SlidingWindow, SourcePlane } from "../../lib/types" */

/**
 * What one position of the target is computed from: a grid of taps, row by row. `sources` are indices into a source's
 * values, null where there is nothing: in the padding, or backward between the steps of a stride. `weights` are indices
 * into the kernel, or for pooling `factors` themselves. `box` is the part of the source that the taps span.
 * @typedef {{
 *   rows: number,
 *   columns: number,
 *   sources: (number | null)[],
 *   weights: number[],
 *   factors: number[] | null,
 *   box: { y: number, x: number, height: number, width: number },
 * }} Taps
 */

/** Kinds of layers that have a window. */
const WITH_WINDOW = new Set(["conv", "depthwise", "pointwise", "pool", "linear"]);

/** Whether a layer computes its values under a window. @param {Layer | null} layer */
export const hasWindow = (layer) => layer !== null && WITH_WINDOW.has(layer.kind);

/** Height and width of a shape; a vector has one pixel for each value. @param {number[]} shape */
export const sideOf = (shape) => (shape.length === 3 ? [shape[1], shape[2]] : [1, 1]);

/** The number of positions of the target. @param {SlidingWindow} of */
export function positions({ target }) {
  const [height, width] = sideOf(target);
  return height * width;
}

/** The rows and columns of zeros that are drawn around a source. @param {SlidingWindow} of @returns {[number, number]} */
export const paddingOf = ({ geometry, direction }) => (geometry && direction === "forward" ? geometry.padding : [0, 0]);

/** @param {SlidingWindow} of @param {number} n the position, row by row @returns {Taps} */
export function tapsAt(of, n) {
  const [, width] = sideOf(of.target);
  const [y, x] = [Math.floor(n / width), n % width];
  if (of.pool) return of.direction === "forward" ? pooled(of, n, y, x) : poolGathers(of, n, y, x);
  return of.direction === "forward" ? convolved(of, y, x) : convGathers(of, y, x);
}

/** @param {SlidingWindow} of @param {number} y @param {number} x @returns {Taps} */
function convolved({ geometry, source }, y, x) {
  const { kernel, stride, padding, dilation } = /** @type {NonNullable<SlidingWindow["geometry"]>} */ (geometry);
  const [top, left] = [y * stride[0] - padding[0], x * stride[1] - padding[1]];
  const [height, width] = sideOf(source);
  const sources = [];
  for (let ky = 0; ky < kernel[0]; ky += 1) {
    for (let kx = 0; kx < kernel[1]; kx += 1) {
      const [row, column] = [top + ky * dilation[0], left + kx * dilation[1]];
      const inside = row >= 0 && column >= 0 && row < height && column < width;
      sources.push(inside ? row * width + column : null);
    }
  }
  return {
    rows: kernel[0],
    columns: kernel[1],
    sources,
    weights: sources.map((_, i) => i),
    factors: null,
    box: { y: top, x: left, height: (kernel[0] - 1) * dilation[0] + 1, width: (kernel[1] - 1) * dilation[1] + 1 },
  };
}

/**
 * The outputs whose window covers an input, in the order in which they lie: the kernel is turned by 180°.
 * @param {SlidingWindow} of @param {number} y @param {number} x @returns {Taps}
 */
function convGathers({ geometry, source }, y, x) {
  const { kernel, stride, padding, dilation } = /** @type {NonNullable<SlidingWindow["geometry"]>} */ (geometry);
  const [height, width] = sideOf(source);
  /** @param {number} at @param {0 | 1} axis @param {number} k @param {number} side */
  const reached = (at, axis, k, side) => {
    const from = at + padding[axis] - k * dilation[axis];
    const output = from / stride[axis];
    return from % stride[axis] === 0 && output >= 0 && output < side ? output : null;
  };
  const sources = [];
  const weights = [];
  for (let ky = kernel[0] - 1; ky >= 0; ky -= 1) {
    for (let kx = kernel[1] - 1; kx >= 0; kx -= 1) {
      const [row, column] = [reached(y, 0, ky, height), reached(x, 1, kx, width)];
      sources.push(row === null || column === null ? null : row * width + column);
      weights.push(ky * kernel[1] + kx);
    }
  }
  return { rows: kernel[0], columns: kernel[1], sources, weights, factors: null, box: span(sources, width) };
}

/** @param {SlidingWindow} of @param {number} n @param {number} y @param {number} x @returns {Taps} */
function pooled({ pool, source }, n, y, x) {
  const { rows, columns, winners } = /** @type {NonNullable<SlidingWindow["pool"]>} */ (pool);
  const [, width] = sideOf(source);
  const [down, across] = [rows[y], columns[x]];
  const sources = [];
  for (let row = down.start; row < down.end; row += 1) {
    for (let column = across.start; column < across.end; column += 1) sources.push(row * width + column);
  }
  const factors = sources.map((pixel) =>
    winners ? Number(winners[n] === pixel) : 1 / (down.count * across.count || 1),
  );
  const [height, wide] = [down.end - down.start, across.end - across.start];
  return {
    rows: height,
    columns: wide,
    sources,
    weights: sources.map((_, i) => i),
    factors,
    box: { y: down.start, x: across.start, height, width: wide },
  };
}

/** @param {SlidingWindow} of @param {number} n @param {number} y @param {number} x @returns {Taps} */
function poolGathers({ pool, source }, n, y, x) {
  const { rows, columns, winners } = /** @type {NonNullable<SlidingWindow["pool"]>} */ (pool);
  const [, width] = sideOf(source);
  /** @param {{ start: number, end: number }[]} spans @param {number} at */
  const covering = (spans, at) => spans.flatMap(({ start, end }, i) => (at >= start && at < end ? [i] : []));
  const [down, across] = [covering(rows, y), covering(columns, x)];
  const sources = down.flatMap((row) => across.map((column) => row * width + column));
  const factors = down.flatMap((row) =>
    across.map((column) =>
      winners ? Number(winners[row * width + column] === n) : 1 / (rows[row].count * columns[column].count || 1),
    ),
  );
  return {
    rows: down.length,
    columns: across.length,
    sources,
    weights: sources.map((_, i) => i),
    factors,
    box: span(sources, width),
  };
}

/** The smallest box around some pixels. @param {(number | null)[]} pixels @param {number} width */
function span(pixels, width) {
  const known = pixels.filter((pixel) => pixel !== null);
  if (known.length === 0) return { y: 0, x: 0, height: 0, width: 0 };
  const rows = known.map((pixel) => Math.floor(pixel / width));
  const columns = known.map((pixel) => pixel % width);
  const [y, x] = [Math.min(...rows), Math.min(...columns)];
  return { y, x, height: Math.max(...rows) - y + 1, width: Math.max(...columns) - x + 1 };
}

/** With a capital letter. @param {string} words */
export const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

/** A value that is not finite is null in JSON. @param {number | null | undefined} value */
export const known = (value) => value ?? Number.NaN;

/** The weight of each tap. @param {Taps} taps @param {SourcePlane} plane */
export const weightsAt = (taps, plane) => taps.factors ?? taps.weights.map((weight) => known(plane.weights[weight]));

/** The value under each tap, null where there is none. @param {Taps} taps @param {SourcePlane} plane */
export const patchAt = (taps, plane) =>
  taps.sources.map((source) => (source === null ? null : known(plane.values[source])));

/** The product of each tap. @param {Taps} taps @param {SourcePlane} plane */
export function productsAt(taps, plane) {
  const weights = weightsAt(taps, plane);
  return patchAt(taps, plane).map((value, i) => (value === null ? 0 : value * weights[i]));
}

/** The contribution of a source to a position. @param {Taps} taps @param {SourcePlane} plane */
export function partAt(taps, plane) {
  let sum = 0;
  for (let i = 0; i < taps.sources.length; i += 1) {
    const source = taps.sources[i];
    if (source === null) continue;
    const weight = taps.factors ? taps.factors[i] : known(plane.weights[taps.weights[i]]);
    sum += known(plane.values[source]) * weight;
  }
  return sum;
}

/** A list as rows. @template T @param {T[]} list @param {number} columns @returns {T[][]} */
export function inRows(list, columns) {
  const rows = [];
  for (let at = 0; at < list.length; at += columns) rows.push(list.slice(at, at + columns));
  return rows;
}

/** Channels that the arithmetic of a position lists one by one, as on the server. */
const LISTED = 16;

/**
 * The arithmetic of a position of a convolution, as the server gives it for one value.
 * @param {SlidingWindow} of @param {number} n @returns {Arithmetic}
 */
export function arithmeticAt(of, n) {
  const geometry = /** @type {NonNullable<SlidingWindow["geometry"]>} */ (of.geometry);
  const [, width] = sideOf(of.target);
  const taps = tapsAt(of, n);
  const channels = of.planes
    .map((plane) => ({
      input: plane.channel,
      patch: inRows(patchAt(taps, plane), taps.columns),
      kernel: inRows(weightsAt(taps, plane), taps.columns),
      products: inRows(productsAt(taps, plane), taps.columns),
      sum: partAt(taps, plane),
    }))
    .sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
  const others = channels.splice(LISTED).reduce((sum, channel) => sum + channel.sum, 0);
  const rest = others + (of.rest ? known(of.rest[n]) : 0);
  const bias = of.bias ?? 0;
  return {
    layer: of.layer,
    kernel: geometry.kernel,
    stride: geometry.stride,
    padding: geometry.padding,
    position: { map: of.map, y: Math.floor(n / width), x: n % width },
    inputs: of.reads[1] - of.reads[0],
    shown: channels.length,
    channels,
    rest_sum: rest,
    bias,
    sum: channels.reduce((sum, channel) => sum + channel.sum, rest + bias),
    value: known(of.values[n]),
    // biome-ignore lint/suspicious/noThenProperty: the name in the API; a list, which nothing takes for a promise
    then: of.then.map(({ layer, kind, values }) => ({ layer, kind, value: known(values[n]) })),
  };
}

/**
 * The largest terms of an input's gradient, and the sum of the others.
 * @param {SlidingWindow} of @param {number} n @param {number} most
 */
export function termsAt(of, n, most) {
  const taps = tapsAt(of, n);
  const [, width] = sideOf(of.source);
  const all = of.planes.flatMap((plane) => {
    const weights = weightsAt(taps, plane);
    return taps.sources.flatMap((source, i) => {
      if (source === null) return [];
      const gradient = known(plane.values[source]);
      const product = gradient * weights[i];
      return [
        {
          output: plane.channel,
          y: Math.floor(source / width),
          x: source % width,
          gradient,
          weight: weights[i],
          product,
        },
      ];
    });
  });
  all.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const rest = all.splice(most).reduce((sum, { product }) => sum + product, 0);
  return { terms: all, rest: rest + (of.rest ? known(of.rest[n]) : 0) };
}
