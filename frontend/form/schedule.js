// A small chart of the learning rate over the run, as computed by the server.

import { h, s, setText } from "../lib/dom.js";
import { count, formatNumber } from "../lib/format.js";

/** @import { Schedule } from "../lib/types" */

/** The chart's size in its own units; it is scaled to the available width. */
export const WIDTH = 480;
export const HEIGHT = 96;

/**
 * The points of a schedule's line; the bottom is 0.
 * @param {Schedule} schedule
 */
export function schedulePoints({ steps, lr }) {
  const last = Math.max(steps[steps.length - 1] ?? 1, 2);
  const most = Math.max(...lr, Number.MIN_VALUE);
  const place = (/** @type {number} */ value) => Number(value.toFixed(2));
  const points = steps.map(
    (step, i) => `${place(((step - 1) / (last - 1)) * WIDTH)} ${place(HEIGHT - (lr[i] / most) * HEIGHT)}`,
  );
  // A run of one step also gets a line.
  if (points.length === 1) points.push(`${WIDTH} ${points[0].split(" ")[1]}`);
  return `M${points.join("L")}`;
}

/** A sentence for screen readers. @param {Schedule} schedule */
export function describeSchedule({ steps, lr }) {
  const most = Math.max(...lr);
  const at = steps[lr.indexOf(most)];
  const [first, end] = [lr[0], lr[lr.length - 1]];
  if (lr.every((rate) => rate === first)) return `Learning rate ${formatNumber(first)} at every step`;
  const peak = most > first && most > end ? `, ${formatNumber(most)} at step ${count(at)}` : "";
  return `Learning rate from ${formatNumber(first)} at step 1${peak}, to ${formatNumber(end)} at step ${count(steps[steps.length - 1])}`;
}

export function schedulePart() {
  const line = s("path", { class: "rate-line" });
  const area = s("path", { class: "rate-area" });
  const svg = s(
    "svg",
    { class: "rate-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    area,
    line,
  );
  const most = h("span", { class: "rate-most" });
  const last = h("span", {});
  const element = h(
    "figure",
    { class: "rate", hidden: true },
    h(
      "div",
      { class: "rate-plot" },
      h("div", { class: "rate-y", "aria-hidden": "true" }, most, h("span", {}, "0")),
      svg,
    ),
    h("figcaption", { class: "rate-x", "aria-hidden": "true" }, h("span", {}, "step 1"), last),
  );
  return {
    element,
    /** @param {Schedule | null} schedule null keeps the last one, faded */
    show(schedule) {
      element.classList.toggle("stale", schedule === null);
      if (!schedule) return;
      element.hidden = false;
      const path = schedulePoints(schedule);
      line.setAttribute("d", path);
      area.setAttribute("d", `${path}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`);
      svg.setAttribute("aria-label", describeSchedule(schedule));
      setText(most, formatNumber(Math.max(...schedule.lr)));
      setText(last, `step ${count(schedule.steps[schedule.steps.length - 1])}`);
    },
  };
}
