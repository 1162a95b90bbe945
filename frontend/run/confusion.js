// The result on the test split: how often each class was taken for which.

import { h } from "../lib/dom.js";
import { count, figure, percent, plural } from "../lib/format.js";

/** @import { TestEvent } from "../lib/types" */

export function testPanel() {
  const body = h("div", { class: "card-body test-body" });
  const element = h("section", { class: "card test-panel", "aria-label": "Test result", hidden: true }, h("header", { class: "card-head" }, h("h2", {}, "Test result")), body);
  return {
    element,
    /** @param {Pick<TestEvent, "loss" | "accuracy" | "confusion">} test @param {string[]} classes */
    show({ loss, accuracy, confusion }, classes) {
      element.hidden = false;
      const samples = confusion.flat().reduce((sum, cell) => sum + cell, 0);
      const names = confusion.map((_, i) => classes[i] ?? String(i));
      body.replaceChildren(
        h("dl", { class: "figures" }, figurePair("Accuracy", percent(accuracy)), figurePair("Loss", figure(loss)), figurePair("Samples", count(samples))),
        h("div", { class: "confusion-frame" }, matrix(confusion, names)),
        worst(confusion, names),
      );
    },
  };
}

/** @param {string} name @param {string} value */
const figurePair = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

/** @param {number[][]} confusion @param {string[]} names */
function matrix(confusion, names) {
  const head = h("tr", {}, h("th", { scope: "col", class: "corner" }, h("span", {}, "truth \\ prediction")), ...names.map((name) => h("th", { scope: "col", title: name }, h("span", {}, name))), h("th", { scope: "col", class: "recall" }, "right"));
  const rows = confusion.map((row, truth) => {
    const total = row.reduce((sum, cell) => sum + cell, 0);
    const cells = row.map((value, prediction) => {
      const share = total > 0 ? value / total : 0;
      const td = h("td", { class: truth === prediction ? "right" : "wrong", title: `${names[truth]} taken for ${names[prediction]}: ${value} of ${total}` }, value === 0 ? "·" : value);
      // Few mistakes must be seen beside many right answers.
      td.style.setProperty("--share", `${value === 0 ? 0 : Math.round(12 + 78 * Math.sqrt(share))}%`);
      td.classList.toggle("zero", value === 0);
      td.classList.toggle("strong", share > 0.45);
      return td;
    });
    return h("tr", {}, h("th", { scope: "row", title: names[truth] }, h("span", {}, names[truth])), ...cells, h("td", { class: "recall" }, total > 0 ? percent(row[truth] / total) : "–"));
  });
  return h("table", { class: "confusion", vars: { classes: String(names.length), label: `${Math.min(10, Math.max(...names.map((name) => name.length))) + 1}ch` } }, h("caption", { class: "visually-hidden" }, "Confusion matrix: rows are the true classes, columns the predicted ones"), h("thead", {}, head), h("tbody", {}, ...rows));
}

/** The mistake made most often. @param {number[][]} confusion @param {string[]} names */
function worst(confusion, names) {
  let [most, truth, prediction] = [0, 0, 0];
  confusion.forEach((row, t) => row.forEach((value, p) => {
    if (t !== p && value > most) [most, truth, prediction] = [value, t, p];
  }));
  if (most === 0) return h("p", { class: "muted small" }, "Not one mistake.");
  return h("p", { class: "muted small" }, `Most often wrong: ${names[truth]} taken for ${names[prediction]}, ${most === 1 ? "once" : plural(most, "time")}.`);
}
