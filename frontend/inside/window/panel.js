// How a layer computes: its window with the choice of map, channel, class and direction, and the way to its neighbours.

import { h } from "../../lib/dom.js";
import { count } from "../../lib/format.js";
import { numbers, windowOf } from "../cache.js";
import { backward } from "../arithmetic.js";
import { denseView } from "./dense.js";
import { sideOf } from "./geometry.js";
import { neighbourLinks } from "./neighbours.js";
import { slidingView } from "./sliding.js";

/** @import { GradientAt, Layer, Prediction, SlidingWindow, TileValues } from "../../lib/types" */
/** @import { InsideContext } from "../context.js" */
/** @import { View } from "../view.js" */

/** A position that is not left for this time is kept. */
const REST_MS = 200;

/** @param {InsideContext} context */
export function windowPanel(context) {
  const { state } = context;
  const sliding = slidingView(context, {
    onPick: (channel) => state.set(state.now.way === "backward" ? chooseMap(channel) : { input: channel }),
    onRest: keep,
  });
  const dense = denseView(context);

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let keeping;
  /** Keeps the position in the address, once the keys rest: browsers refuse many changes in a short time. @param {number} y @param {number} x */
  function keep(y, x) {
    const { layer, tile, way } = state.now;
    clearTimeout(keeping);
    keeping = setTimeout(() => {
      const { now } = state;
      if (now.of === "map" && now.layer === layer && now.tile === tile && now.way === way) state.set({ y, x });
    }, REST_MS);
  }

  const ways = h(
    "div",
    { class: "segments", role: "radiogroup", "aria-label": "Direction" },
    ...[
      ["forward", "Forward"],
      ["backward", "Backward"],
    ].map(([value, label]) =>
      h(
        "label",
        {},
        h("input", { type: "radio", name: "window-way", value, on: { change: () => turn(value) } }),
        h("span", {}, label),
      ),
    ),
  );
  const number = (/** @type {string} */ label, /** @type {(value: number) => void} */ choose) => {
    const input = h("input", {
      class: "input",
      type: "number",
      min: 0,
      step: 1,
      on: {
        change: () => {
          const value = Number(input.value);
          if (input.value !== "" && Number.isInteger(value) && value >= Number(input.min) && value <= Number(input.max))
            choose(value);
          else input.value = input.defaultValue;
        },
      },
    });
    return { input, label: h("label", { class: "small" }, h("span", {}, label), input) };
  };
  const map = number("Map", (value) => state.set(chooseMap(value)));
  const input = number("Input channel", (value) => state.set({ input: value }));
  const ofClass = h("select", {
    class: "select",
    on: { change: () => state.set({ class: ofClass.value === "" ? null : Number(ofClass.value) }) },
  });
  const classLabel = h("label", { class: "small" }, h("span", {}, "Score of"), ofClass);
  const tools = h("div", { class: "window-tools" }, ways, map.label, input.label, classLabel);
  /** Holds the one of the two views that the layer needs. */
  const view = h("div", {});
  const use = (/** @type {HTMLElement} */ element) => element.parentElement !== view && view.replaceChildren(element);
  const passed = h("div", {});
  const passes = h(
    "details",
    { class: "window-more", on: { toggle: () => passOn() } },
    h("summary", {}, "What the output above this position passes on, to the input and to the weights"),
    passed,
  );
  const links = h("div", {});
  const refused = h("p", { class: "refused", role: "status", hidden: true });
  const element = h("div", { class: "window-panel", hidden: true }, tools, refused, view, passes, links);

  /** @type {{ key: string, of: SlidingWindow } | null} */
  let loaded = null;
  /** The width of the picture of a vector. */
  let vectorWidth = 1;

  /** The map or value that the view names. @param {Layer} layer @param {View} view */
  const mapOf = (layer, { tile, y, x }) =>
    layer.shape.length === 3 ? (tile ?? 0) : Math.min(layer.shape[0] - 1, (y ?? 0) * vectorWidth + (x ?? 0));

  /** Chooses a map, which may read other channels than the one before. @param {number} value @returns {Partial<View>} */
  function chooseMap(value) {
    const { layer } = context;
    const grouped = loaded !== null && loaded.of.direction === "forward" && isGrouped(loaded.of);
    const input = grouped ? { input: null } : {};
    if (layer?.shape.length === 3) return { tile: value, ...input };
    return { tile: 0, y: Math.floor(value / vectorWidth), x: value % vectorWidth, ...input };
  }

  /** Turns the direction; the position goes to the pixel under the window, or to the output above it. @param {string} way */
  function turn(way) {
    const { y, x } = state.now;
    const of = loaded?.of;
    /** @type {Partial<View>} */
    const at = {};
    if (of && of.operation !== "linear") {
      const across = way === "backward" ? inputUnder(of, y ?? 0, x ?? 0) : outputAbove(of, y ?? 0, x ?? 0);
      [at.y, at.x] = across;
      // What is shown forward and backward is the same pair of map and channel.
      at.input = of.input;
    }
    state.set({ way: /** @type {View["way"]} */ (way), ...at });
  }

  /** @param {Layer} layer @returns {Promise<SlidingWindow>} */
  async function load(layer) {
    const one = context.of();
    const { now } = state;
    const path = `layers/${encodeURIComponent(layer.name)}`;
    if (layer.shape.length !== 3) {
      /** @type {TileValues} */
      const { shape } = await numbers(one.run, `${path}/values`, { of: "feature", index: 0, ...one.query }, one.stamp);
      vectorWidth = shape.at(-1) ?? 1;
    }
    const index = mapOf(layer, now);
    const back = now.way === "backward";
    // A channel that was told already needs no further request.
    const target = back ? now.input : index;
    const key = JSON.stringify([layer.name, now.way, target, back ? now.class : null, one]);
    const source = back ? index : now.input;
    if (loaded?.key === key && (source === null || isTold(loaded.of, source))) return loaded.of;
    const of = await windowOf(
      one.run,
      layer.name,
      {
        direction: now.way,
        map: back && layer.kind === "linear" ? null : index,
        input: layer.kind === "linear" && !back ? null : now.input,
        class: back ? now.class : null,
        ...one.query,
      },
      one.stamp,
    );
    loaded = { key, of };
    return of;
  }

  /** @param {SlidingWindow} of @param {number} channel */
  const isTold = (of, channel) => of.operation === "linear" || of.planes.some((plane) => plane.channel === channel);

  /** @param {Layer} layer @param {() => boolean} isCurrent */
  async function update(layer, isCurrent) {
    if (!isCurrent()) return;
    for (const radio of ways.querySelectorAll("input")) radio.checked = radio.value === state.now.way;
    try {
      const of = await load(layer);
      const { layers } = context;
      const isLast = layers.at(-1) === layer;
      const one = context.of();
      /** @type {Prediction | null} */
      const told = isLast && layer.kind === "linear" ? await numbers(one.run, "predict", one.query, one.stamp) : null;
      if (!isCurrent()) return;
      refused.hidden = true;
      showTools(of, layer);
      view.hidden = false;
      if (of.operation === "linear") {
        sliding.pause();
        use(dense.element);
        dense.show(of, layer, told?.top ?? []);
      } else {
        dense.pause();
        use(sliding.element);
        const chosen = of.direction === "backward" ? of.map : (state.now.input ?? of.input);
        const channel = of.direction === "backward" ? mapOf(layer, state.now) : chosen;
        const [y, x] =
          layer.shape.length === 3 || of.direction === "backward" ? [state.now.y ?? 0, state.now.x ?? 0] : [0, 0];
        await sliding.show(of, layer, channel, { y, x });
      }
      passes.hidden = of.direction !== "backward" || of.geometry === null;
      passOn();
      const { y, x } = state.now;
      const [row, column] = of.operation === "linear" ? [0, 0] : inputUnder(of, y ?? 0, x ?? 0);
      links.replaceChildren(
        neighbourLinks(layers, layer, state, { channel: state.now.input ?? of.input, y: row, x: column }),
      );
    } catch (error) {
      if (!isCurrent()) return;
      refused.hidden = false;
      refused.textContent = error instanceof Error ? error.message : String(error);
      sliding.pause();
      dense.pause();
      view.hidden = passes.hidden = true;
      links.replaceChildren();
    }
  }

  /** Shows what one output's gradient does, once that is opened. */
  async function passOn() {
    if (!passes.open || passes.hidden || !loaded) return;
    const { of } = loaded;
    const one = context.of();
    const [y, x] = outputAbove(of, state.now.y ?? 0, state.now.x ?? 0);
    const path = `layers/${encodeURIComponent(of.layer)}/gradient`;
    const query = { map: state.now.tile ?? of.map, y, x, class: state.now.class, ...one.query };
    try {
      /** @type {GradientAt} */
      const told = await numbers(one.run, path, query, one.stamp);
      if (loaded?.of === of) passed.replaceChildren(backward(told, context.inside?.classes[told.class] ?? ""));
    } catch (error) {
      passed.replaceChildren(h("p", { class: "refused" }, error instanceof Error ? error.message : String(error)));
    }
  }

  /** @param {SlidingWindow} of @param {Layer} layer */
  function showTools(of, layer) {
    const back = of.direction === "backward";
    const classes = context.inside?.classes ?? [];
    const set = (
      /** @type {HTMLInputElement} */ field,
      /** @type {number} */ value,
      /** @type {number} */ from,
      /** @type {number} */ until,
    ) => {
      field.min = String(from);
      field.max = String(until - 1);
      field.defaultValue = field.value = String(value);
      field.title = `${count(from)} to ${count(until - 1)}`;
    };
    const linear = of.operation === "linear";
    const pool = of.pool !== null;
    const outputs = back ? of.source[0] : of.target[0];
    const inputs = back ? of.target[0] : of.source[0];
    const [from, until] = back ? [0, inputs] : of.reads;
    set(
      map.input,
      back && !linear ? mapOf(layer, state.now) : of.map,
      ...(back && !linear ? of.reads : /** @type {[number, number]} */ ([0, outputs])),
    );
    set(input.input, back ? of.input : (state.now.input ?? of.input), from, until);
    /** @type {HTMLElement} */ (map.label.firstElementChild).textContent = linear ? "Value" : pool ? "Channel" : "Map";
    /** @type {HTMLElement} */ (input.label.firstElementChild).textContent = linear ? "Input value" : "Input channel";
    // A pooling layer keeps channels apart, and a fully connected one reads all values forward.
    map.label.hidden = (linear && back) || (pool && back);
    input.label.hidden = (linear && !back) || (pool && !back);
    classLabel.hidden = !back;
    if (ofClass.options.length !== classes.length + 1)
      ofClass.replaceChildren(
        h("option", { value: "" }, "the predicted class"),
        ...classes.map((name, i) => h("option", { value: i }, name)),
      );
    ofClass.value = state.now.class === null ? "" : String(state.now.class);
  }

  return {
    element,
    update,
    play() {
      if (loaded && !view.hidden) (loaded.of.operation === "linear" ? dense : sliding).play();
    },
    pause() {
      sliding.pause();
      dense.pause();
    },
  };
}

/** Whether maps read different channels. @param {SlidingWindow} of */
const isGrouped = (of) => (of.geometry?.groups ?? 1) > 1;

/** The input's pixel in the middle of an output's window. @param {SlidingWindow} of @param {number} y @param {number} x @returns {[number, number]} */
function inputUnder({ geometry, pool, source, target, direction }, y, x) {
  if (direction === "backward") return [y, x];
  const [height, width] = sideOf(source);
  const [rows, columns] = sideOf(target);
  const inside = (/** @type {number} */ at, /** @type {number} */ side) => Math.min(side - 1, Math.max(0, at));
  if (pool) {
    const middle = (/** @type {{ start: number, end: number }} */ { start, end }) => (start + end - 1) >> 1;
    return [middle(pool.rows[inside(y, rows)]), middle(pool.columns[inside(x, columns)])];
  }
  if (!geometry) return [0, 0];
  const { kernel, stride, padding, dilation } = geometry;
  const centre = (/** @type {number} */ at, /** @type {0 | 1} */ axis) =>
    at * stride[axis] + (kernel[axis] >> 1) * dilation[axis] - padding[axis];
  return [inside(centre(y, 0), height), inside(centre(x, 1), width)];
}

/** An output whose window has an input's pixel about its middle. @param {SlidingWindow} of @param {number} y @param {number} x @returns {[number, number]} */
function outputAbove({ geometry, pool, source }, y, x) {
  const [height, width] = sideOf(source);
  const inside = (/** @type {number} */ at, /** @type {number} */ side) => Math.min(side - 1, Math.max(0, at));
  if (pool) {
    const covering = (/** @type {{ start: number, end: number }[]} */ spans, /** @type {number} */ at) =>
      Math.max(
        0,
        spans.findIndex(({ start, end }) => at >= start && at < end),
      );
    return [covering(pool.rows, y), covering(pool.columns, x)];
  }
  if (!geometry) return [0, 0];
  const { kernel, stride, padding, dilation } = geometry;
  const above = (/** @type {number} */ at, /** @type {0 | 1} */ axis) =>
    Math.floor((at + padding[axis] - (kernel[axis] >> 1) * dilation[axis]) / stride[axis]);
  return [inside(above(y, 0), height), inside(above(x, 1), width)];
}
