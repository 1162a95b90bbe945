// A confusion matrix as a table, with its axes named.

import { h } from "./dom.js";
import { percent } from "./format.js";

/**
 * @param {number[][]} confusion rows are true classes, columns predicted ones
 * @param {string[]} names of the classes
 * @param {{ onCell?: (truth: number, predicted: number) => void, chosen?: { truth: number, predicted: number } | null
 *   }} [options] with `onCell`, cells are buttons
 */
export function confusionMatrix(confusion, names, { onCell, chosen = null } = {}) {
  // Widths are those of the columns: the first row spans several of them.
  const columns = h(
    "colgroup",
    {},
    h("col", { class: "axis" }),
    h("col", { class: "corner" }),
    ...names.map(() => h("col")),
    h("col", { class: "recall" }),
  );
  const axis = h(
    "tr",
    { class: "axis" },
    h("td", { colspan: 2 }),
    h("th", { scope: "colgroup", colspan: names.length }, "predicted"),
    h("td"),
  );
  const head = h(
    "tr",
    {},
    h("td", { colspan: 2 }),
    ...names.map((name) => h("th", { scope: "col", title: name }, h("span", {}, name))),
    h("th", { scope: "col", class: "recall" }, "right"),
  );
  const rows = confusion.map((row, truth) => {
    const total = row.reduce((sum, cell) => sum + cell, 0);
    const cells = row.map((value, prediction) => {
      const share = total > 0 ? value / total : 0;
      const words = `${names[truth]} predicted as ${names[prediction]}: ${value} of ${total}`;
      const text = value === 0 ? "·" : value;
      const inside =
        onCell && value > 0
          ? h(
              "button",
              { class: "cell", type: "button", "aria-label": words, on: { click: () => onCell(truth, prediction) } },
              text,
            )
          : text;
      const td = h(
        "td",
        { class: truth === prediction ? "right" : "wrong", title: words, data: { truth, predicted: prediction } },
        inside,
      );
      if (chosen?.truth === truth && chosen.predicted === prediction) td.setAttribute("aria-current", "true");
      // The scale keeps a few mistakes visible beside many correct predictions. At half the colour the numbers can still be
      // read in the ink of the page, in both schemes. On black, the style sheet makes mistakes lighter than that.
      td.style.setProperty("--share", `${value === 0 ? 0 : Math.round(10 + 40 * Math.sqrt(share))}%`);
      td.classList.toggle("zero", value === 0);
      td.classList.toggle("strong", share > 0.45);
      return td;
    });
    return h(
      "tr",
      {},
      truth === 0 && h("th", { scope: "rowgroup", rowspan: names.length, class: "axis" }, h("span", {}, "true class")),
      h("th", { scope: "row", title: names[truth] }, h("span", {}, names[truth])),
      ...cells,
      h("td", { class: "recall" }, total > 0 ? percent(row[truth] / total) : "–"),
    );
  });
  return h(
    "table",
    {
      class: "confusion",
      vars: {
        classes: String(names.length),
        label: `${Math.min(10, Math.max(...names.map((name) => name.length))) + 1}ch`,
      },
    },
    h(
      "caption",
      { class: "visually-hidden" },
      "Confusion matrix: rows are the true classes, columns the predicted ones",
    ),
    columns,
    h("thead", {}, axis, head),
    h("tbody", {}, ...rows),
  );
}
