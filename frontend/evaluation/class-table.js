// The figures of each class: a table that sorts by any of them.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { scrollFrame } from "../lib/scroll-frame.js";
import { points, scaleFrom, scaleText, shareDot } from "./figures.js";

/** @import { ClassFigures, Figure, RunEvaluation, EvaluationComparison } from "../lib/types" */

/** @typedef {ClassFigures & { class: number, name: string }} Row */

/** @type {{ id: "precision" | "recall" | "f1" | "average_precision" | "auc", label: string, brief: string, means: string, missing: string }[]} */
export const COLUMNS = [
  {
    id: "precision",
    label: "Precision",
    brief: "how many predictions of the class are right",
    means: "Of the samples predicted as this class, the share that is",
    missing: "The class is never predicted",
  },
  {
    id: "recall",
    label: "Recall",
    brief: "how many of its samples are found",
    means: "Of this class's samples, the share that is found",
    missing: "The split has no sample of the class",
  },
  {
    id: "f1",
    label: "F1",
    brief: "high only if both are",
    means: "The harmonic mean of precision and recall: high only if both are",
    missing: "The class has neither samples nor predictions",
  },
  {
    id: "average_precision",
    label: "AP",
    brief: "average precision over all thresholds",
    means: "Average precision: the area under the precision-recall curve",
    missing: "The split has no sample of the class",
  },
  {
    id: "auc",
    label: "AUC",
    brief: "how often a sample of the class ranks above one of another",
    means: "The area under the ROC curve: the chance that a sample of this class is ranked above one of another",
    missing: "There are not samples both of this class and of others",
  },
];

/**
 * @param {RunEvaluation} evaluation
 * @param {{ name: string, evaluation: RunEvaluation } | null} other
 * @param {EvaluationComparison | null} compared
 */
export function classTable(evaluation, other, compared) {
  /** The classes of a column are told apart on a scale of its own. */
  const scales = COLUMNS.map(({ id }) =>
    scaleFrom([evaluation, other?.evaluation].flatMap((one) => one?.per_class.map((figures) => figures[id]) ?? [])),
  );
  const rows = evaluation.per_class.map((figures, i) => ({ ...figures, class: i, name: evaluation.classes[i] }));
  /** @type {{ by: string, up: boolean }} */
  let order = { by: "class", up: true };
  const body = h("tbody", {});
  const heads = [
    head("class", "Class", "By name; the first press sorts by the order of the data set"),
    head("support", "Samples", "Samples of the class in this split", "number"),
    ...COLUMNS.map(({ id, label, means }, i) => head(id, label, means, "", scaleText(scales[i]))),
    ...(compared
      ? [head("difference", `Recall against ${other?.name}`, `Recall less that of ${other?.name}, in points`, "number")]
      : []),
  ];
  const element = h(
    "section",
    { class: "card class-table-card", "aria-label": "Figures of each class" },
    h(
      "header",
      { class: "card-head" },
      h(
        "div",
        {},
        h("h2", {}, "Each class"),
        h(
          "p",
          { class: "muted small class-dots" },
          "The dot is the figure, the line its 95% interval: where lines of two classes overlap widely, their order may be chance. Each column has the scale that its head says.",
        ),
        h(
          "p",
          { class: "muted small" },
          ...COLUMNS.flatMap(({ label, brief }, i) => [i > 0 && " · ", h("b", {}, label), `: ${brief}`]),
        ),
      ),
    ),
    scrollFrame(
      h(
        "div",
        { class: "class-scroll", tabindex: 0, role: "group", "aria-label": "Table of classes" },
        h("table", { class: "class-table" }, h("thead", {}, h("tr", {}, ...heads)), body),
      ),
    ),
  );

  /** @param {string} id @param {string} label @param {string} title @param {string} [kind] @param {string} [scale] */
  function head(id, label, title, kind = "", scale = "") {
    const sort = () => {
      order = { by: id, up: order.by === id ? !order.up : id === "class" };
      draw();
    };
    return h(
      "th",
      { scope: "col", class: kind, data: { by: id } },
      h("button", { type: "button", title, on: { click: sort } }, label),
      scale !== "" && h("small", { class: "class-scale" }, scale),
    );
  }

  /** @param {Row} row @returns {number | null} */
  function sortValue(row) {
    if (order.by === "class") return row.class;
    if (order.by === "support") return row.support;
    if (order.by === "difference") return compared?.per_class[row.class].difference?.value ?? null;
    return /** @type {any} */ (row)[order.by]?.value ?? null;
  }

  function draw() {
    for (const th of heads)
      th.setAttribute("aria-sort", th.dataset.by !== order.by ? "none" : order.up ? "ascending" : "descending");
    // What is undefined comes last.
    const sorted = rows.toSorted((a, b) => {
      const [x, y] = [sortValue(a), sortValue(b)];
      if (x === null || y === null) return Number(x === null) - Number(y === null);
      return order.up ? x - y : y - x;
    });
    body.replaceChildren(...sorted.map(line));
  }

  /** @param {Row} row */
  function line(row) {
    const second = other?.evaluation.per_class[row.class];
    return h(
      "tr",
      {},
      h("th", { scope: "row", title: row.name }, row.name),
      h("td", { class: "number" }, count(row.support)),
      ...COLUMNS.map(({ id, missing }, i) =>
        h(
          "td",
          {},
          shareDot(row[id], missing, scales[i]),
          second && h("span", { class: "of-other" }, shareDot(second[id], missing, scales[i])),
        ),
      ),
      compared && h("td", { class: "number" }, difference(compared.per_class[row.class].difference)),
    );
  }

  draw();
  return element;
}

/** @param {Figure | null} of */
function difference(of) {
  if (!of) return "–";
  const clear = of.low > 0 || of.high < 0;
  return h(
    "span",
    { class: clear ? "clear" : "muted", title: `95% interval ${points(of.low)} to ${points(of.high)} points` },
    points(of.value),
  );
}
