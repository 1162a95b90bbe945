// Paints the network: links, the picture of each neuron, and a dot for its bias.

import { colour, onTheme } from "../lib/theme.js";
import { drawPoint } from "../run/toy2d.js";
import { BIAS, biasPlace, ends, thickness, parameterAt } from "./layout.js";
import { CELLS, shadesOfTheme } from "./maps.js";

/** @import { Layout, Link } from "./layout.js" */
/** @import { Maps } from "./maps.js" */
/** @import { Playground } from "./playground.js" */

const CORNER = 5;

/** @param {HTMLCanvasElement} canvas @param {Playground} playground */
export function createPainter(canvas, playground) {
  const atlas = new OffscreenCanvas(CELLS, CELLS);
  const pixels = new Uint32Array(CELLS * CELLS);
  const image = new ImageData(new Uint8ClampedArray(pixels.buffer), CELLS);
  let shades = shadesOfTheme();
  onTheme(() => {
    shades = shadesOfTheme();
  });

  /** @param {Layout} layout @param {Maps} maps @param {Link | null} pointed what the pointer is at */
  function paint(layout, maps, pointed) {
    const context = canvas.getContext("2d");
    if (!context) return;
    const [width, height] = [layout.width, layout.height].map((length) => Math.round(length * devicePixelRatio));
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, layout.width, layout.height);
    paintLinks(context, layout, pointed);
    paintNeurons(context, layout, maps);
    paintBiases(context, layout, pointed);
    paintEnds(context, layout);
  }

  /** @param {CanvasRenderingContext2D} context @param {Layout} layout @param {Link | null} pointed */
  function paintLinks(context, layout, pointed) {
    const { widths } = layout;
    const { layers } = playground.trainer.network;
    const inks = { below: colour("--below"), above: colour("--above") };
    for (let column = 1; column < widths.length; column += 1) {
      for (let index = 0; index < widths[column]; index += 1) {
        for (let from = 0; from < widths[column - 1]; from += 1) {
          const link = { column, index, from };
          const weight = parameterAt(layers, link);
          const isPointed = isSame(pointed, link);
          const { x0, y0, x1, y1 } = ends(layout, link);
          const middle = (x0 + x1) / 2;
          context.beginPath();
          context.moveTo(x0, y0);
          context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
          context.lineWidth = thickness(weight) + (isPointed ? 2 : 0);
          context.strokeStyle = weight < 0 ? inks.below : inks.above;
          context.globalAlpha = isPointed ? 1 : 0.25 + 0.6 * Math.tanh(Math.abs(weight));
          context.stroke();
        }
      }
    }
    context.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} context @param {Layout} layout @param {Maps} of */
  function paintNeurons(context, layout, of) {
    const { widths, left, top, side } = layout;
    const all = widths.flatMap((count, column) => Array.from({ length: count }, (_, index) => ({ column, index })));
    if (atlas.height !== CELLS * all.length) atlas.height = CELLS * all.length;
    const small = atlas.getContext("2d");
    if (!small) return;
    context.save();
    context.beginPath();
    for (const { column, index } of all) context.roundRect(left[column], top[column][index], side, side, CORNER);
    context.clip();
    for (const [place, neuron] of all.entries()) {
      of.paint(neuron, of.reach(neuron), shades, pixels);
      small.putImageData(image, 0, CELLS * place);
    }
    for (const [place, { column, index }] of all.entries())
      context.drawImage(atlas, 0, CELLS * place, CELLS, CELLS, left[column], top[column][index], side, side);
    context.restore();
  }

  /**
   * A dot for each bias.
   * @param {CanvasRenderingContext2D} context @param {Layout} layout @param {Link | null} pointed
   */
  function paintBiases(context, layout, pointed) {
    const { layers } = playground.trainer.network;
    context.strokeStyle = colour("--surface");
    context.lineWidth = 1.5;
    for (const [i, { bias }] of layers.entries()) {
      for (const [index, value] of bias.entries()) {
        const link = { column: i + 1, index, from: BIAS };
        const { x, y } = biasPlace(layout, link);
        context.beginPath();
        context.arc(x, y, 2 + 3 * Math.tanh(Math.abs(value)) + (isSame(pointed, link) ? 1.5 : 0), 0, 2 * Math.PI);
        context.fillStyle = colour(value < 0 ? "--below" : "--above");
        context.fill();
        context.stroke();
      }
    }
  }

  /** What goes in, and the marks of the classes that come out. @param {CanvasRenderingContext2D} context @param {Layout} layout */
  function paintEnds(context, layout) {
    const { left, top, side, widths } = layout;
    context.font = 'italic 13px "Inter", -apple-system, "Segoe UI", "Liberation Sans", sans-serif';
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillStyle = colour("--ink-2");
    for (const [index, y] of top[0].entries()) context.fillText("xy"[index], left[0] - 5, y + side / 2);
    const last = widths.length - 1;
    for (const [index, y] of top[last].entries())
      drawPoint(context, left[last] + side + 9, y + side / 2, index, "train");
  }

  return { paint };
}

/** @param {Link | null} one @param {Link} other */
const isSame = (one, other) =>
  one !== null && one.column === other.column && one.index === other.index && one.from === other.from;
