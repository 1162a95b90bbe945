// The panel of 2-D data: points and decision boundary after each epoch, and of a perceptron after each mistake.

import { getBoundary, getPoints } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { count, formatNumber } from "../lib/format.js";
import { playButton } from "../lib/play-button.js";
import { attempt } from "../lib/shell.js";
import { isActive } from "../lib/status.js";
import { onTheme } from "../lib/theme.js";
import { boundaryLegend, pointSize } from "./boundary-legend.js";
import { modeChoice } from "./boundary-modes.js";
import { decodeBoundary } from "./grid.js";
import { lineWeights } from "./line-weights.js";
import { isPlain, mistakeFilm } from "./mistakes.js";
import { gridOf } from "./straight-lines.js";
import { domainOf, drawToy2d } from "./toy2d.js";

/** @import { Boundary, LinearWeights, Point, Run } from "../lib/types" */
/** @import { Grid } from "./grid.js" */
/** @import { Domain } from "./toy2d.js" */
/** @import { Shown } from "./mistake-words.js" */

/** The length of the film, and the minimum time per frame. */
const FILM_MS = 4000;
const FRAME_MS = 60;
/** Maximum number of cached frames. */
const MAX_GRIDS = 300;

/**
 * @param {Run} run
 * @param {{ epochs: number[], boundary: Boundary | null }} first the available epochs, and the newest boundary
 */
export function boundaryPanel(run, first) {
  const { id, spec } = run;
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
  const play = playButton(toggle, { label: "Play the epochs" });
  // An average of the weights is not what a mistake changes.
  const hasMistakes = spec.network?.kind === "perceptron" && !spec.training?.ema && first.boundary?.linear;
  // While a run trains, its newest boundary is news; afterwards, how it came about.
  const mode = hasMistakes && !isActive(run) ? "mistakes" : "epochs";
  const film = h("div", { class: "film" }, play.element, slider, where);
  /** Of the classes; the points have them, too. @type {string[] | null} */
  let names = run.summary.classes;
  /** What the film of mistakes shows; null while the epochs are shown. @type {Shown | null} */
  let mistake = null;
  const mistakes = mistakeFilm(id, {
    names: () => names,
    plain: isPlain(spec.training),
    onShow: (shown) => {
      mistake = shown;
      draw();
    },
  });
  const modes = modeChoice(mode, choose);
  modes.hidden = !hasMistakes;
  const legend = boundaryLegend({
    onChange: () => draw(),
    background: first.boundary?.linear
      ? "what the weights say, deeper farther from the line"
      : "what the network says, deeper where it is surer",
  });
  const weights = lineWeights();
  const controls = h("div", { class: "boundary-controls" }, modes, film, mistakes.element, weights.element);
  const element = h(
    "section",
    { class: `card boundary-panel ${hasMistakes ? "is-wide" : ""}`.trim(), "aria-label": "Decision boundary" },
    h("header", { class: "card-head" }, h("h2", {}, "Decision boundary")),
    h("div", { class: "card-body" }, canvas, controls, legend.element),
  );
  canvas.addEventListener("keydown", (event) => mistake && mistakes.onKey(event));
  mistakes.element.addEventListener("keydown", mistakes.onKey);

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
  let at = 0;
  let follow = true;
  let drawing = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let playing;

  /** @param {string} mode */
  function choose(mode) {
    const ofMistakes = mode === "mistakes";
    pause();
    film.hidden = ofMistakes;
    legend.showLines(ofMistakes);
    if (ofMistakes) {
      canvas.tabIndex = 0;
      weights.element.hidden = true;
      mistakes.open();
    } else {
      canvas.removeAttribute("tabindex");
      mistakes.close();
      mistake = null;
      draw();
    }
  }

  async function load() {
    const answer = await getPoints(id);
    points = answer.points;
    names = answer.classes ?? names;
    domain ??= domainOf(points);
    legend.show(points, names);
    mistakes.say();
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
    mistakes.grow(boundary.epoch);
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
    if (playing === undefined) start();
    else pause();
  }

  function start() {
    if (epochs.length < 2) return;
    play.show(true);
    if (at >= epochs.length - 1) seek(0);
    const pace = Math.max(FRAME_MS, FILM_MS / epochs.length);
    const step = Math.ceil((epochs.length * FRAME_MS) / FILM_MS);
    const next = async () => {
      const to = Math.min(at + step, epochs.length - 1);
      await fetchGrid(epochs[to]);
      if (playing === undefined) return;
      seek(to, step);
      if (at >= epochs.length - 1) pause();
      else playing = setTimeout(next, pace);
    };
    playing = setTimeout(next, pace);
  }

  function pause() {
    clearTimeout(playing);
    playing = undefined;
    play.show(false);
  }

  function draw() {
    if (drawing) return;
    drawing = requestAnimationFrame(() => {
      drawing = 0;
      paint();
    });
  }

  const look = () => ({ axes: true, size: pointSize(canvas.clientWidth) });

  function paint() {
    if (mistake) {
      drawMistake(mistake);
      return;
    }
    const epoch = epochs[at];
    const grid = epoch === undefined ? null : (grids.get(epoch) ?? nearestGrid());
    if (domain) drawToy2d(canvas, { domain, grid, points, splits: legend.splits }, look());
    if (hasMistakes && !film.hidden && grid?.linear) weights.show(grid.linear, names);
    const text =
      epoch === undefined ? "before training" : epoch === 0 ? "before training" : `after epoch ${count(epoch)}`;
    setText(where, text);
    slider.setAttribute("aria-valuetext", text);
    canvas.setAttribute("aria-label", `Points and decision boundary ${text}`);
    slider.disabled = epochs.length < 2;
    play.element.disabled = epochs.length < 2;
  }

  /** @param {Shown} shown */
  function drawMistake({ about, update }) {
    const newest = grids.get(epochs[at])?.linear ?? first.boundary?.linear;
    if (!domain || !newest) return;
    const of = (/** @type {LinearWeights["rows"]} */ rows) => ({ ...newest, rows });
    const training = points.filter(({ split }) => split === "train");
    const marked = update?.mistakes.map(({ sample }) => training[sample]).filter(Boolean) ?? [];
    const line = of(update?.after ?? about.after);
    drawToy2d(
      canvas,
      {
        domain,
        grid: gridOf(line, domain),
        before: update ? of(update.before) : null,
        points,
        splits: new Set([...legend.splits, "train"]),
        marked,
      },
      look(),
    );
    // Where nothing changes them, the weights are told.
    if (update) weights.element.hidden = true;
    else weights.show(line, names);
    const spots = marked.map(({ x, y }) => `(${formatNumber(x)}, ${formatNumber(y)})`).join(", ");
    canvas.setAttribute(
      "aria-label",
      update
        ? `Points, the line before and after step ${update.step}, and what was wrong: ${spots}. Arrow keys step, Space plays.`
        : `Points and the line of epoch ${about.epoch}, which made no mistake. Arrow keys step, Space plays.`,
    );
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
  choose(mode);
  attempt(load);
  return { element, take };
}
