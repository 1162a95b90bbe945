// The figure of the network: columns of neurons with their pictures, links, the buttons that change the widths, and a bar
// for the gradient of each layer. Neurons are buttons over the canvas on which
// `figure-paint.js` paints pictures and links.

import { h, setText } from "../lib/dom.js";
import { formatNumber } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { createPainter } from "./figure-paint.js";
import { BIAS, barShare, biasAt, layoutOf, linkAt, parameterAt } from "./layout.js";
import { MAX_NEURONS } from "./settings.js";
import { neuronName, networkName, sourceName } from "./words.js";

/** @import { Layout, Link } from "./layout.js" */
/** @import { Maps, Neuron } from "./maps.js" */
/** @import { Playground } from "./playground.js" */

/** The width that the words at the pointer may need. */
const TIP = 200;

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

  const painter = createPainter(canvas, playground);
  /** @type {Maps | null} */
  let maps = null;
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
  /** The neurons that the pointer and the focus are at. @type {{ hovered: Neuron | null, focused: Neuron | null }} */
  let at = { hovered: null, focused: null };
  /** The neuron in the order of the tab key. */
  let current = { column: 1, index: 0 };
  let shape = "";

  inner.addEventListener("pointermove", point);
  inner.addEventListener("pointerleave", () => setPointed(null));
  inner.addEventListener("click", (event) => {
    point(event);
    if (pointed) on.choose(pointed, pointed.from);
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
    const focused = buttons[current.column]?.[current.index] === document.activeElement;
    if (!sameWidths) {
      current = { column: 1, index: 0 };
      chosen = null;
      pointed = null;
      look({ hovered: null, focused: null });
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
            pointerenter: () => look({ hovered: neuron }),
            pointerleave: () => look({ hovered: null }),
            focus: () => {
              current = neuron;
              mark();
              look({ focused: neuron });
            },
            blur: () => look({ focused: null }),
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

  /** @param {Partial<typeof at>} change */
  function look(change) {
    at = { ...at, ...change };
    on.look(at.hovered ?? at.focused);
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
    tip.style.setProperty("--left", `${Math.min(Math.max(x, TIP / 2), layout.width - TIP / 2)}px`);
    tip.style.setProperty("--top", `${y}px`);
    setPointed(event.target === neurons ? (biasAt(layout, x, y) ?? linkAt(layout, x, y)) : null);
  }

  /** @param {Link | null} link */
  function setPointed(link) {
    const before = pointed;
    pointed = link;
    inner.classList.toggle("pointing", link !== null);
    tell();
    if (link || before) requestAnimationFrame(() => maps && painter.paint(layout, maps, pointed));
  }

  /** Tells the weight or the bias under the pointer. */
  function tell() {
    tip.hidden = pointed === null;
    if (!pointed) return;
    const { column, from } = pointed;
    const value = formatNumber(parameterAt(playground.trainer.network.layers, pointed));
    const to = neuronName(pointed, layout.widths.length).toLowerCase();
    setText(
      tip,
      from === BIAS ? `${value}: bias of ${to}` : `${value}: ${sourceName(column, from).toLowerCase()} to ${to}`,
    );
  }

  /** @param {Maps} next */
  function paint(next) {
    maps = next;
    if (shape === "") return;
    painter.paint(layout, next, pointed);
    tell();
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
