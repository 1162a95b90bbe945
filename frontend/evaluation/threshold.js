// "None of these": how much is answered, and how much of it is right, if the network must be sure.

import { h, s, setText } from "../lib/dom.js";
import { formatNumber, percent } from "../lib/format.js";
import { interval } from "./figures.js";
import { unitChart } from "./unit-chart.js";

/** @import { RunEvaluation } from "../lib/types" */

const STEPS = 1000;

/** @typedef {RunEvaluation["selective"]["choices"][number]} Choice */

/**
 * The choices with those of one threshold in one row: a network that is right 98% of the time reaches 90% and 95% without
 * declining anything.
 * @param {Choice[]} choices
 * @returns {(Choice & { wanted: string })[]}
 */
export function merged(choices) {
  const share = (/** @type {number} */ target) => percent(target).replace(".0", "");
  /** @type {(Choice & { wanted: string, from: number })[]} */
  const rows = [];
  for (const choice of choices) {
    const last = rows.at(-1);
    if (last && last.threshold === choice.threshold) last.wanted = `${share(last.from)} to ${share(choice.target)}`;
    else rows.push({ ...choice, from: choice.target, wanted: share(choice.target) });
  }
  return rows;
}

/** @param {RunEvaluation} evaluation */
export function thresholdCard({ selective: { curve, choices }, scores }) {
  const isShare = scores !== "margins";
  const isFine = (/** @type {number | null} */ value) => value !== null && value > 0.99 && value < 1;
  const sure = (/** @type {number} */ value, fine = isFine(value)) =>
    isShare ? (fine ? `${(value * 100).toFixed(2)}%` : percent(value)) : `a lead of ${formatNumber(value)}`;
  // The thresholds of the table have equal decimals.
  const anyFine = choices.some(({ threshold }) => isFine(threshold));
  const chart = unitChart({
    label: "Accuracy by the share that is answered",
    x: "samples that are answered",
    y: "answers that are right",
  });
  const slider = h("input", {
    type: "range",
    min: 0,
    max: STEPS,
    value: STEPS,
    "aria-label": "Samples that are answered",
    on: { input: () => show(Number(slider.value) / STEPS) },
  });
  const words = h("p", { class: "threshold-words", role: "status" });
  const least = Math.min(...curve.map(({ accuracy }) => accuracy));
  chart.setFrom(Math.max(0, Math.floor((least - 0.02) * 20) / 20));
  const area = curve.map(({ coverage, accuracy }) => [coverage, accuracy]);

  /** @param {number} coverage */
  function show(coverage) {
    const at = curve.find((point) => point.coverage >= coverage - 1e-9) ?? curve[curve.length - 1];
    chart.draw(() => {
      const [x, y] = [chart.left(at.coverage), chart.top(at.accuracy)];
      return [
        chart.line(area, { token: "--data-1" }),
        s("line", { class: "threshold-at", x1: x, x2: x, y1: chart.top(1), y2: chart.bottom() }),
        s("circle", { class: "threshold-dot", cx: x, cy: y, r: 5 }),
      ];
    });
    words.replaceChildren(
      ...(at.coverage >= 1
        ? [h("b", {}, "It always answers: "), `${percent(at.accuracy)} of the answers are right.`]
        : [
            h("b", {}, `Answer from ${sure(at.threshold)}${isShare ? " sure" : ""} on, else “none of these”: `),
            `${percent(at.coverage)} of the samples are answered, and ${percent(at.accuracy)} of the answers are right.`,
          ]),
    );
    slider.setAttribute("aria-valuetext", words.textContent ?? "");
  }

  const rows = merged(choices).map(({ wanted, threshold, coverage, accuracy }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, wanted),
      h("td", {}, threshold === null ? "out of reach" : sure(threshold, anyFine)),
      h("td", { title: coverage ? `95% interval ${interval(coverage)}` : "" }, percent(coverage?.value)),
      h("td", { title: accuracy ? `95% interval ${interval(accuracy)}` : "" }, percent(accuracy?.value)),
      h(
        "td",
        {},
        threshold !== null &&
          coverage &&
          h(
            "button",
            {
              class: "button small quiet",
              type: "button",
              "aria-label": `Show the threshold for ${wanted}`,
              on: {
                click: () => {
                  slider.value = String(Math.round(coverage.value * STEPS));
                  show(coverage.value);
                },
              },
            },
            "Show",
          ),
      ),
    ),
  );
  const table = h(
    "table",
    { class: "threshold-table" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ...["wanted", "threshold", "answered", "right"].map((name) => h("th", { scope: "col" }, name)),
        h("td"),
      ),
    ),
    h("tbody", {}, ...rows),
  );
  const about = h("p", { class: "muted small" });
  setText(
    about,
    choices.length > 0
      ? "For each accuracy that one wants: the lowest threshold that reached it on the validation samples, and what it does on this split. The two differ, as for every choice that meets new samples."
      : "Nothing was set aside for validation, so no threshold is chosen.",
  );
  show(1);
  return h(
    "section",
    { class: "card threshold-card", "aria-label": "None of these" },
    h(
      "header",
      { class: "card-head" },
      h(
        "div",
        {},
        h("h2", {}, "“None of these”"),
        h(
          "p",
          { class: "muted small" },
          "A network that may decline when it is not sure makes fewer mistakes. Move the slider to see what that costs.",
        ),
      ),
    ),
    h(
      "div",
      { class: "card-body reliability" },
      h("div", {}, words, slider, chart.element),
      h(
        "div",
        {},
        about,
        choices.length > 0 &&
          h("div", { class: "scrolls", tabindex: 0, role: "group", "aria-label": "Thresholds" }, table),
      ),
    ),
  );
}
