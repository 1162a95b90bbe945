// The progress of a run: a bar and the main figures.

import { meanSpeed } from "../lib/mean-speed.js";
import { h, setAttribute, setText } from "../lib/dom.js";
import { bytes, count, duration, formatLoss, percent, compactNumber, together } from "../lib/format.js";
import { isActive, stateOf } from "../lib/status.js";
import { EPOCH_MEAN, EPOCH_MEAN_TITLE } from "../runs/columns.js";
import { progressOf } from "../runs/order.js";
import { speedTitle } from "./pages.js";

/** @import { PreparingEvent, Run } from "../lib/types" */

/**
 * `more` qualifies a name that has several meanings; `isMain`: how good the network is, which comes first.
 * @typedef {{ name: string | ((run: Run) => string), isMain?: boolean, text: (run: Run) => string, more?: (run: Run) => string, title?: (run: Run) => string }} Figure
 */

/** @type {Figure[]} */
const FIGURES = [
  { name: "Test accuracy", isMain: true, text: ({ summary }) => percent(summary.test_accuracy) },
  {
    name: "Best validation",
    isMain: true,
    text: ({ summary }) => percent(summary.best_validation_accuracy),
    more: ({ summary }) => (summary.best_epoch === null ? "" : `epoch ${count(summary.best_epoch)}`),
    title: () => "Of equally accurate epochs, the one with the lowest validation loss",
  },
  {
    name: "Training loss",
    isMain: true,
    text: ({ summary }) => formatLoss(summary.train_loss),
    more: () => EPOCH_MEAN,
    title: () => EPOCH_MEAN_TITLE,
  },
  {
    name: "Epoch",
    text: ({ summary: { epoch, epochs } }) => fraction(epoch, epochs),
    title: ({ summary: { epoch, epochs } }) => (epoch === null ? "" : `${count(epoch)} of ${count(epochs)}`),
  },
  {
    name: "Step",
    text: ({ summary: { step, steps } }) => fraction(step, steps),
    title: ({ summary: { step, steps } }) => (step === null ? "" : `${count(step)} of ${count(steps)}`),
  },
  {
    name: (run) => speedTitle([run]),
    text: ({ summary }) => compactNumber(meanSpeed(summary) ?? summary.images_per_s),
    more: (run) =>
      meanSpeed(run.summary) === null
        ? ""
        : `mean; ${isActive(run) ? "now" : "at the end"} ${together(compactNumber(run.summary.images_per_s))}`,
    title: ({ summary }) =>
      `Training samples per second of the whole run, validation included: ${count(meanSpeed(summary))}`,
  },
  { name: "Trained for", text: ({ summary }) => duration(summary.seconds) },
  { name: "Time left", text: ({ status, summary }) => (status === "running" ? duration(summary.seconds_left) : "–") },
  {
    name: "Memory",
    text: ({ summary }) => bytes(summary.peak_memory_bytes),
    title: () => "maximum memory of the worker",
  },
  {
    name: "Parameters",
    text: ({ summary }) =>
      summary.parameters !== null && summary.parameters >= 1e8
        ? compactNumber(summary.parameters)
        : count(summary.parameters),
    title: ({ summary }) => count(summary.parameters),
  },
];

/** Imported curves have no epochs. */
const LAST = "last value";

/** The figures of an imported run. @type {Figure[]} */
const IMPORTED = [
  { name: "Best validation", isMain: true, text: ({ summary }) => percent(summary.best_validation_accuracy) },
  { name: "Training loss", isMain: true, text: ({ summary }) => formatLoss(summary.train_loss), more: () => LAST },
  { name: "Validation loss", text: ({ summary }) => formatLoss(summary.validation_loss), more: () => LAST },
  { name: "Training accuracy", text: ({ summary }) => percent(summary.train_accuracy), more: () => LAST },
  { name: "Last step", text: ({ summary }) => count(summary.step) },
  { name: "Time", text: ({ summary }) => duration(summary.seconds), title: () => "from the first value to the last" },
];

/** "Done of all" in short form, with a unit that both have once: "14.3 / 126 k". @param {number | null} done @param {number | null} all */
export function fraction(done, all) {
  if (done === null) return "–";
  const text = (all ?? 0) >= 100_000 ? compactNumber : count;
  const [part, whole] = [text(done), text(all)].map(together);
  const unit = /\u00a0[kMG]$/.exec(whole)?.[0];
  return `${unit && part.endsWith(unit) ? part.slice(0, -unit.length) : part} / ${whole}`;
}

/** @param {Run} first */
export function progressPanel(first) {
  const bar = h(
    "div",
    { class: "bar", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 },
    h("span"),
  );
  const figures = first.source ? IMPORTED : FIGURES;
  const cells = figures.map(({ name, isMain = false }) => {
    const [value, more] = [h("span"), h("small")];
    const title = typeof name === "string" ? name : name(first);
    return { value, more, isMain, element: h("div", {}, h("dt", {}, title), h("dd", {}, value, more)) };
  });
  const [main, rest] = [true, false].map((isMain) =>
    h(
      "dl",
      { class: `figures${isMain ? " is-main" : ""}` },
      ...cells.filter((cell) => cell.isMain === isMain).map((cell) => cell.element),
    ),
  );
  /** The photos that are prepared before the run starts. @type {PreparingEvent | null} */
  let preparing = null;
  let shown = first;
  const before = h("p", { class: "muted", role: "status", hidden: true });
  const element = h(
    "section",
    { class: "card progress", "aria-label": "Progress" },
    bar,
    before,
    h("div", { class: "progress-figures" }, main, rest),
  );

  /** @param {Run} run */
  function show(run) {
    shown = run;
    const waits = run.status === "running" && preparing !== null && run.summary.step === null;
    before.hidden = !waits;
    if (waits) setText(before, words(preparing));
    const done = waits
      ? (preparing?.done ?? 0) / (preparing?.of || 1)
      : run.status === "finished" && run.reason === "completed"
        ? 1
        : progressOf(run);
    bar.dataset.tone = stateOf(run).tone;
    bar.style.setProperty("--share", String(done));
    setAttribute(bar, "aria-valuenow", String(Math.round(done * 100)));
    cells.forEach(({ value, more, element: cell }, i) => {
      const text = figures[i].text(run);
      // A figure that there is none of says nothing.
      cell.hidden = text === "–";
      setText(value, text);
      setText(more, cell.hidden ? "" : (figures[i].more?.(run) ?? ""));
      const title = figures[i].title?.(run) ?? "";
      if (value.title !== title) value.title = title;
    });
    main.hidden = cells.every(({ isMain, element: { hidden } }) => !isMain || hidden);
  }

  show(first);
  return {
    element,
    show,
    /** @param {PreparingEvent | null} event `null` when the run has started */
    prepare(event) {
      if (event === preparing) return;
      preparing = event;
      show(shown);
    },
  };
}

/** @param {PreparingEvent | null} event */
function words(event) {
  if (!event) return "";
  if (event.done === null) return "Another run prepares the same photos; this one starts when they are ready.";
  return `Preparing photos at the size of this run, once for all runs: ${count(event.done)} of ${count(event.of)}.`;
}
