// The window of a convolution or a pooling layer, which moves over what the layer reads and fills a map value by value.
// Backward, a position of the input gathers its gradient from the outputs.

import { h, setText } from "../../lib/dom.js";
import { count, formatNumber } from "../../lib/format.js";
import { onTheme } from "../../lib/theme.js";
import { arithmeticOfWindow, chainLink, chainSign, gatheredTerms, term } from "../arithmetic.js";
import { picture } from "../cache.js";
import { cells } from "../cells.js";
import { DIVERGING, SEQUENTIAL } from "../colours.js";
import { kindOf, sizes } from "../layer-names.js";
import { channelLinks, paintThumbnail } from "./channels.js";
import {
  capital,
  inRows,
  known,
  paddingOf,
  partAt,
  patchAt,
  productsAt,
  sideOf,
  tapsAt,
  termsAt,
  weightsAt,
} from "./geometry.js";
import { coloursOf, planeView } from "./plane.js";
import { transport } from "./transport.js";

/** @import { Layer, SlidingWindow, SourcePlane } from "../../lib/types" */
/** @import { InsideContext } from "../context.js" */
/** @import { Taps } from "./geometry.js" */

/** Larger windows are told in words. */
const MAX_GRID = 11;
/** While the window moves fast, its numbers change at most this often. */
const GRID_MS = 80;
/** Shares of a position's time after which the products, the other channels and the bias are added. */
const PRODUCTS = 0.7;
const CHANNELS = 0.95;
/** Terms that are listed. */
const TERMS = 8;

/**
 * `onPick` chooses another channel or map; `onRest` is called with the position where the window stays.
 * @param {InsideContext} context
 * @param {{ onPick: (channel: number) => void, onRest: (y: number, x: number) => void }} options
 */
export function slidingView(context, { onPick, onRest }) {
  const player = transport({ onMove: move, onRest: rest });
  const source = planeView({ label: "What the window reads" });
  const target = planeView({ label: "The map that it fills", onPick: (y, x) => player.seek(y * widthOf() + x) });
  const sourceName = h("figcaption", {});
  const targetName = h("figcaption", {});
  const links = channelLinks({ onPick });
  const grids = h("div", { class: "equation window-grids" });
  const ownName = h("dt", {});
  const own = h("dd", {});
  const sumName = h("dt", {});
  const sum = h("output", { class: "running-sum", "aria-live": "off" });
  const about = h("p", { class: "muted small" });
  const chain = h("div", { class: "chain" });
  const announced = h("p", { class: "visually-hidden", role: "status" });
  const all = h("div", {});
  const more = h("details", { class: "window-more" }, h("summary", {}), all);
  const stage = h(
    "div",
    { class: "window-stage", tabindex: 0, role: "group" },
    h("figure", { class: "window-source" }, sourceName, source.element),
    h("div", { class: "window-links" }, links.element),
    h("figure", { class: "window-target" }, targetName, target.element),
  );
  const element = h(
    "div",
    { class: "window-view", on: { keydown: player.onKey } },
    about,
    player.element,
    stage,
    h(
      "div",
      { class: "window-sum" },
      grids,
      h("dl", { class: "running" }, h("div", {}, ownName, own), h("div", {}, sumName, h("dd", {}, sum))),
    ),
    chain,
    more,
    announced,
  );
  more.addEventListener("toggle", () => showMore());

  /** @type {{ of: SlidingWindow, plane: SourcePlane, photo: ImageBitmap | null } | null} */
  let now = null;
  let drawnAt = 0;
  let turn = 0;
  // What is shown next is painted anew.
  onTheme(() => (now = null));

  const widthOf = () => (now ? sideOf(now.of.target)[1] : 1);
  const backward = () => now?.of.direction === "backward";

  /** The name of a source or of the target. @param {boolean} isSource @param {number} channel */
  function nameOf(isSource, channel) {
    const isInput = isSource !== backward();
    const name = isInput ? `input channel ${channel}` : `map ${channel}`;
    return backward() ? `gradient of ${name}` : name;
  }

  /**
   * @param {SlidingWindow} of
   * @param {Layer} layer
   * @param {number} channel the source that is shown large
   * @param {{ y: number, x: number }} at the position
   */
  async function show(of, layer, channel, at) {
    const mine = ++turn;
    const plane = of.planes.find((known) => known.channel === channel) ?? of.planes[0];
    const same = now?.of === of;
    const unchanged = same && now?.plane === plane;
    const photo = await photoOf(of, layer);
    if (mine !== turn) return;
    now = { of, plane, photo };
    const [height, width] = sideOf(of.source);
    const padding = paddingOf(of);
    // Batch normalisation and convolutions give both signs, and so do gradients.
    const signed = backward() ? { legend: DIVERGING, map: /** @type {const} */ ("diverging") } : null;
    const painted = (/** @type {SourcePlane} */ { values }) => ({
      values,
      height,
      width,
      ...(signed ?? coloursOf(values, SEQUENTIAL)),
    });
    if (!unchanged) source.show({ ...painted(plane), padding, picture: photo });
    const [tall, wide] = sideOf(of.target);
    const pooling = of.pool !== null;
    const colours = !pooling || signed ? { legend: DIVERGING, map: /** @type {const} */ ("diverging") } : null;
    if (!same)
      target.show({ values: of.values, height: tall, width: wide, ...(colours ?? coloursOf(of.values, SEQUENTIAL)) });
    const shown = photo
      ? context.image === "pinned" || context.image?.includes(":")
        ? "the image"
        : "your photo"
      : nameOf(true, plane.channel);
    sourceName.replaceChildren(
      h("b", {}, capital(shown)),
      ` ${height}×${width}${photo ? `, with channel ${plane.channel} below` : ""}`,
    );
    targetName.replaceChildren(
      h("b", {}, capital(nameOf(false, backward() ? of.input : of.map))),
      ` ${tall}×${wide}${backward() || pooling ? "" : ", the convolution's own sum"}`,
    );
    if (!same)
      links.show(of.planes, backward() ? "map" : "channel", (each, canvas) => paintThumbnail(painted(each), canvas));
    about.textContent = aboutWindow(of, context.inside?.classes ?? []);
    stage.setAttribute(
      "aria-label",
      `The window over ${shown}, and the ${nameOf(false, backward() ? of.input : of.map)}. Space plays, arrow keys move the window.`,
    );
    const summary = /** @type {HTMLElement} */ (more.firstElementChild);
    setText(summary, backward() ? "The largest terms at this position" : "Every channel's numbers at this position");
    more.hidden = pooling && !backward();
    drawnAt = 0;
    player.show(tall, wide, at.y * wide + at.x);
    showMore();
    tellSoon();
  }

  /** The photo, where a layer reads it in colour. @param {SlidingWindow} of @param {Layer} layer */
  async function photoOf(of, layer) {
    const { image } = context;
    if (of.direction === "backward" || layer.inputs[0] !== "input" || of.source[0] !== 3 || image === null) return null;
    const one = context.of();
    return picture(one.run, `images/${encodeURIComponent(image)}.png`, {}, one.stamp).catch(() => null);
  }

  /** Draws the window at a position, with a share of its sum. @param {number} n @param {number} share */
  function move(n, share) {
    if (!now) return;
    const { of, plane } = now;
    const taps = tapsAt(of, n);
    const parts = new Map(of.planes.map((each) => [each.channel, partAt(taps, each)]));
    const each = productsAt(taps, plane);
    const others = of.planes.filter((each) => each !== plane);
    const done = share >= 1;
    const products = done ? each.length : Math.min(each.length, Math.floor((share / PRODUCTS) * each.length));
    const channels = done
      ? others.length
      : Math.min(
          others.length,
          Math.max(0, Math.floor(((share - PRODUCTS) / (CHANNELS - PRODUCTS)) * (others.length + 1))),
        );
    // The channels that are not listed come last, all at once.
    const isListed = of.reads[1] - of.reads[0] === of.planes.length;
    const complete = done || share >= CHANNELS || (isListed && products === each.length && channels === others.length);
    const rest = of.rest ? known(of.rest[n]) : 0;
    const otherParts = others.map((each) => parts.get(each.channel) ?? 0);
    const total = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0);
    const ofChannel = total(each.slice(0, products));
    let running = ofChannel + total(otherParts.slice(0, channels));
    if (complete) running += rest;
    if (done) running += of.bias ?? 0;

    const width = sideOf(of.source)[1];
    const read = taps.sources.flatMap((at) => (at === null ? [] : [{ y: Math.floor(at / width), x: at % width }]));
    const counted = taps.sources.flatMap((at, i) => (at === null ? [] : [i]));
    const current = done ? -1 : counted.indexOf(products);
    const winner = of.operation === "max_pool" && !backward() ? (of.pool?.winners?.[n] ?? null) : null;
    source.mark({ box: taps.box, cells: read, current, winner });
    target.mark({ filled: done ? n + 1 : n, at: n });
    links.parts(parts, plane.channel, done ? Number.POSITIVE_INFINITY : channels);
    element.dataset.sum = String(running);
    element.dataset.value = String(of.values[n]);
    element.dataset.position = String(n);
    setText(sum, formatNumber(running));
    setText(own, formatNumber(ofChannel));
    tellSums(of, plane.channel, { products: products / each.length, channels, complete, done });
    const clock = performance.now();
    if (!done || clock - drawnAt >= GRID_MS) {
      drawnAt = clock;
      drawGrids(taps, each, products);
      drawChain(n, taps, total(each), total(otherParts) + rest, others.length, { products, channels, complete, done });
    }
  }

  /**
   * Says which channel of how many has its products added, and what the sum has so far.
   * @param {SlidingWindow} of
   * @param {number} channel
   * @param {{ products: number, channels: number, complete: boolean, done: boolean }} added shares and counts of what is added
   */
  function tellSums(of, channel, { products, channels, complete, done }) {
    const read = of.reads[1] - of.reads[0];
    const what = backward() ? "map" : "channel";
    /** @type {HTMLElement} */ (ownName.parentElement).hidden = of.pool !== null || read === 1;
    setText(ownName, `Products of ${what} ${channel}, one of ${count(read)}`);
    if (of.operation === "max_pool" && !backward()) setText(sumName, "Largest");
    else if (of.pool !== null || read === 1) setText(sumName, done ? "Sum" : "Sum so far");
    else {
      const summed = complete ? read : products < 1 ? 0 : 1 + channels;
      const bias = of.bias === null ? "" : " and the bias";
      setText(
        sumName,
        done ? `Sum over ${count(read)} ${what}s${bias}` : `Sum so far: ${count(summed)} of ${count(read)} ${what}s`,
      );
    }
  }

  /** @param {Taps} taps @param {number[]} products @param {number} added */
  function drawGrids(taps, products, added) {
    if (!now) return;
    const { plane, of } = now;
    if (taps.rows > MAX_GRID || taps.columns > MAX_GRID) {
      grids.replaceChildren(
        h("p", { class: "muted small" }, `${count(taps.rows * taps.columns)} values are under the window.`),
      );
      return;
    }
    const reach = reachOf(plane.values);
    const patch = patchAt(taps, plane);
    const grid = (/** @type {(number | null)[]} */ list, /** @type {string} */ name, /** @type {number} */ most) =>
      cells(inRows(list, taps.columns), name, most);
    const weights = weightsAt(taps, plane);
    const missing = (/** @type {number[]} */ list) => list.map((value, i) => (patch[i] === null ? null : value));
    const product = grid(missing(products), "products", Math.max(...products.map((value) => Math.abs(value)), 0));
    [...product.querySelectorAll("td")].forEach((cell, i) => cell.classList.toggle("pending", i >= added));
    const weighs = of.pool
      ? of.operation === "max_pool"
        ? backward()
          ? "1 where it is the largest"
          : "1 for the largest"
        : "1 ÷ count"
      : backward()
        ? "kernel, turned by 180°"
        : "kernel";
    grids.replaceChildren(
      grid(patch, nameOf(true, plane.channel), reach),
      term("×", grid(of.pool ? missing(weights) : weights, weighs, reachOf(weights))),
      term("=", product),
    );
  }

  /**
   * @param {number} n @param {Taps} taps @param {number} own @param {number} other @param {number} others
   * @param {{ products: number, channels: number, complete: boolean, done: boolean }} added
   */
  function drawChain(n, taps, own, other, others, { complete, done, products }) {
    if (!now) return;
    const { of, plane } = now;
    const value = known(of.values[n]);
    const unseen = of.reads[1] - of.reads[0] - of.planes.length;
    const result = chainLink(
      backward() ? "the input's gradient" : "the map's value",
      value,
      done ? "result" : "result pending",
    );
    const pending = (/** @type {boolean} */ is) => (is ? "" : "pending");
    if (of.pool) {
      const values = taps.sources.length;
      const words =
        of.operation === "max_pool" && !backward()
          ? `the largest of ${values}`
          : `${values} ${values === 1 ? "product" : "products"}`;
      chain.replaceChildren(chainLink(words, own, pending(products >= values)), chainSign("="), result);
    } else
      chain.replaceChildren(
        chainLink(`${backward() ? "map" : "channel"} ${plane.channel}`, own, pending(products >= taps.sources.length)),
        ...(others + unseen > 0
          ? [
              chainSign("+"),
              chainLink(
                `the other ${count(others + unseen)} ${backward() ? "maps" : "channels"}`,
                other,
                pending(complete),
              ),
            ]
          : []),
        ...(of.bias === null ? [] : [chainSign("+"), chainLink("bias", of.bias, pending(done))]),
        chainSign("="),
        result,
      );
    if (done)
      chain.append(...of.then.flatMap((step) => [chainSign("→"), chainLink(kindOf(step), known(step.values[n]))]));
  }

  /** @param {number} n */
  function rest(n) {
    const width = widthOf();
    drawnAt = 0;
    move(n, 1);
    onRest(Math.floor(n / width), n % width);
    showMore();
    tellSoon();
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let telling;
  /** Tells the position to screen readers, once the keys rest. */
  function tellSoon() {
    clearTimeout(telling);
    telling = setTimeout(() => {
      if (!now) return;
      const width = widthOf();
      const n = player.at;
      setText(announced, `Row ${Math.floor(n / width)}, column ${n % width}: ${formatNumber(now.of.values[n])}`);
    }, 400);
  }

  function showMore() {
    if (!now || !more.open || more.hidden) return;
    const { of } = now;
    const n = player.at;
    if (!backward()) {
      all.replaceChildren(arithmeticOfWindow(of, n));
      return;
    }
    const { terms, rest: others } = termsAt(of, n, TERMS);
    const taps = tapsAt(of, n);
    const reached = taps.sources.filter((at) => at !== null).length * (of.reads[1] - of.reads[0]);
    all.replaceChildren(...gatheredTerms(terms, reached, others, known(of.values[n])));
  }

  return { element, show, play: () => player.play(), pause: () => player.pause() };
}

/** @param {(number | null)[]} values */
function reachOf(values) {
  let most = 0;
  for (const value of values) if (value !== null && Math.abs(value) > most) most = Math.abs(value);
  return most;
}

/** What the window does, in words. @param {SlidingWindow} of @param {string[]} classes */
function aboutWindow(of, classes) {
  const { geometry, pool, direction, source, reads, operation } = of;
  const read = reads[1] - reads[0];
  if (direction === "backward") {
    const whose = `The gradient of the score of “${classes[of.class ?? -1] ?? "a class"}”`;
    if (operation === "max_pool")
      return `${whose} goes back to the pixel that was the largest in its window, and to no other.`;
    if (operation === "mean_pool") return `${whose} is shared equally by the pixels of a window.`;
    return `${whose} at a pixel of the input is gathered from all outputs whose window covers it: the gradient of each times the weight between the two, over ${count(read)} ${read === 1 ? "map" : "maps"}.`;
  }
  if (pool) {
    const sides = new Set(pool.rows.map(({ start, end }) => end - start));
    const [row, column] = [pool.rows[0], pool.columns[0]];
    const window =
      sides.size === 1 ? `${row.end - row.start}×${column.end - column.start} values` : "a part of the image";
    return `Each value is the ${operation === "max_pool" ? "largest" : "mean"} of ${window} of the same channel. There are no weights to learn.`;
  }
  if (!geometry) return "";
  const { kernel, stride, padding, dilation, groups } = geometry;
  const each = (/** @type {number[]} */ [down, across]) => (down === across ? String(down) : `${down} and ${across}`);
  const facts = [
    `stride ${each(stride)}`,
    `padding ${each(padding)}`,
    ...(dilation.some((gap) => gap > 1) ? [`dilation ${each(dilation)}`] : []),
    ...(groups > 1
      ? [
          `${count(groups)} groups, so that this map reads ${read === 1 ? `channel ${reads[0]} alone` : `channels ${reads[0]} to ${reads[1] - 1}`} of ${source[0]}`,
        ]
      : []),
  ];
  return `A ${sizes(kernel)} kernel for each of ${count(read)} ${read === 1 ? "channel" : "channels"}, ${facts.join(", ")}. Each value under the window is multiplied by its weight, and the products are added up.`;
}
