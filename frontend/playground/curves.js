// The curves of loss and accuracy over the epochs, of training and test points.

import { h } from "../lib/dom.js";
import { onTheme } from "../lib/theme.js";
import { plot } from "../chart/plot.js";
import { ACCURACY, LOSS } from "../chart/units.js";

/** @import { DrawnLine, Unit } from "../chart/plot-data.js" */
/** @import { Evaluation, Scores } from "./train.js" */

/** @type {{ of: "train" | "test", label: string, token: string, dash: number[] }[]} */
const LINES = [
  { of: "train", label: "training", token: "--data-3", dash: [] },
  { of: "test", label: "test", token: "--data-4", dash: [5, 3] },
];
const HEIGHT = 144;
/** The shortest horizontal axis, in epochs. */
const MIN_EPOCHS = 5;

/** @param {() => void} redraw */
export function curves(redraw) {
  const places = { loss: h("div", { class: "curve" }), accuracy: h("div", { class: "curve" }) };
  const xName = () => "epoch";
  const plots = {
    loss: plot(places.loss, { marks: () => [], xName }),
    accuracy: plot(places.accuracy, { marks: () => [], xName }),
  };
  const element = h(
    "section",
    { class: "card curves", "aria-label": "Curves" },
    h(
      "header",
      { class: "card-head" },
      h("h2", {}, "Curves"),
      h(
        "ul",
        { class: "curve-legend" },
        ...LINES.map(({ of, label }) => h("li", {}, h("i", { class: `curve-line ${of}` }), label)),
      ),
    ),
    h("div", { class: "card-body curve-pair" }, places.loss, places.accuracy),
  );
  new ResizeObserver(redraw).observe(places.loss);
  onTheme(redraw);

  /** @param {Evaluation[]} history @param {Evaluation} now */
  function draw(history, now) {
    const all = history.at(-1)?.epoch === now.epoch ? history.slice(0, -1) : history;
    const shown = [...all, now];
    const most = Math.max(...shown.flatMap(({ train, test }) => [train.loss, test.loss]).filter(Number.isFinite), 0.01);
    show("loss", shown, [0, most * 1.05], LOSS);
    show("accuracy", shown, [0, 1], ACCURACY);
  }

  /** @param {keyof Scores} name @param {Evaluation[]} shown @param {[number, number]} range @param {Unit} unit */
  function show(name, shown, [min, max], unit) {
    plots[name].resize(places[name].clientWidth, HEIGHT);
    plots[name].draw({
      x: { min: 0, max: Math.max(MIN_EPOCHS, shown[shown.length - 1].epoch), log: false },
      y: { min, max, log: false },
      drawn: LINES.map((line) => lineOf(line, name, shown)),
      unit,
      unloggable: 0,
      cut: null,
      outside: 0,
      leaving: [],
    });
  }

  return { element, draw };
}

/** @param {typeof LINES[number]} line @param {keyof Scores} name @param {Evaluation[]} shown @returns {DrawnLine} */
function lineOf({ of, label, token, dash }, name, shown) {
  const x = shown.map(({ epoch }) => epoch);
  const y = shown.map((one) => (Number.isFinite(one[of][name]) ? one[of][name] : null));
  const line = { id: of, label, token, dash, width: 1.8, alpha: 1, markers: false, counts: true, x, y: [], length: 0 };
  return { line, x, y, low: [], high: [], dots: [] };
}
