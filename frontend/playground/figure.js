// The figure of the network: columns of neurons with their pictures, links, the buttons that change the widths, and a bar
// for the gradient of each layer. Pictures and links are painted on one canvas; neurons are buttons over it.

import { h, setText } from "../lib/dom.js";
import { formatNumber } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { colour, onTheme } from "../lib/theme.js";
import { barShare, ends, layoutOf, linkAt, thickness, weightOf } from "./layout.js";
import { CELLS, shadesOfTheme } from "./maps.js";
import { MAX_NEURONS } from "./settings.js";
import { neuronName, networkName, sourceName } from "./words.js";

/** @import { Layout, Link } from "./layout.js" */
/** @import { Maps, Neuron } from "./maps.js" */
/** @import { Playground } from "./playground.js" */

const CORNER = 5;

/**
 * @param {Playground} playground
 * @param {{
 *   look: (neuron: Neuron | null) => void,
 *   choose: (neuron: Neuron, from?: number) => void,
 * }} on `look`: a neuron is pointed at or focused; `choose`: it, or a link to it, is pressed
 */
export function figure(playground, on) {
  const canvas = h("canvas", { class: "net-canvas", "aria-hidden": "true" });
  const neurons = h("div", { class: "net-neurons" });
  const heads = h("div", { class: "net-heads" });
  const bars = h("div", { class: "net-bars" });
  const tip = h("div", { class: "net-tip", hidden: true });
  const inner = h("div", { class: "net-inner" }, canvas, heads, bars, neurons, tip);
  const element = h("div", { class: "net-figure", role: "group", on: { keydown: walk } }, inner);

  const atlas = new OffscreenCanvas(CELLS, CELLS);
  const pixels = new Uint32Array(CELLS * CELLS);
  const image = new ImageData(new Uint8ClampedArray(pixels.buffer), CELLS);
  let shades = shadesOfTheme();
  /** @type {Layout} */
  let layout = layoutOf([2, 2], 0);
  /** @type {HTMLButtonElement[][]} */
  let buttons = [];
  /** @type {{ bar: HTMLElement, value: HTMLElement }[]} */
  let gradientBars = [];
  /** @type {Link | null} */
  let pointed = null;
  /** @type {Neuron | null} */
  let chosen = null;
  /** The neuron in the order of the tab key. */
  let current = { column: 1, index: 0 };
  let shape = "";

  inner.addEventListener("pointermove", point);
  inner.addEventListener("pointerleave", () => setPointed(null));
  inner.addEventListener("click", (event) => {
    if (event.target === neurons || event.target === canvas) {
      point(event);
      if (pointed) on.choose(pointed, pointed.from);
    }
  });
  onTheme(() => {
    shades = shadesOfTheme();
  });

  /** Builds what depends on the shape alone. */
  function build() {
    const { settings, data } = playground;
    const widths = [2, ...settings.hidden, data.classes];
    const room = element.clientWidth;
    const next = `${widths} ${room} ${devicePixelRatio}`;
    element.setAttribute("aria-label", networkName(settings, data.classes));
    if (next === shape || room === 0) return;
    const sameWidths = shape.split(" ")[0] === String(widths);
    shape = next;
    layout = layoutOf(widths, room);
    inner.style.setProperty("--width", `${layout.width}px`);
    inner.style.setProperty("--height", `${layout.height}px`);
    canvas.width = Math.round(layout.width * devicePixelRatio);
    canvas.height = Math.round(layout.height * devicePixelRatio);
    const focused = buttons[current.column]?.[current.index] === document.activeElement;
    if (!sameWidths) {
      current = { column: 1, index: 0 };
      chosen = null;
      pointed = null;
      tip.hidden = true;
    }
    buildNeurons();
    buildHeads();
    buildBars();
    mark();
    if (focused) buttons[current.column][current.index].focus();
  }

  function buildNeurons() {
    const { widths, side, left, top } = layout;
    buttons = widths.map((count, column) =>
      Array.from({ length: count }, (_, index) => {
        const neuron = { column, index };
        return h("button", {
          class: "net-neuron",
          type: "button",
          "aria-label": neuronName(neuron, widths.length),
          vars: { left: `${left[column]}px`, top: `${top[column][index]}px`, side: `${side}px` },
          on: {
            pointerenter: () => on.look(neuron),
            pointerleave: () => on.look(null),
            focus: () => {
              current = neuron;
              mark();
              on.look(neuron);
            },
            blur: () => on.look(null),
            click: () => on.choose(neuron),
          },
        });
      }),
    );
    neurons.replaceChildren(...buttons.flat());
  }

  function buildHeads() {
    const { widths, left, side } = layout;
    heads.replaceChildren(
      ...widths.map((count, column) => {
        const isHidden = column > 0 && column < widths.length - 1;
        const name = column === 0 ? "Inputs" : isHidden ? `Layer ${column}` : "Outputs";
        return h(
          "div",
          { class: "net-head", vars: { left: `${left[column] + side / 2}px` } },
          h("span", { class: "net-title" }, name),
          isHidden
            ? h(
                "span",
                { class: "net-count" },
                widthButton(column, -1, "minus"),
                h("b", {}, count),
                widthButton(column, 1, "plus"),
              )
            : h("b", {}, count),
        );
      }),
    );
  }

  /** @param {number} column @param {1 | -1} by @param {"plus" | "minus"} sign */
  function widthButton(column, by, sign) {
    const count = layout.widths[column];
    const words = `${by > 0 ? "Add a neuron to" : "Remove a neuron from"} layer ${column}`;
    return h(
      "button",
      {
        class: "net-step",
        type: "button",
        "aria-label": words,
        title: words,
        disabled: by > 0 ? count === MAX_NEURONS : count === 1,
        on: {
          click: () => {
            const hidden = playground.settings.hidden.with(column - 1, count + by);
            playground.change({ hidden });
            // The button was built anew; the focus stays where it was, or on its neighbour at the end.
            const places = /** @type {HTMLButtonElement[]} */ ([...heads.children[column].querySelectorAll("button")]);
            const same = places[by > 0 ? 1 : 0];
            (same.disabled ? places[by > 0 ? 0 : 1] : same).focus();
          },
        },
      },
      icon(sign, 12),
    );
  }

  function buildBars() {
    const { widths, left, side } = layout;
    gradientBars = [];
    const columns = widths.slice(1).map((_, i) => {
      const bar = h("span", { class: "net-bar" });
      const value = h("span", { class: "net-gradient" });
      gradientBars.push({ bar, value });
      return h("div", { class: "net-foot", vars: { left: `${left[i + 1] + side / 2}px` } }, bar, value);
    });
    const label = h("div", { class: "net-foot", vars: { left: `${left[0] + side / 2}px` } }, "Mean gradient");
    label.title = "The mean magnitude of the gradient of each layer's weights, over all training points";
    bars.replaceChildren(label, ...columns);
  }

  /** Marks the chosen neuron, and the one that the tab key comes to. */
  function mark() {
    for (const [column, all] of buttons.entries())
      for (const [index, button] of all.entries()) {
        button.tabIndex = column === current.column && index === current.index ? 0 : -1;
        button.setAttribute("aria-pressed", String(chosen?.column === column && chosen.index === index));
      }
  }

  /** Arrow keys go from neuron to neuron. @param {KeyboardEvent} event */
  function walk(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!by || !(event.target instanceof HTMLElement) || !event.target.matches(".net-neuron")) return;
    event.preventDefault();
    const column = Math.min(buttons.length - 1, Math.max(0, current.column + by[0]));
    const index = Math.min(buttons[column].length - 1, Math.max(0, current.index + by[1]));
    buttons[column][index].focus();
  }

  /** @param {PointerEvent | MouseEvent} event */
  function point(event) {
    const box = inner.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    setPointed(event.target === neurons || event.target === canvas ? linkAt(layout, x, y) : null, x, y);
  }

  /** @param {Link | null} link @param {number} [x] @param {number} [y] */
  function setPointed(link, x = 0, y = 0) {
    const before = pointed;
    pointed = link;
    tip.hidden = link === null;
    inner.classList.toggle("pointing", link !== null);
    if (link) {
      const to = neuronName(link, layout.widths.length);
      const weight = weightOf(playground.trainer.network.layers, link);
      setText(
        tip,
        `${formatNumber(weight)}: ${sourceName(link.column, link.from).toLowerCase()} to ${to.toLowerCase()}`,
      );
      tip.style.setProperty("--left", `${Math.min(Math.max(x, 90), layout.width - 90)}px`);
      tip.style.setProperty("--top", `${y}px`);
    }
    if (link || before) requestAnimationFrame(() => maps && paint(maps));
  }

  /** @type {Maps | null} */
  let maps = null;

  /** @param {Maps} next */
  function paint(next) {
    maps = next;
    const context = canvas.getContext("2d");
    if (!context || shape === "") return;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, layout.width, layout.height);
    paintLinks(context);
    paintNeurons(context, next);
    paintBiases(context);
  }

  /** @param {CanvasRenderingContext2D} context */
  function paintLinks(context) {
    const { widths } = layout;
    const { layers } = playground.trainer.network;
    const inks = { below: colour("--below"), above: colour("--above") };
    for (let column = 1; column < widths.length; column += 1) {
      for (let index = 0; index < widths[column]; index += 1) {
        for (let from = 0; from < widths[column - 1]; from += 1) {
          const link = { column, index, from };
          const weight = weightOf(layers, link);
          const isPointed =
            pointed !== null && pointed.column === column && pointed.index === index && pointed.from === from;
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

  /** @param {CanvasRenderingContext2D} context @param {Maps} of */
  function paintNeurons(context, of) {
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

  /** A dot at the lower left of each neuron: its bias. @param {CanvasRenderingContext2D} context */
  function paintBiases(context) {
    const { widths, left, top, side } = layout;
    const { layers } = playground.trainer.network;
    for (let column = 1; column < widths.length; column += 1) {
      for (let index = 0; index < widths[column]; index += 1) {
        const bias = layers[column - 1].bias[index];
        context.beginPath();
        context.arc(left[column] + 1, top[column][index] + side - 1, 2 + 3 * Math.tanh(Math.abs(bias)), 0, 2 * Math.PI);
        context.fillStyle = colour(bias < 0 ? "--below" : "--above");
        context.strokeStyle = colour("--surface");
        context.lineWidth = 1.5;
        context.fill();
        context.stroke();
      }
    }
  }

  /** @param {number[]} gradients of all layers */
  function showGradients(gradients) {
    for (const [i, { bar, value }] of gradientBars.entries()) {
      bar.style.setProperty("--share", String(barShare(gradients[i], gradients)));
      setText(value, Number.isFinite(gradients[i]) ? gradients[i].toExponential(1).replace("e+", "e") : "not finite");
    }
  }

  return {
    element,
    build,
    paint,
    showGradients,
    /** @param {Neuron | null} neuron */
    setChosen(neuron) {
      chosen = neuron;
      mark();
    },
  };
}
