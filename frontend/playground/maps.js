// The values of every neuron over the plane, from one forward pass over a grid, and their colours.

import { colour } from "../lib/theme.js";
import { ACTIVATIONS } from "./activations.js";
import { createWorkspace, forward } from "./network.js";

/** @import { Grid } from "../run/grid.js" */
/** @import { Data } from "./data.js" */
/** @import { Network } from "./network.js" */

/** Cells along each side of the grid. */
export const CELLS = 48;
const COUNT = CELLS * CELLS;
/** The colours on each side of 0. */
const SHADES = 127;

/** A neuron: its column, 0 for the inputs, and its place in it. @typedef {{ column: number, index: number }} Neuron */

/** @typedef {ReturnType<typeof createMaps>} Maps */

/** @param {Network} network @param {Data} data */
export function createMaps(network, { domain, mean, deviation, classes }) {
  const workspace = createWorkspace(network, COUNT);
  const last = network.layers.length - 1;
  const input = new Float64Array(2 * COUNT);
  for (let row = 0; row < CELLS; row += 1) {
    for (let cell = 0; cell < CELLS; cell += 1) {
      const at = 2 * (row * CELLS + cell);
      input[at] = (between(domain.x, cell) - mean[0]) / deviation[0];
      input[at + 1] = (between(domain.y, row) - mean[1]) / deviation[1];
    }
  }

  /** The values of a column, cell by cell. @param {number} column */
  function valuesOf(column) {
    if (column === 0) return input;
    return column - 1 === last ? workspace.sums[last] : workspace.values[column - 1];
  }

  /** @param {number} column */
  const widthOf = (column) => (column === 0 ? 2 : network.layers[column - 1].outputs);

  return {
    /** Computes the values of all neurons. */
    compute() {
      forward(network, workspace, input, COUNT);
    },
    /** The value at the ends of a neuron's colours: that of its activation, or its greatest magnitude. @param {Neuron} neuron */
    reach({ column, index }) {
      const bound = column > 0 && column - 1 < last ? ACTIVATIONS[network.activation].reach : null;
      if (bound !== null) return bound;
      const [values, width] = [valuesOf(column), widthOf(column)];
      let most = 0;
      for (let at = index; at < width * COUNT; at += width) most = Math.max(most, Math.abs(values[at]));
      return most;
    },
    /**
     * Writes a neuron's colours, the upper row first.
     * @param {Neuron} neuron @param {number} reach @param {Uint32Array} shades @param {Uint32Array} pixels
     */
    paint({ column, index }, reach, shades, pixels) {
      const [values, width] = [valuesOf(column), widthOf(column)];
      const scale = reach > 0 ? SHADES / reach : 0;
      for (let row = 0; row < CELLS; row += 1) {
        const [from, to] = [row * CELLS, (CELLS - 1 - row) * CELLS];
        for (let cell = 0; cell < CELLS; cell += 1) {
          const shade = Math.round(values[(from + cell) * width + index] * scale);
          pixels[to + cell] = shades[SHADES + Math.min(SHADES, Math.max(-SHADES, shade || 0))];
        }
      }
    },
    /** How many hidden neurons are 0 in every cell. */
    silent() {
      let count = 0;
      for (let column = 1; column <= last; column += 1)
        for (let index = 0; index < widthOf(column); index += 1) {
          const [values, width] = [valuesOf(column), widthOf(column)];
          let at = index;
          while (at < width * COUNT && values[at] === 0) at += width;
          if (at >= width * COUNT) count += 1;
        }
      return count;
    },
    /** The class of every cell with its confidence. @returns {Grid} */
    output() {
      const scores = workspace.sums[last];
      const found = new Uint8Array(COUNT);
      const confidence = new Float32Array(COUNT);
      const leads = Array.from({ length: classes }, () => new Float32Array(COUNT));
      for (let cell = 0; cell < COUNT; cell += 1) {
        const row = cell * classes;
        let best = 0;
        for (let c = 1; c < classes; c += 1) if (scores[row + c] > scores[row + best]) best = c;
        let sum = 0;
        let second = Number.NEGATIVE_INFINITY;
        for (let c = 0; c < classes; c += 1) {
          sum += Math.exp(scores[row + c] - scores[row + best]);
          if (c !== best) second = Math.max(second, scores[row + c]);
        }
        found[cell] = best;
        confidence[cell] = Math.max(0, (1 / sum - 1 / classes) / (1 - 1 / classes)) || 0;
        for (let c = 0; c < classes; c += 1)
          leads[c][cell] = scores[row + c] - (c === best ? second : scores[row + best]);
      }
      return { columns: CELLS, rows: CELLS, x: domain.x, y: domain.y, classes: found, confidence, leads };
    },
  };
}

/** The middle of a cell. @param {[number, number]} range @param {number} cell */
const between = ([low, high], cell) => low + ((high - low) * (cell + 0.5)) / CELLS;

/** The colours from the lowest value to the highest, as pixels of a canvas: those of the theme, 0 in the middle. */
export function shadesOfTheme() {
  const [below, middle, above] = ["--below", "--surface", "--above"].map((token) => parts(colour(token)));
  return Uint32Array.from({ length: 2 * SHADES + 1 }, (_, i) => {
    const share = (i - SHADES) / SHADES;
    const end = share < 0 ? below : above;
    const [r, g, b] = middle.map((channel, c) => Math.round(channel + (end[c] - channel) * Math.abs(share)));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

/** @param {string} text such as rgb(1, 2, 3) */
const parts = (text) => (text.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
