// An update of a perceptron as numbers: w + η · (t − y) · x for each weight.

import { h } from "../lib/dom.js";
import { exactNumber, formatNumber } from "../lib/format.js";
import { className } from "./mistake-words.js";

/** @import { PerceptronUpdate } from "../lib/types" */

/** The columns of a row of weights. */
const NAMES = ["w₁", "w₂", "b"];

/** A number that may follow an operator: negative ones are in parentheses. @param {number} value */
const operand = (value) => (value < 0 ? `(${formatNumber(value)})` : formatNumber(value));

export function updateTable() {
  const rule = h("p", { class: "update-rule" });
  const groups = h("div", { class: "update-groups" });
  const note = h("p", { class: "muted small" });
  const element = h("div", { class: "update-numbers", hidden: true }, rule, groups, note);
  return {
    element,
    hide() {
      element.hidden = true;
    },
    /**
     * @param {PerceptronUpdate} update
     * @param {{ names: string[] | null, plain: boolean }} options the names of the classes; whether nothing but the
     *   mistakes changes the weights
     */
    show(update, { names, plain }) {
      element.hidden = false;
      const { batch, before, after } = update;
      const rows = before.map((_, row) => row).filter((row) => rowChanges(update, row, before.length));
      const formula = batch === 1 ? "w ← w + η · (t − y) · x" : `w ← w + η / ${batch} · Σ (t − y) · x`;
      rule.replaceChildren(h("b", {}, formula), ` with η = ${exactNumber(update.lr)}`);
      groups.replaceChildren(
        ...rows.map((row) =>
          h(
            "table",
            { class: "update-table" },
            before.length === 1 ? "" : h("caption", {}, `Weights of “${className(names, row)}”`),
            h(
              "tbody",
              {},
              ...NAMES.map((name, column) =>
                h(
                  "tr",
                  {},
                  h("th", { scope: "row" }, name),
                  h("td", { data: { before: before[row][column] } }, formatNumber(before[row][column])),
                  h("td", { class: "update-term" }, plain ? `+ ${term(update, row, column)}` : "→"),
                  h("td", { class: "update-after", data: { after: after[row][column] } }, [
                    plain ? "= " : "",
                    h("b", {}, formatNumber(after[row][column])),
                  ]),
                ),
              ),
            ),
          ),
        ),
      );
      note.textContent = [
        before.length === 1
          ? "t and y are 1 for the second class and 0 for the first: t is the point's class, y what the weights say."
          : "t is 1 for the point's own class, y is 1 for the class that the weights say, and both are 0 otherwise.",
        "x is x₁ for w₁ and x₂ for w₂, both normalised, and 1 for b.",
        plain
          ? ""
          : "Beside this term, the optimizer's other settings change the weights: momentum, weight decay, clipping.",
      ]
        .filter(Boolean)
        .join(" ");
    },
  };
}

/** The sign (t − y) of a mistake in a row. @param {PerceptronUpdate["mistakes"][number]} mistake @param {number} row @param {number} rows */
export function sign({ target, rival }, row, rows) {
  if (rows === 1) return target === 1 ? 1 : -1;
  return row === target ? 1 : row === rival ? -1 : 0;
}

/** Whether a mistake of the update is about a row. @param {PerceptronUpdate} update @param {number} row @param {number} rows */
const rowChanges = ({ mistakes }, row, rows) => mistakes.some((mistake) => sign(mistake, row, rows) !== 0);

/**
 * η · (t − y) · x of a weight; of several mistakes the sum.
 * @param {PerceptronUpdate} update
 * @param {number} row
 * @param {number} column
 */
function term({ mistakes, lr, batch, before }, row, column) {
  const input = (/** @type {PerceptronUpdate["mistakes"][number]} */ { x }) => (column < 2 ? x[column] : 1);
  const own = mistakes.filter((mistake) => sign(mistake, row, before.length) !== 0);
  if (batch === 1)
    return `${exactNumber(lr)} · ${operand(sign(own[0], row, before.length))} · ${operand(input(own[0]))}`;
  const sum = own.reduce((total, mistake) => total + sign(mistake, row, before.length) * input(mistake), 0);
  return `${exactNumber(lr)} / ${batch} · ${operand(sum)}`;
}
