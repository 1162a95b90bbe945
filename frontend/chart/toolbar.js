// The controls that all charts of a page share: horizontal axis and smoothing.

import { h, setAttribute, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { AXES } from "./axis.js";
import { sliderFromWeight, weightFromSlider } from "./smooth.js";

/** @import { View } from "./view.js" */
/** @import { AxisName } from "./axis.js" */

/**
 * @param {View} view
 * @param {{
 *   axes?: AxisName[],
 *   smoothing: () => number,
 *   more: HTMLElement[],
 *   isCut: () => boolean,
 *   onSmoothing: () => void,
 *   onView: () => void,
 *   onZoom: (factor: number) => void,
 * }} listeners `isCut`: whether a chart cuts values off
 */
export function toolbar(view, { axes: known, smoothing, more, isCut, onSmoothing, onView, onZoom }) {
  const axes = AXES.filter(({ name }) => !known || known.includes(name)).map(({ name, label }) => {
    const input = h("input", { type: "radio", name: "axis", value: name, on: { change: () => choose(name) } });
    return { input, element: h("label", {}, input, h("span", {}, label)) };
  });
  const log = h(
    "button",
    {
      class: "button small quiet",
      type: "button",
      title: "Logarithmic horizontal axis",
      on: {
        click: () => {
          view.logX = !view.logX;
          zoomOut();
        },
      },
    },
    "Log x",
  );
  const outliers = h(
    "button",
    {
      class: "button small quiet",
      type: "button",
      title: "Values far from the others do not stretch the vertical axis",
      on: {
        click: () => {
          view.outliers = view.outliers === false || isCut();
          onView();
        },
      },
    },
    "Cut outliers",
  );
  const slider = h("input", { type: "range", id: "smoothing", min: 0, max: 300, step: 1, on: { input: smooth } });
  const weight = h("output", { for: "smoothing" });
  const reset = h(
    "button",
    { class: "button small", type: "button", on: { click: zoomOut } },
    icon("reset", 14),
    "Reset zoom",
  );
  // Touch screens need buttons to zoom, because a drag scrolls.
  const zoom = h(
    "div",
    { class: "zoom-buttons" },
    h(
      "button",
      { class: "button icon small", type: "button", "aria-label": "Zoom in", on: { click: () => onZoom(0.5) } },
      icon("plus", 14),
    ),
    h(
      "button",
      { class: "button icon small", type: "button", "aria-label": "Zoom out", on: { click: () => onZoom(2) } },
      icon("minus", 14),
    ),
  );
  const element = h(
    "div",
    { class: "chart-tools", role: "group", "aria-label": "All charts" },
    h(
      "div",
      { class: "segments", role: "radiogroup", "aria-label": "Horizontal axis" },
      ...axes.map((axis) => axis.element),
    ),
    log,
    outliers,
    ...more,
    h("div", { class: "smoothing" }, h("label", { for: "smoothing" }, "Smoothing"), slider, weight),
    zoom,
    reset,
  );

  /** @param {AxisName} name */
  function choose(name) {
    view.axis = name;
    view.range = null;
    onView();
  }

  function smooth() {
    view.smoothing = weightFromSlider(Number(slider.value));
    onSmoothing();
  }

  function zoomOut() {
    view.range = null;
    for (const chart of Object.values(view.charts)) chart.range = null;
    onView();
  }

  function showCut() {
    setAttribute(outliers, "aria-pressed", String(view.outliers === false || isCut()));
  }

  return {
    element,
    showCut,
    show() {
      for (const { input } of axes) input.checked = input.value === view.axis;
      log.setAttribute("aria-pressed", String(view.logX));
      showCut();
      const now = smoothing();
      if (weightFromSlider(Number(slider.value)) !== now) slider.value = String(sliderFromWeight(now));
      slider.setAttribute("aria-valuetext", now === 0 ? "none" : String(now));
      setText(weight, now === 0 ? "none" : now);
      reset.hidden = !view.range && Object.values(view.charts).every((chart) => !chart.range);
    },
  };
}
