// The test result: accuracy and confusion matrix.

import { h } from "../lib/dom.js";
import { count, formatLoss, percent, plural } from "../lib/format.js";
import { confusionMatrix } from "../lib/confusion-matrix.js";

/** @import { TestEvent } from "../lib/types" */

export function testPanel() {
  const body = h("div", { class: "card-body test-body" });
  const element = h(
    "section",
    { class: "card test-panel", "aria-label": "Test result", hidden: true },
    h("header", { class: "card-head" }, h("h2", {}, "Test result")),
    body,
  );
  return {
    element,
    /** @param {Pick<TestEvent, "loss" | "accuracy" | "confusion">} test @param {string[]} classes */
    show({ loss, accuracy, confusion }, classes) {
      element.hidden = false;
      const samples = confusion.flat().reduce((sum, cell) => sum + cell, 0);
      const names = confusion.map((_, i) => classes[i] ?? String(i));
      body.replaceChildren(
        h(
          "dl",
          { class: "figures" },
          figurePair("Accuracy", percent(accuracy)),
          figurePair("Loss", formatLoss(loss)),
          figurePair("Samples", count(samples)),
        ),
        h("div", { class: "confusion-frame" }, confusionMatrix(confusion, names)),
        worst(confusion, names),
      );
    },
  };
}

/** @param {string} name @param {string} value */
const figurePair = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

/** The most frequent mistake. @param {number[][]} confusion @param {string[]} names */
function worst(confusion, names) {
  let [most, truth, prediction] = [0, 0, 0];
  confusion.forEach((row, t) =>
    row.forEach((value, p) => {
      if (t !== p && value > most) [most, truth, prediction] = [value, t, p];
    }),
  );
  if (most === 0) return h("p", { class: "muted small" }, "No mistakes.");
  const alone = confusion.flatMap((row, t) => row.filter((value, p) => t !== p && value > 0)).length;
  if (most === 1 && alone > 1)
    return h("p", { class: "muted small" }, `${plural(alone, "mistake")}, no two of them alike.`);
  return h(
    "p",
    { class: "muted small" },
    `Most frequent mistake: ${names[truth]} predicted as ${names[prediction]}, ${most === 1 ? "once" : plural(most, "time")}.`,
  );
}
