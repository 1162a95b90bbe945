// The part of the horizontal axis that all drawn runs have: beside a run of sixty epochs, one of two is a sliver at the
// left.

import { h, setAttribute, setText } from "../lib/dom.js";
import { formatNumber } from "../lib/format.js";

/** @import { View } from "../chart/view.js" */

/** Without a run that ends before this share of the longest, all are seen as they are. */
const SHORT = 0.4;

/** One that ends before this share is a sliver, so that the common part is shown first. */
const SLIVER = 0.1;

/**
 * Where the shortest run ends; null if no run is much shorter than others.
 * @param {number[]} ends of the runs, on the axis that is shown
 */
export function commonEnd(ends) {
  const known = ends.filter((end) => end > 0);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return known.length > 1 && least < SHORT * most ? least : null;
}

/** The address has a range in six digits. @param {number} a @param {number} b */
const isNear = (a, b) => Math.abs(a - b) <= 1e-4 * Math.abs(b);

/**
 * The button that zooms to the common part, and back.
 * @param {View} view
 * @param {{ spans: () => [first: number, last: number][], unit: () => string, onView: () => void }} options `spans`: of the
 *   shown runs, from the first value above 0 on; `unit`: of the horizontal axis
 */
export function commonPartButton(view, { spans, unit, onView }) {
  const element = h(
    "button",
    {
      class: "button small quiet",
      type: "button",
      hidden: true,
      title: "Only the part of the horizontal axis that all shown runs have",
      on: { click: toggle },
    },
    "Common part",
  );
  /** @returns {[number, number] | null} */
  function partOf() {
    const known = spans();
    const end = commonEnd(known.map(([, last]) => last));
    if (end === null) return null;
    // A logarithmic axis has no 0.
    return [view.logX ? Math.min(...known.map(([first]) => first)) : 0, end];
  }
  /** @param {[number, number] | null} part */
  const isOn = (part) =>
    part !== null && view.range !== null && isNear(view.range[0], part[0]) && isNear(view.range[1], part[1]);
  function toggle() {
    const part = partOf();
    view.range = isOn(part) ? null : part;
    onView();
  }
  return {
    element,
    /** Zooms to the common part where a run is a sliver beside the others. */
    begin() {
      const part = partOf();
      if (part && view.range === null && part[1] < SLIVER * Math.max(...spans().map(([, last]) => last)))
        view.range = part;
    },
    show() {
      const part = partOf();
      element.hidden = part === null;
      setAttribute(element, "aria-pressed", String(isOn(part)));
      const most = Math.max(...spans().map(([, last]) => last));
      // What is left out is said, or the last value that is seen would be taken for that of the run.
      const words = part && isOn(part) ? `: to ${unit()} ${formatNumber(part[1])} of ${formatNumber(most)}` : "";
      setText(element, `Common part${words}`);
    },
  };
}
