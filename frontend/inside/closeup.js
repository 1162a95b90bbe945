// The enlarged view of a tile with its numbers, and the arithmetic behind a chosen pixel.

import { h, setText } from "../lib/dom.js";
import { formatNumber } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { onTheme } from "../lib/theme.js";
import { numbers } from "./cache.js";
import { shortNumber } from "./cells.js";
import { colourScale, css, DIVERGING, SEQUENTIAL, textColourOn } from "./colours.js";
import { CONVOLUTIONS, inSentence } from "./layer-names.js";
import { hasWindow } from "./window/geometry.js";
import { windowPanel } from "./window/panel.js";

/** @import { Layer, TileValues } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

/** Kinds of layers whose values have both signs, even if those of one map do not. */
const SIGNED = new Set([...CONVOLUTIONS, "batch_norm", "linear"]);
/** The canvas width in pixels, twice that on the page, and the cell size from which numbers are shown. */
const WIDTH = 720;
const MIN_CELL = 84;
const TEXT = 23;

/** @param {InsideContext} context */
export function closeup(context) {
  const { state } = context;
  const title = h("h2", {}, "Close-up");
  const close = h(
    "button",
    {
      class: "button quiet icon small",
      type: "button",
      "aria-label": "Close",
      title: "Close",
      on: { click: () => state.set({ of: null, tile: null, y: null, x: null }) },
    },
    icon("cross", 14),
  );
  const canvas = h("canvas", { class: "cells-picture", tabindex: 0, role: "img" });
  const words = h("output", { class: "small muted" });
  const facts = h("p", { class: "small muted" });
  const why = h("div", { class: "why" });
  const sums = h("div", {}, why);
  const computing = windowPanel(context);
  const columns = h("div", { class: "closeup-columns" }, h("div", { class: "sums" }, canvas, words, facts), sums);
  const element = h(
    "section",
    { class: "card closeup", "aria-label": "Close-up", hidden: true },
    h("header", { class: "card-head" }, title, close),
    h("div", { class: "card-body" }, columns, computing.element),
  );

  /** @type {{ values: TileValues, height: number, width: number, size: number } | null} */
  let shown = null;
  let turnNumber = 0;

  onTheme(update);
  canvas.addEventListener("pointermove", (event) => tell(cellAt(event)));
  canvas.addEventListener("pointerleave", () => tell(null));
  canvas.addEventListener("click", (event) => {
    const cell = cellAt(event);
    if (cell && state.now.of === "map") state.set(cell);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = /** @type {{ [key: string]: [number, number] }} */ ({
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
    })[event.key];
    if (!step || !shown || state.now.of !== "map") return;
    event.preventDefault();
    const { height, width } = shown;
    state.set({
      y: Math.min(height - 1, Math.max(0, (state.now.y ?? 0) + step[0])),
      x: Math.min(width - 1, Math.max(0, (state.now.x ?? 0) + step[1])),
    });
  });

  /** @param {PointerEvent | MouseEvent} event */
  function cellAt(event) {
    if (!shown) return null;
    const rect = canvas.getBoundingClientRect();
    const y = Math.floor(((event.clientY - rect.top) / rect.height) * shown.height);
    const x = Math.floor(((event.clientX - rect.left) / rect.width) * shown.width);
    return y >= 0 && x >= 0 && y < shown.height && x < shown.width ? { y, x } : null;
  }

  /** @param {{ y: number, x: number } | null} cell */
  function tell(cell) {
    if (!shown) return;
    const { y, x } = cell ?? { y: state.now.y, x: state.now.x };
    if (y === null || x === null || y >= shown.height || x >= shown.width) {
      setText(
        words,
        state.now.of === "map"
          ? "Click a pixel to see how its value is computed."
          : "Point at a cell to read its value.",
      );
      return;
    }
    const { values, height, width } = shown;
    const channels = values.values.length / (height * width);
    const read = Array.from({ length: channels }, (_, channel) => values.values[(channel * height + y) * width + x]);
    setText(
      words,
      `row ${y}, column ${x}: ${read.map((value) => (value === null ? "nothing" : formatNumber(value))).join(", ")}`,
    );
  }

  async function update() {
    const { of, tile, filter } = state.now;
    const layer = context.layer;
    const turn = ++turnNumber;
    element.hidden = of === null || tile === null || !layer;
    if (!layer || of === null || tile === null) {
      computing.pause();
      return;
    }
    const one = context.of();
    const before = context.otherImage();
    const name = inSentence(context.layers, layer);
    const query =
      of === "kernel" ? { of, index: filter, input: tile } : { of: of === "map" ? "feature" : "filter", index: tile };
    setText(
      title,
      of === "map" && layer.kind === "linear"
        ? `Values of ${name}`
        : of === "map"
          ? `Map ${tile} of ${name}${before ? `, of ${before.words}` : ""}`
          : of === "kernel"
            ? `Filter ${filter}, channel ${tile}`
            : layer.kind === "linear"
              ? `Weights of ${name}`
              : `Filter ${tile} of ${name}`,
    );
    const slow = setTimeout(() => turn === turnNumber && element.classList.add("waits"), 150);
    const slides = of === "map" && hasWindow(layer) && !context.filming;
    columns.hidden = slides;
    computing.element.hidden = !slides;
    try {
      if (slides) {
        await computing.update(layer, () => turn === turnNumber);
        return;
      }
      computing.pause();
      /** @type {TileValues} */
      const values = await numbers(
        one.run,
        `layers/${encodeURIComponent(layer.name)}/values`,
        { ...query, ...one.query },
        one.stamp,
      );
      if (turn !== turnNumber) return;
      show(values);
      sums.hidden = of !== "map" || layer.shape.length !== 3;
      if (!sums.hidden) explain(layer);
    } catch (error) {
      if (turn === turnNumber)
        why.replaceChildren(h("p", { class: "refused" }, error instanceof Error ? error.message : String(error)));
    } finally {
      clearTimeout(slow);
      if (turn === turnNumber) {
        element.classList.remove("waits");
        element.dataset.settled = String(turn);
      }
    }
  }

  /** @param {TileValues} values */
  function show(values) {
    const [height, width] = values.shape.slice(-2);
    const size = Math.max(1, Math.min(180, Math.floor(WIDTH / Math.max(width, height * 0.75))));
    shown = { values, height, width, size };
    canvas.width = width * size;
    canvas.height = height * size;
    const ctx = canvas.getContext("2d");
    const diverging = state.now.of !== "map" || values.min < 0 || SIGNED.has(context.layer?.kind ?? "");
    if (ctx) draw(ctx, values, height, width, size, diverging);
    const { y, x, of } = state.now;
    if (ctx && y !== null && x !== null && of === "map" && y < height && x < width) {
      for (const [colour, thickness] of /** @type {[string, number][]} */ ([
        ["#000", 8],
        ["#fff", 3],
      ])) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = thickness;
        ctx.strokeRect(x * size, y * size, size, size);
      }
    }
    canvas.setAttribute(
      "aria-label",
      `${title.textContent}: ${height} by ${width} numbers from ${formatNumber(values.min)} to ${formatNumber(values.max)}`,
    );
    setText(
      facts,
      `${height}×${width} · ${formatNumber(values.min)} to ${formatNumber(values.max)} · mean ${formatNumber(values.mean)} · norm ${formatNumber(values.norm)}`,
    );
    tell(null);
  }

  /** Says where the chosen pixel comes from. @param {Layer} layer */
  function explain(layer) {
    const { tile, y, x } = state.now;
    if (y === null || x === null) {
      why.replaceChildren(h("p", { class: "muted small" }, "Click a pixel to see how its value is computed."));
      return;
    }
    if (context.filming) {
      const go = h(
        "button",
        { class: "button small", type: "button", on: { click: () => state.set({ checkpoint: "last" }) } },
        "Show the last checkpoint",
      );
      why.replaceChildren(
        h("p", { class: "muted small" }, "The film stores pictures but no weights, so there is no arithmetic to show."),
        go,
      );
      return;
    }
    const before = convolutionBefore(layer);
    why.replaceChildren(
      h(
        "p",
        { class: "muted small" },
        before
          ? `This value follows from the output of ${inSentence(context.layers, before)} at the same position.`
          : "The arithmetic is shown for convolutions, pooling and fully connected layers.",
      ),
      before
        ? h(
            "button",
            {
              class: "button small",
              type: "button",
              on: { click: () => state.set({ layer: before.name, of: "map", tile, y, x }) },
            },
            `Show the arithmetic of ${inSentence(context.layers, before)}`,
          )
        : "",
    );
  }

  /**
   * The convolution before a layer, if only normalization and activation lie between.
   * @param {Layer} layer
   */
  function convolutionBefore(layer) {
    const { layers } = context;
    for (let i = layers.indexOf(layer) - 1; i >= 0; i -= 1) {
      if (CONVOLUTIONS.has(layers[i].kind)) return layers[i];
      if (layers[i].kind !== "batch_norm" && layers[i].kind !== "activation") return null;
    }
    return null;
  }

  let updated = Promise.resolve();
  return {
    element,
    update: () => (updated = update()),
    /** Plays the sum of what is chosen, once it is there. */
    async play() {
      await updated;
      computing.play();
    },
  };
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {TileValues} of
 * @param {number} height
 * @param {number} width
 * @param {number} size of a cell
 * @param {boolean} diverging whether 0 is the middle of the colour map
 */
function draw(ctx, { values, min, max, shape }, height, width, size, diverging) {
  const channelSize = height * width;
  const rgb = shape.length === 3 && shape[0] === 3;
  const reach = Math.max(Math.abs(min), Math.abs(max)) || 1;
  const colour = diverging
    ? colourScale(DIVERGING, "diverging", min, max)
    : colourScale(SEQUENTIAL, "sequential", min, max);
  const grey = (/** @type {number | null} */ value) => Math.round(127.5 + (127.5 * (value ?? 0)) / reach);
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.font = `${Math.min(TEXT + 3, Math.max(TEXT, size / 5))}px ui-monospace, "DejaVu Sans Mono", monospace`;
  for (let at = 0; at < channelSize; at += 1) {
    const value = values[at];
    if (value === null) continue;
    const [y, x] = [Math.floor(at / width), at % width];
    const of = rgb
      ? /** @type {[number, number, number]} */ ([0, 1, 2].map((channel) => grey(values[channel * channelSize + at])))
      : colour(value);
    ctx.fillStyle = css(of);
    ctx.fillRect(x * size, y * size, size, size);
    if (size < MIN_CELL || rgb) continue;
    ctx.fillStyle = textColourOn(of);
    ctx.fillText(shortNumber(value), (x + 0.5) * size, (y + 0.5) * size);
  }
}
