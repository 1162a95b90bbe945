// How far the run is: a bar and the figures one looks for.

import { h, setAttribute, setText } from "../lib/dom.js";
import { bytes, count, duration, figure, percent, short } from "../lib/format.js";
import { stateOf } from "../lib/status.js";
import { share } from "../runs/order.js";

/** @import { Run } from "../lib/types" */

/** @type {{ name: string, text: (run: Run) => string, title?: (run: Run) => string }[]} */
const FIGURES = [
  { name: "Epoch", text: ({ summary: { epoch, epochs } }) => place(epoch, epochs), title: ({ summary: { epoch, epochs } }) => (epoch === null ? "" : `${count(epoch)} of ${count(epochs)}`) },
  { name: "Step", text: ({ summary: { step, steps } }) => place(step, steps), title: ({ summary: { step, steps } }) => (step === null ? "" : `${count(step)} of ${count(steps)}`) },
  { name: "Training loss", text: ({ summary }) => figure(summary.train_loss) },
  {
    name: "Best validation",
    text: ({ summary }) => percent(summary.best_validation_accuracy),
    title: ({ summary }) => (summary.best_epoch === null ? "" : `after epoch ${summary.best_epoch}`),
  },
  { name: "Test", text: ({ summary }) => percent(summary.test_accuracy) },
  { name: "Images/s", text: ({ summary }) => short(summary.images_per_s), title: ({ summary }) => count(summary.images_per_s) },
  { name: "Trained for", text: ({ summary }) => duration(summary.seconds) },
  { name: "Time left", text: ({ status, summary }) => (status === "running" ? duration(summary.seconds_left) : "–") },
  { name: "Memory", text: ({ summary }) => bytes(summary.peak_memory_bytes), title: () => "most that the worker has held" },
  { name: "Parameters", text: ({ summary }) => (summary.parameters !== null && summary.parameters >= 1e8 ? short(summary.parameters) : count(summary.parameters)), title: ({ summary }) => count(summary.parameters) },
];

/** What is known of an imported run. @type {typeof FIGURES} */
const IMPORTED = [
  { name: "Last step", text: ({ summary }) => count(summary.step) },
  { name: "Training loss", text: ({ summary }) => figure(summary.train_loss), title: () => "the last" },
  { name: "Training accuracy", text: ({ summary }) => percent(summary.train_accuracy), title: () => "the last" },
  { name: "Validation loss", text: ({ summary }) => figure(summary.validation_loss), title: () => "the last" },
  { name: "Best validation", text: ({ summary }) => percent(summary.best_validation_accuracy) },
  { name: "Time", text: ({ summary }) => duration(summary.seconds), title: () => "from the first value to the last" },
];

/** Two numbers that fit into a figure. @param {number | null} done @param {number | null} all */
function place(done, all) {
  if (done === null) return "–";
  const text = (all ?? 0) >= 100_000 ? short : count;
  return `${text(done)} / ${text(all)}`;
}

/** @param {Run} first */
export function progressPanel(first) {
  const bar = h("div", { class: "bar", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, h("span"));
  const figures = first.source ? IMPORTED : FIGURES;
  const cells = figures.map(({ name }) => ({ name, value: h("dd") }));
  const element = h("section", { class: "card progress", "aria-label": "Progress" }, bar, h("dl", { class: "figures" }, ...cells.map(({ name, value }) => h("div", {}, h("dt", {}, name), value))));

  /** @param {Run} run */
  function show(run) {
    const done = run.status === "finished" && run.reason === "completed" ? 1 : share(run);
    bar.dataset.tone = stateOf(run).tone;
    bar.style.setProperty("--share", String(done));
    setAttribute(bar, "aria-valuenow", String(Math.round(done * 100)));
    cells.forEach(({ value }, i) => {
      setText(value, figures[i].text(run));
      const title = figures[i].title?.(run) ?? "";
      if (value.title !== title) value.title = title;
    });
  }

  show(first);
  return { element, show };
}
