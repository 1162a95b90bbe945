// Computes a network in the browser: the nodes of its graph one after the other, for one image.
//
// Images are planes in f32, each `stride` values long: its pixels, rounded up to a strip of the kernels. What lies behind
// the pixels means nothing. A convolution is a product with its patches as columns (im2col), as in Vivarium.

import { Arena, STRIP } from "./kernels.js";
import { activations } from "./activations.js";
import { adaptiveMean, poolMax, poolMean, zeroPad } from "./pools.js";

/** @import { Kernels } from "./kernels.js" */

/** A node of a graph: `models/src/graph/operation.rs` has the operations. @typedef {{ name: string, operation: string,
 *   inputs: number[], shape: number[], root?: boolean, [setting: string]: any }} GraphNode */

/**
 * The result of a node. `shape`: `[channels, height, width]` or `[values]`; `stride`: values from one channel to the next.
 * @typedef {{ address: number, count: number, shape: number[], stride: number }} Value
 */

/** Values of columns that are in memory at a time: what fits into a cache of the processor. */
const COLUMNS = 1 << 18;

/** Rows that the kernels compute at a time. */
const ROWS = 4;

const upTo = (/** @type {number} */ value, /** @type {number} */ multiple) => Math.ceil(value / multiple) * multiple;

export class Network {
  /**
   * @param {{ nodes: GraphNode[] }} graph
   * @param {Kernels} kernels
   * @param {number} bytes the length of the weights, a safetensors file
   */
  constructor({ nodes }, kernels, bytes) {
    this.nodes = nodes;
    this.kernels = kernels;
    this.arena = new Arena(kernels);
    /** The last node that takes the result of each. */
    this.lastUse = nodes.map((_, place) => nodes.findLastIndex(({ inputs }) => inputs.includes(place)));
    this.bytes = bytes;
    this.weights = this.arena.take(Math.ceil(bytes / 4) + 8);
    this.loaded = 0;
    /** Addresses of weights and biases as the kernels take them. @type {Map<string, number>} */
    this.prepared = new Map();
    /** @type {{ [name: string]: { dtype: string, shape: number[], data_offsets: [number, number] } }} */
    this.header = {};
    this.data = 0;
  }

  /** The shape of the input. */
  get input() {
    return this.nodes[0].shape;
  }

  /** Takes the next part of the weights. @param {Uint8Array} part */
  load(part) {
    if (this.loaded === 0) {
      const length = Number(new DataView(part.buffer, part.byteOffset).getBigUint64(0, true));
      this.header = JSON.parse(new TextDecoder().decode(part.subarray(8, 8 + length)));
      // Values are at multiples of four bytes.
      this.data = upTo(this.weights + 8 + length, 16);
      this.start = this.data - 8 - length;
    }
    new Uint8Array(this.kernels.memory.buffer).set(part, /** @type {number} */ (this.start) + this.loaded);
    this.loaded += part.length;
  }

  /** A tensor of the weights. @param {string} name */
  tensor(name) {
    const about = this.header[name];
    if (about?.dtype !== "F32") throw new Error(`The weights have no ${name}.`);
    const [from, to] = about.data_offsets;
    return { address: this.data + from, count: (to - from) / 4 };
  }

  /** The values of a tensor. @param {string} name */
  values(name) {
    const { address, count } = this.tensor(name);
    return this.arena.view(address, count);
  }

  /** Values in memory of the kernels that stay there. @param {string} key @param {number} count @param {() => Float32Array} make */
  keep(key, count, make) {
    const known = this.prepared.get(key);
    if (known !== undefined) return known;
    const address = this.arena.take(count);
    const view = this.arena.view(address, count);
    view.fill(0);
    view.set(make());
    this.prepared.set(key, address);
    return address;
  }

  /** The scores for an input. @param {Float32Array} input @returns {Float32Array} */
  run(input) {
    /** @type {(Value | null)[]} */
    const results = this.nodes.map(() => null);
    const first = this.allocate(this.input);
    this.fill(first, input);
    results[0] = first;
    for (let place = 1; place < this.nodes.length; place += 1) {
      const node = this.nodes[place];
      const inputs = node.inputs.map((at) => /** @type {Value} */ (results[at]));
      const result = this.compute(node, inputs, (at) => this.lastUse[node.inputs[at]] === place);
      results[place] = result;
      for (const at of new Set(node.inputs)) {
        const value = results[at];
        if (this.lastUse[at] !== place || !value) continue;
        // A result may be its input, changed in place.
        if (value.address !== result.address) this.arena.give(value.address, value.count);
        results[at] = null;
      }
    }
    const last = /** @type {Value} */ (results.at(-1));
    const scores = this.arena.view(last.address, last.shape[0]).slice();
    this.arena.give(last.address, last.count);
    return scores;
  }

  /** @param {number[]} shape @returns {Value} */
  allocate(shape) {
    if (shape.length === 1) {
      const count = upTo(shape[0], ROWS);
      return { address: this.arena.take(count), count, shape, stride: 1 };
    }
    const stride = upTo(shape[1] * shape[2], STRIP);
    // The kernels write whole groups of rows.
    const count = (shape[0] + ROWS - 1) * stride;
    return { address: this.arena.take(count), count, shape, stride };
  }

  /** @param {Value} value */
  view({ address, count }) {
    return this.arena.view(address, count);
  }

  /** Copies values without gaps into a result. @param {Value} value @param {Float32Array} from */
  fill(value, from) {
    const to = this.view(value);
    if (value.shape.length === 1) return to.set(from);
    const pixels = value.shape[1] * value.shape[2];
    for (let plane = 0; plane < value.shape[0]; plane += 1)
      to.set(from.subarray(plane * pixels, (plane + 1) * pixels), plane * value.stride);
  }

  /**
   * The result of a node.
   * @param {GraphNode} node @param {Value[]} inputs @param {(at: number) => boolean} mayOverwrite
   * @returns {Value}
   */
  compute(node, inputs, mayOverwrite) {
    const [x] = inputs;
    const prefix = node.root ? "" : `${node.name}.`;
    switch (node.operation) {
      case "Conv2d":
        return this.conv(node, x, prefix);
      case "Linear":
        return this.linear(node, x, prefix);
      case "BatchNorm":
        return this.norm(node, x, prefix, mayOverwrite(0));
      case "Activation":
        if (node.function === "relu") return this.clamped(x, mayOverwrite(0), 0, Number.POSITIVE_INFINITY);
        if (node.function === "relu6") return this.clamped(x, mayOverwrite(0), 0, 6);
        return this.activated(x, mayOverwrite(0), activations[node.function]);
      case "Hardtanh":
        return this.clamped(x, mayOverwrite(0), node.min, node.max);
      case "MaxPool2d":
        return this.pooled(node, x, (from, to, sides) => poolMax(from, to, sides, node));
      case "AvgPool2d":
        return this.pooled(node, x, (from, to, sides) => poolMean(from, to, sides, node));
      case "AdaptiveAvgPool2d":
        return this.pooled(node, x, adaptiveMean);
      case "Mean":
        return this.mean(node, x);
      case "Flatten":
        return this.flatten(node, x, mayOverwrite(0));
      case "Dropout":
      case "Identity":
        return this.copyOf(x, mayOverwrite(0));
      case "ZeroPad1d": {
        const y = this.allocate(node.shape);
        const values = this.view(y).fill(0);
        values.set(this.view(x).subarray(0, x.shape[0]), node.padding[0]);
        return y;
      }
      case "ZeroPad2d":
        return this.pooled(node, x, (from, to, sides) => zeroPad(from, to, sides, node.padding));
      case "Sum":
        return this.sum(inputs, mayOverwrite(0));
      case "Mul":
        return this.product(inputs);
      case "Concat":
        return this.concat(node, inputs);
      default:
        throw new Error(`The network has a ${node.operation}, which this page cannot compute.`);
    }
  }

  /** @param {Value} x @param {boolean} mayOverwrite @returns {Value} */
  copyOf(x, mayOverwrite) {
    if (mayOverwrite) return x;
    const y = this.allocate(x.shape);
    this.view(y).set(this.view(x));
    return y;
  }

  /** @param {Value} x @param {boolean} mayOverwrite @param {number} least @param {number} most */
  clamped(x, mayOverwrite, least, most) {
    const y = this.copyOf(x, mayOverwrite);
    this.kernels.clamp(y.address, y.count, least, most);
    return y;
  }

  /** @param {Value} x @param {boolean} mayOverwrite @param {(values: Float32Array) => void} change */
  activated(x, mayOverwrite, change) {
    const y = this.copyOf(x, mayOverwrite);
    change(this.view(y));
    return y;
  }

  /** @param {GraphNode} node @param {Value} x @param {string} prefix */
  conv(node, x, prefix) {
    const { kernel, stride, padding, groups } = node;
    const dilation = node.dilation ?? [1, 1];
    const [channels, height, width] = x.shape;
    const [outChannels, rows, columns] = node.shape;
    const [ins, outs] = [channels / groups, outChannels / groups];
    const depth = ins * kernel[0] * kernel[1];
    const y = this.allocate(node.shape);
    const weight = `${prefix}weight`;
    const bias = node.bias ? () => this.values(`${prefix}bias`) : () => new Float32Array(0);
    if (ins === 1 && outs === 1) {
      this.depthwise(node, x, y, this.values(weight), bias());
      return y;
    }
    // The kernels take whole groups of rows.
    const whole = upTo(outs, ROWS);
    const isWhole = whole === outs;
    const biases = this.keep(`${prefix}bias of groups`, groups * whole, () => {
      const spread = new Float32Array(groups * whole);
      bias().forEach((value, at) => {
        spread[Math.floor(at / outs) * whole + (at % outs)] = value;
      });
      return spread;
    });
    const matrix = isWhole
      ? this.tensor(weight).address
      : this.keep(weight, groups * whole * depth, () => {
          const spread = new Float32Array(groups * whole * depth);
          const values = this.values(weight);
          for (let group = 0; group < groups; group += 1)
            spread.set(values.subarray(group * outs * depth, (group + 1) * outs * depth), group * whole * depth);
          return spread;
        });
    const strips = y.stride / STRIP;
    const atOnce = Math.max(1, Math.min(strips, Math.floor(COLUMNS / (depth * STRIP))));
    const patches = this.arena.take(atOnce * depth * STRIP);
    const to = this.arena.view(patches, atOnce * depth * STRIP);
    const from = this.view(x);
    const sides = { height, width, columns, positions: rows * columns, kernel, stride, padding, dilation };
    for (let group = 0; group < groups; group += 1) {
      const planes = from.subarray(group * ins * x.stride);
      for (let strip = 0; strip < strips; strip += atOnce) {
        const count = Math.min(atOnce, strips - strip);
        gather(planes, x.stride, ins, sides, strip * STRIP, count, depth, to);
        this.kernels.gemm(
          matrix + 4 * group * whole * depth,
          patches,
          y.address + 4 * (group * outs * y.stride + strip * STRIP),
          biases + 4 * group * whole,
          whole,
          depth,
          count,
          4 * y.stride,
        );
      }
    }
    this.arena.give(patches, atOnce * depth * STRIP);
    return y;
  }

  /**
   * A convolution of each channel by itself: every row is a sum of shifted rows.
   * @param {GraphNode} node @param {Value} x @param {Value} y @param {Float32Array} weights @param {Float32Array} biases
   */
  depthwise({ kernel, stride, padding, dilation = [1, 1] }, x, y, weights, biases) {
    const [channels, height, width] = x.shape;
    const [, rows, columns] = y.shape;
    const [from, to] = [this.view(x), this.view(y)];
    for (let channel = 0; channel < channels; channel += 1) {
      const [plane, result] = [channel * x.stride, channel * y.stride];
      to.fill(biases[channel] ?? 0, result, result + rows * columns);
      for (let row = 0; row < rows; row += 1) {
        for (let tapY = 0; tapY < kernel[0]; tapY += 1) {
          const line = row * stride[0] + tapY * dilation[0] - padding[0];
          if (line < 0 || line >= height) continue;
          for (let tapX = 0; tapX < kernel[1]; tapX += 1) {
            const weight = weights[(channel * kernel[0] + tapY) * kernel[1] + tapX];
            const shift = tapX * dilation[1] - padding[1];
            const first = Math.max(0, Math.ceil(-shift / stride[1]));
            const last = Math.min(columns, Math.floor((width - 1 - shift) / stride[1]) + 1);
            const source = plane + line * width + shift;
            const target = result + row * columns;
            if (stride[1] > 1)
              for (let column = first; column < last; column += 1)
                to[target + column] += weight * from[source + column * stride[1]];
            else if (last > first)
              this.kernels.axpy(
                y.address + 4 * (target + first),
                x.address + 4 * (source + first),
                last - first,
                weight,
              );
          }
        }
      }
    }
  }

  /** @param {GraphNode} node @param {Value} x @param {string} prefix */
  linear(node, x, prefix) {
    const y = this.allocate(node.shape);
    const outs = node.shape[0];
    const bias = node.bias
      ? this.tensor(`${prefix}bias`).address
      : this.keep("no bias", 1 << 16, () => new Float32Array(0));
    if (!node.bias && outs > 1 << 16) throw new Error("The network has too large a layer for this page.");
    this.kernels.gemv(this.tensor(`${prefix}weight`).address, x.address, y.address, bias, outs, x.shape[0]);
    return y;
  }

  /** @param {GraphNode} node @param {Value} x @param {string} prefix @param {boolean} mayOverwrite */
  norm(node, x, prefix, mayOverwrite) {
    const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map((name) =>
      this.values(`${prefix}${name}`),
    );
    const scales = Float32Array.from(weight, (value, at) => value / Math.sqrt(variance[at] + (node.eps ?? 1e-5)));
    const shifts = Float32Array.from(bias, (value, at) => value - mean[at] * scales[at]);
    const y = this.copyOf(x, mayOverwrite);
    scales.forEach((scale, channel) => {
      this.kernels.affine(y.address + 4 * channel * y.stride, y.stride, scale, shifts[channel]);
    });
    return y;
  }

  /**
   * @param {GraphNode} node @param {Value} x
   * @param {(from: Float32Array, to: Float32Array, sides: { from: number[], to: number[] }) => void} pool of one channel
   */
  pooled(node, x, pool) {
    const y = this.allocate(node.shape);
    const [from, to] = [this.view(x), this.view(y)];
    const sides = { from: x.shape.slice(1), to: node.shape.slice(1) };
    for (let channel = 0; channel < x.shape[0]; channel += 1)
      pool(from.subarray(channel * x.stride), to.subarray(channel * y.stride), sides);
    return y;
  }

  /** @param {GraphNode} node @param {Value} x */
  mean(node, x) {
    const y = this.allocate(node.shape);
    const [from, to] = [this.view(x), this.view(y)];
    const sides = { from: x.shape.slice(1), to: [1, 1] };
    for (let channel = 0; channel < x.shape[0]; channel += 1)
      adaptiveMean(from.subarray(channel * x.stride), to.subarray(channel), sides);
    return y;
  }

  /** @param {GraphNode} node @param {Value} x @param {boolean} mayOverwrite */
  flatten(node, x, mayOverwrite) {
    if (x.shape.length === 1) return this.copyOf(x, mayOverwrite);
    const y = this.allocate(node.shape);
    const [from, to] = [this.view(x), this.view(y)];
    const pixels = x.shape[1] * x.shape[2];
    for (let channel = 0; channel < x.shape[0]; channel += 1)
      to.set(from.subarray(channel * x.stride, channel * x.stride + pixels), channel * pixels);
    return y;
  }

  /** @param {Value[]} inputs @param {boolean} mayOverwrite */
  sum(inputs, mayOverwrite) {
    const [first, ...rest] = inputs;
    const y = this.copyOf(first, mayOverwrite && !rest.includes(first));
    for (const x of rest) this.kernels.axpy(y.address, x.address, y.count, 1);
    return y;
  }

  /**
   * A product. A factor of one pixel stands for all pixels of its channel.
   * @param {Value[]} inputs
   */
  product(inputs) {
    const pixels = (/** @type {Value} */ { shape }) => (shape.length === 3 ? shape[1] * shape[2] : 1);
    const largest = inputs.reduce((a, b) => (pixels(b) > pixels(a) ? b : a));
    const y = this.copyOf(largest, false);
    const values = this.view(y);
    inputs.forEach((input, place) => {
      if (place === inputs.indexOf(largest)) return;
      const factors = this.view(input);
      const step = pixels(input) < pixels(y) ? 0 : 1;
      for (let channel = 0; channel < y.shape[0]; channel += 1) {
        const [start, from] = [channel * y.stride, channel * input.stride];
        for (let at = 0; at < y.stride; at += 1) values[start + at] *= factors[from + step * at];
      }
    });
    return y;
  }

  /** @param {GraphNode} node @param {Value[]} inputs */
  concat(node, inputs) {
    const y = this.allocate(node.shape);
    const to = this.view(y);
    let at = 0;
    for (const input of inputs) {
      const length = input.shape[0] * input.stride;
      to.set(this.view(input).subarray(0, length), at);
      at += length;
    }
    return y;
  }
}

/**
 * The patches under a kernel as columns: for each strip of eight positions, for each value of the kernel, eight values.
 * @param {Float32Array} from @param {number} plane values from one channel to the next @param {number} channels
 * @param {{ height: number, width: number, columns: number, positions: number, kernel: number[], stride: number[],
 *   padding: number[], dilation: number[] }} sides
 * @param {number} start the first position @param {number} strips @param {number} depth
 * @param {Float32Array} to
 */
function gather(from, plane, channels, sides, start, strips, depth, to) {
  const { height, width, columns, positions, kernel, stride, padding, dilation } = sides;
  const end = Math.min(positions, start + strips * STRIP);
  const isPointwise = kernel[0] * kernel[1] * stride[0] * stride[1] === 1 && padding[0] + padding[1] === 0;
  let tap = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    const source = channel * plane;
    if (isPointwise) {
      for (let strip = 0; strip < strips; strip += 1) {
        const [a, b] = [(strip * depth + tap) * STRIP, source + start + strip * STRIP];
        for (let lane = 0; lane < STRIP; lane += 1) to[a + lane] = from[b + lane];
      }
      tap += 1;
      continue;
    }
    for (let tapY = 0; tapY < kernel[0]; tapY += 1) {
      for (let tapX = 0; tapX < kernel[1]; tapX += 1) {
        const shift = tapX * dilation[1] - padding[1];
        let row = Math.floor(start / columns);
        let column = start - row * columns;
        let line = row * stride[0] + tapY * dilation[0] - padding[0];
        let target = tap * STRIP;
        let lane = 0;
        for (let position = start; position < end; position += 1) {
          const x = column * stride[1] + shift;
          to[target + lane] = line >= 0 && line < height && x >= 0 && x < width ? from[source + line * width + x] : 0;
          lane += 1;
          if (lane === STRIP) {
            lane = 0;
            target += depth * STRIP;
          }
          column += 1;
          if (column === columns) {
            column = 0;
            row += 1;
            line = row * stride[0] + tapY * dilation[0] - padding[0];
          }
        }
        tap += 1;
      }
    }
  }
}
