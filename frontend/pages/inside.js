// The page of a network's inside: layers, filters, feature maps, the arithmetic behind a pixel, and the film of its
// training.

import { numbers } from "../inside/cache.js";
import { getFilm, getInside, getMetricsOf, getRun } from "../lib/api.js";
import { Problem } from "../lib/request.js";
import { byId, h, pageData, setText } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { rememberImage } from "../lib/last-image.js";
import { openStream } from "../lib/live.js";
import { reducedMotion } from "../lib/motion.js";
import { attempt, startShell } from "../lib/shell.js";
import { apiUrl } from "../lib/base-path.js";
import { badge } from "../lib/status.js";
import { compareControl } from "../inside/compare-with.js";
import { closeup } from "../inside/closeup.js";
import { FILM_SERIES, filmBar } from "../inside/film.js";
import { imageCard } from "../inside/image.js";
import { mistakesCard } from "../inside/mistakes.js";
import { openingNote } from "../inside/opening.js";
import { kindOf, labelOf, namesOf, sizes } from "../inside/layer-names.js";
import { networkPicture } from "../inside/network.js";
import { featuresPanel, filtersPanel } from "../inside/panel.js";
import { attentionCard, predictionsCard } from "../inside/predictions.js";
import { InsideContext } from "../inside/context.js";
import { withoutCheckpoint } from "../run/no-checkpoint.js";
import { isOfImages, pageLinks } from "../run/pages.js";
import { byValue } from "../inside/tile-order.js";
import { hasWindow } from "../inside/window/geometry.js";
import { readView, viewState, writeView } from "../inside/view.js";

/** @import { Layer, Run, RunEvent, TileValues } from "../lib/types" */

/** Maximum number of epochs that the curves show. */
const POINTS = 2000;
/** Several events may arrive at once and are handled together. */
const SETTLE_MS = 250;

startShell();

/** @type {{ run: Run }} */
const { run } = pageData();
/** The run's newest state. */
let now = run;
const page = byId("page");
const state = viewState(readView(location.search), (view) =>
  history.replaceState(history.state, "", `${location.pathname}${writeView(view)}${location.hash}`),
);
const context = new InsideContext(run, state);

const status = badge();
const links = pageLinks(run, "inside");
if (!isOfImages(run)) links.hideImages();
const head = h(
  "header",
  { class: "inside-head" },
  h("h1", {}, "Inside ", h("a", { href: run.url }, run.name)),
  status.element,
  h("div", { class: "run-actions" }, ...links.elements),
);
/** Says that the film is all there is. */
const only = h("div", { class: "notice warn", role: "status", hidden: true });
const film = filmBar(context);
const net = networkPicture(state);
const image = imageCard(context, { onPinned: () => refresh() });
const predictions = predictionsCard(context);
const attention = attentionCard(context);
const filters = filtersPanel(context, revealCloseup);
const features = featuresPanel(context, revealCloseup);
const close = closeup(context);
const mistakes = mistakesCard(context, {
  onImage: (id) => {
    image.use(id);
    bringIntoView(layerHead, "start");
  },
});
const opening = openingNote(run.id);
const beside = compareControl(context, { onLoaded: () => drawPanels() });

const layerName = h("h2", {});
const layerRole = h("span", { class: "chip" });
const layerPath = h("code", { class: "layer-path", title: "The layer's name in PyTorch" });
const layerFacts = h("dl", { class: "facts" });
const scale = h(
  "div",
  { class: "segments", role: "radiogroup", "aria-label": "Scale of the colours" },
  ...[
    ["tile", "each tile", "Each tile has its own scale: shapes show, but strengths are not comparable"],
    ["layer", "layer", "One scale for the layer"],
    ["network", "network", "One scale for all layers"],
  ].map(([value, label, title]) =>
    h(
      "label",
      { title },
      h("input", {
        type: "radio",
        name: "scale",
        value,
        on: { change: () => state.set({ scale: /** @type {any} */ (value) }) },
      }),
      h("span", {}, label),
    ),
  ),
);

/**
 * Where a computation is watched first: the beginning of a map, the score of the predicted class, or the neuron that
 * answers most to the image.
 * @param {Layer} layer
 */
async function placeToWatch(layer) {
  if (layer.kind !== "linear") return { y: 0, x: 0 };
  const { run, query, stamp } = context.of();
  const path = `layers/${encodeURIComponent(layer.name)}/values`;
  try {
    /** @type {TileValues} */
    const { values, shape } = await numbers(run, path, { of: "feature", index: 0, ...query }, stamp);
    const [greatest] = byValue(values.slice(0, layer.shape[0]));
    const width = shape.at(-1) ?? 1;
    return { y: Math.floor(greatest / width), x: greatest % width };
  } catch {
    return { y: 0, x: 0 };
  }
}

/** @param {HTMLElement} element @param {ScrollLogicalPosition} block */
function bringIntoView(element, block) {
  element.scrollIntoView({ behavior: reducedMotion() ? "auto" : "smooth", block });
}

/** Brings the close-up into view, which opens below the tiles. */
function revealCloseup() {
  requestAnimationFrame(() => bringIntoView(close.element, "nearest"));
}

const compute = h(
  "button",
  {
    class: "button tonal small",
    type: "button",
    on: {
      click: async () => {
        const { of, tile } = state.now;
        const { layer } = context;
        // What is to be watched as it fills begins empty, also where a pixel of the map is looked at.
        if (layer && (of !== "map" || tile === null)) state.set({ of: "map", tile: 0, ...(await placeToWatch(layer)) });
        else if (layer && layer.kind !== "linear") state.set({ y: 0, x: 0 });
        void close.play();
        bringIntoView(close.element, "start");
      },
    },
  },
  icon("play", 14),
  "Watch it compute",
);
const layerHead = h(
  "section",
  { class: "card layer-head", "aria-label": "Layer" },
  h("div", { class: "layer-title" }, layerName, layerRole, layerPath, layerFacts),
  h(
    "div",
    { class: "layer-tools" },
    compute,
    h("div", {}, h("span", { class: "small" }, "Colour scale"), scale),
    beside.element,
  ),
);

/** What goes in and what comes out. */
const ends = h("div", { class: "inside-ends" }, image.element, predictions.element, attention.element);
const body = h(
  "div",
  { class: "inside-main" },
  layerHead,
  opening.element,
  h("div", { class: "inside-pair" }, filters.element, features.element),
  close.element,
  mistakes.element,
);
const empty = h("div", { class: "card empty" }, h("p", { class: "muted" }, "Opening the network…"));
page.classList.add("wide-matrix");
page.append(head, empty, only, film.element, ends, net.element, body);
showContent(false);
status.show(run);

state.on((_, changed) => {
  const has = (/** @type {string[]} */ ...names) => names.some((name) => changed.has(name));
  if (has("layer", "scale", "checkpoint")) showLayer();
  if (
    has("checkpoint", "image", "layer", "scale", "sort", "order", "page", "mapPage", "filter", "tile", "of") ||
    has("beside", "compared")
  ) {
    filters.update();
    features.update();
  }
  if (has("checkpoint", "image", "layer", "of", "tile", "filter", "y", "x", "way", "input", "class")) close.update();
  if (has("image")) rememberImage(run, state.now.image);
  if (has("checkpoint", "image")) {
    predictions.update();
    attention.update();
    image.update();
  }
  if (has("checkpoint")) {
    film.update();
    mistakes.update();
  }
});

start();

async function start() {
  // Of a run that has not begun, nothing can be asked.
  if (run.status === "queued" && !run.summary.step) explain(withoutCheckpoint(run).words);
  else if (await refresh()) image.load();
  openStream({
    url: () => apiUrl(`/events?run=${encodeURIComponent(run.id)}&after=${run.summary.events}&include=status`),
    on: {
      message: (/** @type {RunEvent} */ event) =>
        (["epoch", "checkpoint", "test", "started"].includes(event.kind) || isEarly(event)) && soon(),
      run: (/** @type {Run} */ next) => {
        now = next;
        status.show(next);
        tellOnlyFilm();
      },
      removed: () => explain("This run has been deleted. It can be restored under “Deleted runs” on the runs page."),
    },
    onReturn: soon,
    isOver: () =>
      getRun(run.id).then(
        () => false,
        (error) => error instanceof Problem && error.status === 404,
      ),
  });
}

/** Whether the film has frames among these steps: within the first epoch after 1, 2, 4 and so on. @param {RunEvent} event */
function isEarly(event) {
  if (event.kind !== "steps" || event.epoch !== 1) return false;
  const last = event.first_step + event.loss.length - 1;
  return Math.floor(Math.log2(last)) > Math.floor(Math.log2(event.first_step - 1 || 0.5));
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
function soon() {
  if (timer) return;
  timer = setTimeout(async () => {
    timer = undefined;
    const first = context.inside === null;
    if ((await refresh()) && first) image.load();
  }, SETTLE_MS);
}

/** Fetches the layers, then checkpoints, film and curves: what needs no weights is shown at once. */
async function refresh() {
  try {
    const others = Promise.all([
      getFilm(run.id).catch(() => null),
      attempt(async () => (await getMetricsOf([run.id], { series: FILM_SERIES, points: POINTS, x: "epoch" }))[run.id]),
    ]);
    const inside = await getInside(run.id);
    const first = context.inside === null;
    if (first) {
      context.inside = inside;
      net.show(inside);
      showContent(true);
      chooseLayer();
      showLayer();
    }
    const [reel, metrics] = await others;
    context.inside = inside;
    context.film = reel;
    tellOnlyFilm();
    if (!context.layer) chooseLayer();
    if (metrics) film.draw(metrics);
    film.renew();
    if (first) await beside.load();
    beside.update();
    drawAll();
    return true;
  } catch (error) {
    if (context.inside === null) explain(error instanceof Error ? error.message : String(error));
    return false;
  }
}

/** Chooses the first layer with filters if the URL names no existing layer. */
function chooseLayer() {
  const { layers } = context;
  if (context.layer) return;
  const layer = layers.find(({ has_filters }) => has_filters) ?? layers[0];
  if (layer) state.set({ layer: layer.name });
}

/** @param {boolean} is */
function showContent(is) {
  for (const part of [film.element, ends, net.element, body]) part.hidden = !is;
  empty.hidden = is;
}

/** Says why a run has no checkpoint, where it has a film. */
function tellOnlyFilm() {
  only.hidden = context.inside === null || context.inside.checkpoints.length > 0;
  if (!only.hidden)
    only.replaceChildren(
      icon("warning"),
      h("p", {}, `${withoutCheckpoint(now).words} The frames of its film are all there is.`),
    );
}

/** Explains why there is nothing to show. @param {string} words */
function explain(words) {
  showContent(false);
  only.hidden = true;
  empty.replaceChildren(
    icon("layers", 28),
    h("h2", {}, isOfImages(run) ? "Nothing to look at yet" : "Nothing to look at here"),
    h("p", {}, words),
    h("a", { class: "button", href: run.url }, isOfImages(run) ? "Back to the run" : "See how the points are divided"),
  );
}

function drawPanels() {
  filters.update();
  features.update();
}

function drawAll() {
  showLayer();
  drawPanels();
  close.update();
  predictions.update();
  attention.update();
  image.update();
  film.update();
  mistakes.update();
}

function showLayer() {
  const layer = context.layer;
  for (const input of scale.querySelectorAll("input")) input.checked = input.value === context.scale;
  if (!layer) return;
  const { layers } = context;
  setText(layerName, labelOf(layers, layer));
  const role = namesOf(layers).landmarks.find((mark) => mark.layer === layer)?.label ?? "";
  setText(layerRole, role);
  layerRole.hidden = !role.includes("convolution");
  setText(layerPath, layer.name);
  compute.hidden = !hasWindow(layer);
  compute.disabled = context.filming;
  compute.title = context.filming ? "The film keeps pictures but no weights to compute with" : "";
  const facts = [
    ["", kindOf(layer)],
    ["output", sizes(layer.shape)],
    ["weights", layer.weights ? sizes(layer.weights) : "none"],
    ["parameters", count(layer.parameters)],
  ];
  layerFacts.replaceChildren(
    ...facts.map(([name, value]) => h("div", {}, name !== "" && h("dt", {}, name), h("dd", {}, value))),
  );
}
