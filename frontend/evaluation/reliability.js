// The reliability diagram: whether the network is right as often as it says, as it is and with a temperature.

import { h, s } from "../lib/dom.js";
import { count, percent, plural } from "../lib/format.js";
import { interval, numberText } from "./figures.js";
import { unitChart } from "./unit-chart.js";

/** @import { EvaluationCalibration, Reliability } from "../lib/types" */
/** @typedef {Reliability["bins"][number]} Bin */

/** The height of the bars that count samples, in units of the chart. */
const COUNTS = 34;

/** @param {EvaluationCalibration | null} calibration */
export function reliabilityCard(calibration) {
  const body = h("div", { class: "card-body reliability" });
  const element = h(
    "section",
    { class: "card reliability-card", "aria-label": "Reliability" },
    h(
      "header",
      { class: "card-head" },
      h(
        "div",
        {},
        h("h2", {}, "Can its probabilities be believed?"),
        h(
          "p",
          { class: "muted small" },
          "Samples are put into 15 bins by how sure the network is. If it is right as often as it says, the bars end on the dashed line; below it the network is too sure of itself.",
        ),
      ),
    ),
    body,
  );
  if (!calibration) {
    element.classList.add("none");
    body.append(
      h(
        "p",
        { class: "refused" },
        "The scores of this network are no probabilities: they order the classes, but do not say how sure it is. A network that is trained with cross-entropy has probabilities.",
      ),
    );
    return element;
  }
  const { plain, temperature } = calibration;
  const chart = unitChart({
    label: "Accuracy by confidence",
    x: "how sure the network is",
    y: "how often it is right",
  });
  const words = h("p", { class: "small", role: "status" });
  const show = (/** @type {Reliability} */ of) => {
    draw(of);
    words.replaceChildren(
      h("b", {}, `Calibration error ${percent(of.ece.value)}`),
      ` (95% interval ${interval(of.ece)}), log loss ${numberText(of.nll.value)}, Brier score ${numberText(of.brier.value)}.`,
    );
  };

  /** @param {Reliability} of */
  function draw({ bins }) {
    const most = Math.max(1, ...bins.map((bin) => bin.count));
    const diagonal = [0, 1].map((at) => [at, at]);
    chart.draw(() => {
      const wide = chart.left(bins[0].high) - chart.left(0) - 2;
      drawCounts(bins, most, wide);
      return [
        ...bins.flatMap((bin) => barOf(bin, wide)),
        chart.line(diagonal, { token: "--ink-2", dash: true, title: "Right as often as it says" }),
      ];
    });
  }

  /** @param {Bin} bin @param {number} wide */
  function barOf(bin, wide) {
    const { accuracy, confidence } = bin;
    if (!accuracy || confidence === null) return [];
    const at = chart.left(bin.low) + 1;
    const middle = at + wide / 2;
    const title = `${percent(bin.low)} to ${percent(bin.high)} sure: ${plural(bin.count, "sample")}, ${percent(accuracy.value)} right (95% interval ${interval(accuracy)}), ${percent(confidence)} sure on average`;
    const [bar, gap] = [
      [chart.top(accuracy.value), chart.bottom() - chart.top(accuracy.value)],
      [chart.top(Math.max(accuracy.value, confidence)), Math.abs(chart.top(accuracy.value) - chart.top(confidence))],
    ];
    return [
      s("rect", { class: "bin-bar", x: at, width: wide, y: bar[0], height: bar[1] }),
      s("rect", {
        class: confidence > accuracy.value ? "bin-gap too-sure" : "bin-gap too-modest",
        x: at,
        width: wide,
        y: gap[0],
        height: gap[1],
      }),
      s("line", {
        class: "bin-interval",
        x1: middle,
        x2: middle,
        y1: chart.top(accuracy.low),
        y2: chart.top(accuracy.high),
      }),
      s(
        "rect",
        { class: "bin-hit", x: at, width: wide, y: chart.top(1), height: chart.bottom() - chart.top(1) },
        s("title", {}, title),
      ),
    ];
  }

  /** @param {Bin[]} bins @param {number} most @param {number} wide */
  function drawCounts(bins, most, wide) {
    countsPicture.setAttribute("viewBox", `0 0 ${chart.width()} ${COUNTS}`);
    counts.replaceChildren(
      ...bins.map((bin) => {
        const height = bin.count === 0 ? 0 : Math.max(1, (bin.count / most) * COUNTS);
        const at = { x: chart.left(bin.low) + 1, width: wide, y: COUNTS - height, height };
        return s("rect", at, s("title", {}, plural(bin.count, "sample")));
      }),
    );
  }
  const counts = s("g", { class: "bin-counts" });
  const countsPicture = s("svg", { class: "unit-chart", role: "img", "aria-label": "Samples in each bin" }, counts);
  const histogram = h(
    "figure",
    { class: "unit-figure" },
    h("figcaption", {}, `samples in each bin, ${count(plain.bins.reduce((sum, bin) => sum + bin.count, 0))} in all`),
    countsPicture,
  );
  const choice = (/** @type {string} */ label, /** @type {Reliability} */ of, /** @type {boolean} */ checked) =>
    h(
      "label",
      {},
      h("input", { type: "radio", name: "reliability", checked, on: { change: () => show(of) } }),
      h("span", {}, label),
    );
  const tools =
    temperature &&
    h(
      "div",
      { class: "segments", role: "radiogroup", "aria-label": "Probabilities" },
      choice("as it is", plain, true),
      choice(`with temperature ${temperature.value.toFixed(2)}`, temperature.calibrated, false),
    );
  body.append(h("div", {}, tools, words, chart.element, legend(), histogram), h("div", {}, ...explain(calibration)));
  show(plain);
  return element;
}

/** What the colours of the diagram mean. */
function legend() {
  const item = (/** @type {string} */ mark, /** @type {string} */ words) =>
    h("li", {}, h("i", { class: `bin-mark ${mark}`, "aria-hidden": "true" }), words);
  return h(
    "ul",
    { class: "bin-legend", "aria-label": "Colours of the diagram" },
    item("right", "how often it is right"),
    item("too-sure", "too sure by so much"),
    item("too-modest", "not sure enough by so much"),
    item("of-interval", "95% interval"),
    item("diagonal", "right as often as it says"),
  );
}

/** @param {EvaluationCalibration} calibration */
function explain({ plain, temperature }) {
  if (!temperature) {
    return [h("p", { class: "muted" }, "Nothing was set aside for validation, so no temperature can be fitted.")];
  }
  const { value, at_limit, validation_samples, validation_nll_before, validation_nll_after, calibrated } = temperature;
  const sure = value > 1 ? "too sure of itself" : "not sure enough of itself";
  const [before, after] = [plain.ece.value, calibrated.ece.value];
  return [
    h("h3", {}, `Temperature ${value.toFixed(2)}`),
    h(
      "p",
      {},
      Math.abs(value - 1) < 0.02
        ? "The network is about as sure as it may be. "
        : `On the validation samples the network is ${sure}. `,
      `Dividing its scores by ${value.toFixed(2)} before they become probabilities changes no prediction, and takes the calibration error on this split from ${percent(before)} to ${percent(after)}.`,
    ),
    h(
      "p",
      { class: "muted small" },
      `Fitted on ${plural(validation_samples, "validation sample")}, where the log loss goes from ${numberText(validation_nll_before)} to ${numberText(validation_nll_after)}.`,
      at_limit &&
        " It is at the limit of what is looked for: there are too few validation samples, or no mistakes among them.",
    ),
  ];
}
