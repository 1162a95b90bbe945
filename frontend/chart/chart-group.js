// The charts of a page and what they share: axis, smoothing, crosshair, one redraw per animation frame, and the view in
// the page's URL.

import { h } from "../lib/dom.js";
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

/**
 * @typedef {{
 *   id: string,
 *   title: string,
 *   detail?: () => string,
 *   entries: Entry[],
 *   nameOf?: (id: string) => string | null,
 *   value: (value: number) => string,
 *   lines: () => Line[],
 *   gaps: () => Gap[],
 *   waiting: () => string,
 *   numbers: () => Numbers,
 * }} ChartSpec
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
  let drawing = 0;
  /** The horizontal extent of each chart's lines. @type {Map<string, Extent>} */
  const spans = new Map();

  /** @type {Chart[]} */
  const charts = specs.map((spec) => {
    const log = h(
      "button",
      { class: "button small quiet", type: "button", title: "Logarithmic vertical axis", on: { click: toggleLog } },
      "Log y",
    );
    function toggleLog() {
      const mine = view.charts[spec.id];
      mine.log = !mine.log;
      mine.range = null;
      showLog();
      viewed();
    }
    const showLog = () => log.setAttribute("aria-pressed", String(view.charts[spec.id].log));
    showLog();
    /** @type {Chart} */
    const made = chart({
      ...spec,
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
    onSmoothing: viewed,
    onView: viewed,
    onZoom: (factor) => charts[0].zoom(factor),
  });
  tools.show();

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
    if (drawing) return;
    drawing = requestAnimationFrame(() => {
      drawing = 0;
      onDraw();
      for (const made of charts) spans.set(made.id, made.measure());
      for (const made of charts) made.draw();
      onDrawn();
    });
  }

  return {
    element: h("div", { class: "curves" }, tools.element, ...charts.map((made) => made.element)),
    charts,
    draw,
    viewed,
    showTools: tools.show,
  };
}
