// The charts of a page and what they share: axis, smoothing, crosshair, one redraw per animation frame, and the view in
// the page's URL.

import { h, setAttribute } from "../lib/dom.js";
import { chart } from "./chart.js";
import { exportMenu } from "./export.js";
import { unionExtent } from "./plot-data.js";
import { toolbar } from "./toolbar.js";
import { writeView } from "./view.js";

/** @import { AxisName } from "./axis.js" */
/** @import { Chart, Gap } from "./chart.js" */
/** @import { Numbers } from "./export.js" */
/** @import { Line, Extent } from "./plot-data.js" */
/** @import { Entry } from "./legend.js" */
/** @import { View } from "./view.js" */

/** So long a frame draws charts; the page answers between frames. */
const FRAME_BUDGET_MS = 8;
/** Drawing takes at most this share of the time, so that a busy machine draws less often and still answers. */
const DRAWING_SHARE = 0.25;

/**
 * @typedef {{
 *   id: string,
 *   title: string,
 *   detail?: () => string,
 *   entries: Entry[],
 *   nameOf?: (id: string) => string | null,
 *   value: (value: number) => string,
 *   noun?: string,
 *   leaps?: boolean,
 *   isLog?: () => boolean,
 *   isAbsent?: () => boolean,
 *   lines: () => Line[],
 *   gaps: () => Gap[],
 *   waiting: () => string,
 *   numbers: () => Numbers,
 * }} ChartSpec `isLog`: whether the vertical axis is logarithmic by itself; `isAbsent`: whether there is nothing to draw and
 *   nothing to wait for
 */

/**
 * @param {View} view
 * @param {ChartSpec[]} specs
 * @param {{
 *   axis: AxisName,
 *   axes?: AxisName[],
 *   smoothing: () => number,
 *   more?: HTMLElement[],
 *   onDraw: () => void,
 *   onDrawn: () => void,
 * }} options `axis`: the default axis, which the URL omits; `axes`: the axes on offer, all by default; `more`: further
 *   tools; `onDraw` and `onDrawn` run before and after each redraw
 */
export function chartGroup(view, specs, { axis, axes, smoothing, more = [], onDraw, onDrawn }) {
  let saving = 0;
  let drawing = false;
  /** Charts that are not drawn yet since the last measurement. @type {Chart[]} */
  let pending = [];
  /** The time that the current drawing took, over its frames. */
  let spent = 0;
  /** When the next drawing may begin. */
  let rested = 0;
  /** Whether something changed meanwhile. */
  let again = false;
  /** The horizontal extent of each chart's lines. @type {Map<string, Extent>} */
  const spans = new Map();

  /** They show which vertical axes are logarithmic. @type {(() => void)[]} */
  const logs = [];

  /** @type {Chart[]} */
  const charts = specs.map((spec) => {
    const log = h(
      "button",
      { class: "button small quiet", type: "button", title: "Logarithmic vertical axis", on: { click: toggleLog } },
      "Log y",
    );
    const byItself = () => spec.isLog?.() ?? false;
    const isLog = () => view.charts[spec.id].log ?? byItself();
    function toggleLog() {
      const mine = view.charts[spec.id];
      const next = !isLog();
      mine.log = next === byItself() ? null : next;
      mine.range = null;
      viewed();
    }
    logs.push(() => setAttribute(log, "aria-pressed", String(isLog())));
    /** @type {Chart} */
    const made = chart({
      ...spec,
      isLog,
      view,
      span: () => unionExtent([...spans.values()]),
      tools: h(
        "div",
        { class: "chart-buttons" },
        log,
        exportMenu(() => made, spec.numbers),
      ),
      onView: viewed,
      onPoint: (x, from) => charts.forEach((other) => other.id !== from && other.follow(x)),
    });
    return made;
  });

  const tools = toolbar(view, {
    axes,
    smoothing,
    more,
    isCut: () => charts.some((made) => made.isCut()),
    onSmoothing: viewed,
    onView: viewed,
    onZoom: (factor) => charts[0].zoom(factor),
  });
  tools.show();
  for (const show of logs) show();

  /** Applies a changed view and writes it to the URL. */
  function viewed() {
    tools.show();
    draw();
    clearTimeout(saving);
    saving = window.setTimeout(
      () =>
        history.replaceState(
          history.state,
          "",
          `${location.pathname}${writeView(view, location.search, axis)}${location.hash}`,
        ),
      150,
    );
  }

  /** Schedules one redraw at the next animation frame, however many events arrived. */
  function draw() {
    if (pending.length > 0) again = true;
    if (drawing) return;
    drawing = true;
    const rest = rested - performance.now();
    if (rest > 0) setTimeout(() => requestAnimationFrame(begin), rest);
    else requestAnimationFrame(begin);
  }

  /** Measures all charts, since they share their horizontal axis, and draws the first of them. */
  function begin() {
    const started = performance.now();
    onDraw();
    for (const made of charts) spans.set(made.id, made.measure());
    for (const show of logs) show();
    arrange();
    pending = charts.filter((made) => made.needsDrawing());
    spent = performance.now() - started;
    // A frame that has measured for long draws nothing.
    if (spent > FRAME_BUDGET_MS / 2) requestAnimationFrame(proceed);
    else proceed();
  }

  /** Hides charts without data; in two columns, an odd last one takes both. */
  function arrange() {
    specs.forEach(({ isAbsent }, i) => {
      charts[i].element.hidden = isAbsent?.() ?? false;
    });
    const there = charts.filter(({ element }) => !element.hidden);
    there.forEach(({ element }, i) => {
      element.classList.toggle("is-odd", i === there.length - 1 && i % 2 === 0);
    });
  }

  /** Draws charts until the frame's time is used up; the others follow in the next frame. */
  function proceed() {
    const started = performance.now();
    do pending.shift()?.draw();
    while (pending.length > 0 && performance.now() - started < FRAME_BUDGET_MS);
    const now = performance.now();
    spent += now - started;
    if (pending.length > 0) {
      requestAnimationFrame(proceed);
      return;
    }
    rested = now + spent * (1 / DRAWING_SHARE - 1);
    finish();
  }

  function finish() {
    drawing = false;
    tools.showCut();
    onDrawn();
    if (again) {
      again = false;
      draw();
    }
  }

  return {
    element: h("div", { class: "curves" }, tools.element, ...charts.map((made) => made.element)),
    charts,
    draw,
    viewed,
    showTools: tools.show,
  };
}
