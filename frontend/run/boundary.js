// The panel of 2-D data: points and decision boundary after each epoch.

import { getBoundary, getPoints } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt } from "../lib/shell.js";
import { onTheme } from "../lib/theme.js";
import { decodeBoundary } from "./grid.js";
import { drawPoint, drawToy2d } from "./toy2d.js";

/** @import { Boundary, Point, Split } from "../lib/types" */
/** @import { Grid } from "./grid.js" */
/** @import { Domain } from "./toy2d.js" */

/** @type {{ split: Split, label: string }[]} */
const SPLITS = [
  { split: "train", label: "training" },
  { split: "validation", label: "validation" },
  { split: "test", label: "test" },
];
/** The length of the film, and the minimum time per frame. */
const FILM_MS = 4000;
const FRAME_MS = 60;
/** Maximum number of cached frames. */
const MAX_GRIDS = 300;

/**
 * @param {string} id of the run
 * @param {{ epochs: number[], boundary: Boundary | null }} first the available epochs, and the newest boundary
 */
export function boundaryPanel(id, first) {
  const canvas = h("canvas", { class: "boundary", role: "img" });
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 0,
    step: 1,
    "aria-label": "Epoch",
    on: {
      input: () => {
        pause();
        seek(Number(slider.value));
      },
    },
  });
  const where = h("output", { class: "nowrap" });
  const play = h(
    "button",
    {
      class: "button icon small",
      type: "button",
      "aria-label": "Play the epochs",
      title: "Play",
      on: { click: toggle },
    },
    icon("play", 14),
  );
  const classes = h("ul", { class: "boundary-legend" });
  const splits = h("div", { class: "boundary-splits", role: "group", "aria-label": "Points to show" });
  const element = h(
    "section",
    { class: "card boundary-panel", "aria-label": "Decision boundary" },
    h("header", { class: "card-head" }, h("h2", {}, "Decision boundary"), where),
    h("div", { class: "card-body" }, canvas, h("div", { class: "film" }, play, slider), classes, splits),
  );

  /** @type {Map<number, Grid>} */
  const grids = new Map();
  /** @type {Map<number, Promise<void>>} */
  const coming = new Map();
  /** @type {number[]} */
  const epochs = [];
  /** @type {Set<number>} */
  const noted = new Set();
  /** @type {Point[]} */
  let points = [];
  /** @type {Domain | null} */
  let domain = null;
  /** @type {Set<Split>} */
  const shown = new Set(["train", "validation", "test"]);
  let at = 0;
  let follow = true;
  let drawing = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let film;

  async function load() {
    const { points: found, classes: names } = await getPoints(id);
    points = found;
    domain ??= domainOf(points);
    showClasses(names);
    draw();
  }

  /** @param {number} epoch */
  function note(epoch) {
    if (noted.has(epoch)) return;
    noted.add(epoch);
    epochs.push(epoch);
    if (epoch < epochs[epochs.length - 2]) epochs.sort((a, b) => a - b);
    slider.max = String(epochs.length - 1);
    if (follow) at = epochs.length - 1;
    slider.value = String(at);
  }

  /** Takes a boundary from the stream or from a response. @param {Boundary} boundary */
  function take(boundary) {
    const grid = decodeBoundary(boundary);
    grids.set(boundary.epoch, grid);
    for (const epoch of grids.keys()) {
      if (grids.size <= MAX_GRIDS) break;
      if (epoch !== epochs[at]) grids.delete(epoch);
    }
    domain = { x: grid.x, y: grid.y };
    note(boundary.epoch);
    draw();
  }

  /** @param {number} index @param {number} [ahead] offset of the next frame, to prefetch */
  function seek(index, ahead = 1) {
    at = Math.min(Math.max(0, index), epochs.length - 1);
    follow = at === epochs.length - 1;
    slider.value = String(at);
    draw();
    fetchGrid(epochs[at]);
    fetchGrid(epochs[at + ahead]);
  }

  /** @param {number | undefined} epoch */
  function fetchGrid(epoch) {
    if (epoch === undefined || grids.has(epoch) || coming.has(epoch)) return coming.get(epoch ?? -1);
    const promise = attempt(() => getBoundary(id, epoch)).then((answer) => {
      coming.delete(epoch);
      if (answer?.boundary) take(answer.boundary);
    });
    coming.set(epoch, promise);
    return promise;
  }

  function toggle() {
    if (film === undefined) start();
    else pause();
  }

  function start() {
    if (epochs.length < 2) return;
    play.replaceChildren(icon("pause", 14));
    play.setAttribute("aria-label", "Pause");
    play.title = "Pause";
    if (at >= epochs.length - 1) seek(0);
    const pace = Math.max(FRAME_MS, FILM_MS / epochs.length);
    const step = Math.ceil((epochs.length * FRAME_MS) / FILM_MS);
    const next = async () => {
      const to = Math.min(at + step, epochs.length - 1);
      await fetchGrid(epochs[to]);
      if (film === undefined) return;
      seek(to, step);
      if (at >= epochs.length - 1) pause();
      else film = setTimeout(next, pace);
    };
    film = setTimeout(next, pace);
  }

  function pause() {
    clearTimeout(film);
    film = undefined;
    play.replaceChildren(icon("play", 14));
    play.setAttribute("aria-label", "Play the epochs");
    play.title = "Play";
  }

  /** @param {string[] | null} names */
  function showClasses(names) {
    const found = [...new Set(points.map((point) => point.class))].sort((a, b) => a - b);
    classes.replaceChildren(...found.map((of) => h("li", {}, sign(of, "train"), names?.[of] ?? `class ${of}`)));
    splits.replaceChildren(
      ...SPLITS.filter(({ split }) => points.some((point) => point.split === split)).map(({ split, label }) => {
        const total = points.filter((point) => point.split === split).length;
        const button = h(
          "button",
          { class: "legend-item", type: "button", "aria-pressed": "true", title: `Hide or show ${label} points` },
          sign(0, split),
          h("span", {}, label),
          h("b", {}, count(total)),
        );
        button.addEventListener("click", () => {
          if (!shown.delete(split)) shown.add(split);
          button.setAttribute("aria-pressed", String(shown.has(split)));
          draw();
        });
        return button;
      }),
    );
  }

  /** A class's marker for the legend. @param {number} of @param {Split} split */
  function sign(of, split) {
    const mark = h("canvas", { class: "boundary-sign", "aria-hidden": "true", width: 28, height: 28 });
    const show = () => {
      const ctx = mark.getContext("2d");
      if (!ctx) return;
      ctx.setTransform(2, 0, 0, 2, 0, 0);
      ctx.clearRect(0, 0, 14, 14);
      drawPoint(ctx, 7, 7, of, split);
    };
    show();
    onTheme(show);
    return mark;
  }

  function draw() {
    if (drawing) return;
    drawing = requestAnimationFrame(() => {
      drawing = 0;
      paint();
    });
  }

  function paint() {
    const epoch = epochs[at];
    const grid = epoch === undefined ? null : (grids.get(epoch) ?? nearestGrid());
    if (domain) drawToy2d(canvas, { domain, grid, points, splits: shown });
    const text =
      epoch === undefined ? "before training" : epoch === 0 ? "before training" : `after epoch ${count(epoch)}`;
    setText(where, text);
    slider.setAttribute("aria-valuetext", text);
    canvas.setAttribute("aria-label", `Points and decision boundary ${text}`);
    slider.disabled = epochs.length < 2;
    play.disabled = epochs.length < 2;
  }

  /** The nearest cached frame, shown until the requested one arrives. */
  function nearestGrid() {
    for (let i = at; i >= 0; i -= 1) {
      const grid = grids.get(epochs[i]);
      if (grid) return grid;
    }
    return null;
  }

  new ResizeObserver(draw).observe(canvas);
  // At once: no frame comes before a page is printed.
  onTheme(paint);
  for (const epoch of first.epochs) note(epoch);
  if (first.boundary) take(first.boundary);
  attempt(load);
  return { element, take };
}

/** The domain of the points, with a margin. @param {Point[]} points @returns {Domain | null} */
function domainOf(points) {
  if (points.length === 0) return null;
  const range = (/** @type {number[]} */ values) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = (high - low) * 0.1 || 1;
    return /** @type {[number, number]} */ ([low - room, high + room]);
  };
  return { x: range(points.map(({ x }) => x)), y: range(points.map(({ y }) => y)) };
}
