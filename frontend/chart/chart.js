// A chart: title, legend, plot, cursor, and a note on points that are not shown.

import { h, setText } from "../lib/dom.js";
import { onTheme } from "../lib/theme.js";
import { axisUnit } from "./axis.js";
import { DESCRIBE_EVERY_MS, describe } from "./description.js";
import { plotData, xExtent, unionExtent } from "./plot-data.js";
import { gestures } from "./gestures.js";
import { keyboard, KEYS_HELP } from "./keyboard.js";
import { legend } from "./legend.js";
import { nearestByX } from "./nearest.js";
import { chartNote, inUnit } from "./note.js";
import { throttled } from "../lib/throttle.js";
import { plot } from "./plot.js";
import { pointer } from "./pointer.js";
import { normalize, subrange } from "./scale.js";

/** @import { PlotData, Line, Extent } from "./plot-data.js" */
/** @import { View } from "./view.js" */
/** @import { Entry } from "./legend.js" */

/**
 * A value that is not finite. `kind` is `nan`, `inf` or `-inf`.
 * @typedef {{ x: number, step: number, kind: string }} Gap
 */

/**
 * @typedef {{
 *   id: string,
 *   title: string,
 *   detail?: () => string,
 *   entries: Entry[],
 *   nameOf?: (id: string) => string | null,
 *   lines: () => Line[],
 *   gaps: () => Gap[],
 *   noun?: string,
 *   leaps?: boolean,
 *   isLog: () => boolean,
 *   view: View,
 *   value: (value: number) => string,
 *   waiting: () => string,
 *   tools: HTMLElement,
 *   span: () => Extent,
 *   onView: () => void,
 *   onPoint: (x: number | null, from: string) => void,
 * }} Options `detail` extends the title; `nameOf` gives the current name of a legend entry; `lines` are the visible
 *   ones, and `noun` says what one is; `leaps`: whether a leap of few values is cut off by default; `isLog`: whether the vertical axis is logarithmic; `waiting` says why there is none yet; `span`: the extent of all charts of the page, which aligns them;
 *   `onPoint` moves the crosshair of the other charts
 */

/** @typedef {ReturnType<typeof chart>} Chart */

/** The note of a live chart changes with each point; nobody reads it faster than this. */
const NOTE_EVERY_MS = 250;

/** What follows a title whose chart is not in plain numbers. @param {import("./plot-data.js").Unit | null} unit */
const unitText = (unit) => (unit?.size === 0.01 ? "in %" : "");

/** @param {Options} options */
export function chart({
  id,
  title,
  detail,
  entries,
  nameOf,
  lines,
  gaps,
  noun = "line",
  leaps = false,
  isLog,
  view,
  value,
  waiting,
  tools,
  span,
  onView,
  onPoint,
}) {
  const mine = view.charts[id];
  const layer = h("div", { class: "chart-layer" });
  const place = h("div", { class: "chart-plot" });
  const note = chartNote({
    value: (at) => inUnit(shown?.unit ?? null, at),
    noun,
    onShowAll: () => {
      view.outliers = true;
      onView();
      stage.focus();
    },
  });
  const words = h("p", { id: `chart-words-${id}`, hidden: true });
  const more = h("small", { class: "chart-detail" });
  const empty = h("p", { class: "chart-empty" }, waiting());
  const stage = h(
    "div",
    {
      class: "chart-stage",
      tabindex: 0,
      role: "group",
      "aria-roledescription": "chart",
      "aria-label": `${title}. ${KEYS_HELP}`,
      "aria-describedby": words.id,
    },
    place,
    layer,
    empty,
  );
  const names = legend(entries, {
    onToggle: (line) => {
      if (!mine.hidden.delete(line)) mine.hidden.add(line);
      onView();
    },
    onLook: (line) => picture.highlight(mine.hidden.has(line) ? "" : line),
  });
  const element = h(
    "section",
    { class: "card chart", "aria-label": title, data: { chart: id } },
    h("header", { class: "chart-head" }, h("h2", {}, title, more), names.element, tools),
    stage,
    note.element,
    words,
  );

  /** @type {PlotData | null} */
  let shown = null;
  /** The lines at the last measurement. @type {Line[]} */
  let all = [];
  /** Whether the lines were measured since the last drawing. */
  let stale = false;
  let inSight = true;
  /** Where the layer lies. */
  let placed = "";
  let panFrom = { min: 0, max: 1, log: false };
  /** @type {number[]} */
  let marks = [];
  const picture = plot(place, {
    marks: () => marks,
    xName: () => axisUnit(view.axis),
    isWhole: () => view.axis === "step" || view.axis === "samples",
    // The title above says it.
    yName: () => "",
  });
  /** Of the stage; read when it changes, since reading it during a drawing would cost a layout. */
  let room = { width: 0, height: 0 };
  const size = () => picture.box() ?? { width: 0, height: 0 };
  const crosshair = pointer(layer, {
    view,
    shown: () => shown,
    size,
    value,
    gaps,
    isDragging: () => drags.busy(),
    onMove: (x, own) => {
      showValues();
      if (own) onPoint(x, id);
    },
  });
  const drags = gestures(layer, {
    size,
    onHover: (at) => (at ? crosshair.look(at) : crosshair.leave()),
    onZoom: (x, y) => {
      if (!shown) return;
      view.range = subrange(shown.x, ...x);
      if (y) mine.range = subrange(shown.y, ...y);
      onView();
    },
    onPanStart: () => {
      if (shown) panFrom = shown.x;
    },
    onPan: (share) => {
      view.range = subrange(panFrom, share, share + 1);
      onView();
    },
    onReset: reset,
    isZoomed: () => view.range !== null,
  });

  keyboard(stage, {
    onMove: crosshair.move,
    onZoom: zoom,
    onPan: (share) => {
      if (!shown) return;
      view.range = subrange(shown.x, share, share + 1);
      onView();
    },
    onReset: reset,
    onLeave: crosshair.leave,
  });

  /** Zooms around the cursor, or the middle. @param {number} factor below 1 zooms in */
  function zoom(factor) {
    if (!shown) return;
    const at = crosshair.at();
    const centre = at === null ? 0.5 : normalize(shown.x, at);
    view.range = subrange(shown.x, centre - centre * factor, centre + (1 - centre) * factor);
    onView();
  }

  function reset() {
    view.range = null;
    mine.range = null;
    onView();
  }

  /** Shows in the legend the values at the crosshair, or the last ones. */
  function showValues() {
    const x = crosshair.at();
    const at = shown && x !== null && entries.length > 0 ? nearestByX(shown, x, size()) : [];
    names.showValues((line) => {
      const near = at.find((near) => near.line.id === line);
      if (near) return value(near.y);
      const { y, length } = all.find((drawn) => drawn.id === line) ?? { y: [], length: 0 };
      return length > 0 && Number.isFinite(y[length - 1]) ? value(y[length - 1]) : "";
    });
  }

  /** Reads the current lines and returns their horizontal extent. */
  function measure() {
    all = lines();
    stale = true;
    putIntoWords();
    return xExtent(all, view.logX);
  }

  const putIntoWords = throttled(DESCRIBE_EVERY_MS, () =>
    setText(words, describe({ title, axis: axisUnit(view.axis), noun, lines: all, value })),
  );
  const showNote = throttled(NOTE_EVERY_MS, () => shown && note.show(shown, gaps()));

  /** Draws the measured lines. */
  function draw() {
    const { width, height } = room;
    if (width === 0) return;
    stale = false;
    picture.resize(width, height);
    const some = all.filter((line) => line.length > 0);
    shown = plotData(some, {
      range: view.range,
      yRange: mine.range,
      logX: view.logX,
      logY: isLog(),
      pixels: Math.max(50, width - 60),
      outliers: view.outliers ?? (leaps ? null : true),
      span: unionExtent([span(), xExtent(all, view.logX)]),
    });
    place.classList.toggle("blank", some.length === 0);
    setText(empty, waiting());
    empty.hidden = some.length > 0 || mine.hidden.size > 0;
    marks = gaps().map(({ x }) => x);
    picture.draw(shown);
    const box = picture.box();
    // Writing the same place again would cost a layout.
    const where = JSON.stringify(box);
    if (box && where !== placed) {
      placed = where;
      layer.style.inset = `${box.top}px auto auto ${box.left}px`;
      layer.style.width = `${box.width}px`;
      layer.style.height = `${box.height}px`;
    }
    const details = [unitText(shown.unit), detail?.()].filter(Boolean).join(", ");
    setText(more, details && ` ${details}`);
    if (nameOf) names.showNames(nameOf);
    names.showHidden(mine.hidden);
    showValues();
    crosshair.refresh();
    showNote();
  }

  new ResizeObserver(() => {
    room = { width: place.clientWidth, height: place.clientHeight };
    measure();
    draw();
  }).observe(place);
  new IntersectionObserver(
    (entries) => {
      inSight = entries[entries.length - 1].isIntersecting;
      if (inSight && stale) draw();
    },
    { rootMargin: "100px" },
  ).observe(element);
  // Paper shows everything.
  addEventListener("beforeprint", () => stale && draw());
  onTheme(() => picture.repaint());
  return {
    id,
    title: () => [title, detail?.()].filter(Boolean).join(", "),
    element,
    measure,
    draw,
    follow: crosshair.follow,
    zoom,
    highlight: picture.highlight,
    data() {
      if (stale) draw();
      return shown;
    },
    /** Whether the chart must be drawn: it can be seen, or shows no points yet. */
    needsDrawing: () => inSight || shown === null || shown.drawn.length === 0,
    /** Whether the last drawing cuts something off. */
    isCut: () => shown !== null && (shown.cut !== null || shown.leaving.length > 0),
  };
}
