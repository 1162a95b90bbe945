// ROC and precision-recall curves of chosen classes.

import { getEvaluationCurves } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { percent } from "../lib/format.js";
import { unitChart } from "./unit-chart.js";
import { WAIT, untilReady, versionOf } from "./wait.js";

/** @import { ClassCurves, RunEvaluation } from "../lib/types" */

/** Classes that are drawn at first, and at most: as many as there are colours. */
const FIRST = 3;
const MOST = 8;

/** @param {string} run @param {RunEvaluation} evaluation @param {string} split */
export function curvesCard(run, evaluation, split) {
  const roc = unitChart({
    label: "ROC curves of the chosen classes",
    x: "samples of other classes taken for this one",
    y: "samples of the class that are found",
  });
  const recall = unitChart({ label: "Precision-recall curves of the chosen classes", x: "recall", y: "precision" });
  const legend = h("div", { class: "curve-classes" });
  const note = h("p", { class: "muted small", role: "status" });
  const pick = h("select", {
    class: "select",
    "aria-label": "Add a class",
    on: { change: () => add(Number(pick.value)) },
  });
  /** @type {Map<number, ClassCurves>} */
  const known = new Map();
  // The classes that need looking at.
  const worst = evaluation.per_class
    .map((of, i) => ({ i, ap: of.average_precision?.value ?? Infinity }))
    .sort((a, b) => a.ap - b.ap)
    .slice(0, FIRST)
    .map(({ i }) => i);
  /** The class of each colour; `null` where it is free. @type {(number | null)[]} */
  const slots = Array.from({ length: MOST }, (_, i) => worst[i] ?? null);
  const chosen = () => slots.flatMap((of, slot) => (of === null ? [] : [{ of, token: `--data-${slot + 1}` }]));

  const element = h(
    "section",
    { class: "card curves-card", "aria-label": "Curves" },
    h(
      "header",
      { class: "card-head" },
      h(
        "div",
        {},
        h("h2", {}, "One class against the rest"),
        h(
          "p",
          { class: "muted small" },
          "What if one asked for a higher or a lower probability before saying a class? Every point of a curve is such a threshold. The nearer to the corner (left above, right above), the better; the dashed line is guessing.",
        ),
      ),
    ),
    h(
      "div",
      { class: "card-body curves-body" },
      legend,
      h("div", { class: "unit-pair" }, roc.element, recall.element),
      note,
    ),
  );

  /** @param {number} of */
  function add(of) {
    const free = slots.indexOf(null);
    if (free >= 0) slots[free] = of;
    update();
  }

  async function update() {
    drawLegend();
    const missing = chosen().flatMap(({ of }) => (known.has(of) ? [] : [of]));
    try {
      if (missing.length > 0) {
        const ask = () => getEvaluationCurves(run, missing, { split, wait: WAIT, ...versionOf(evaluation) });
        for (const curves of (await untilReady(ask)).curves) known.set(curves.class, curves);
      }
      note.textContent = "";
    } catch (error) {
      note.textContent = error instanceof Error ? error.message : String(error);
    }
    draw();
  }

  function draw() {
    const lines = chosen().flatMap(({ of, token }) => ({ curves: known.get(of), token, name: evaluation.classes[of] }));
    const guessing = [0, 1].map((at) => [at, at]);
    roc.draw(() => [
      roc.line(guessing, { token: "--control", dash: true, title: "Guessing" }),
      ...lines.map(({ curves, token, name }) => curves !== undefined && roc.line(curves.roc, { token, title: name })),
    ]);
    recall.draw(() =>
      lines.map(
        ({ curves, token, name }) =>
          curves !== undefined && recall.line(curves.precision_recall, { token, title: name }),
      ),
    );
  }

  function drawLegend() {
    const names = chosen();
    legend.replaceChildren(
      ...names.map(({ of, token }) => {
        const { average_precision: ap, auc } = evaluation.per_class[of];
        const name = evaluation.classes[of];
        return h(
          "button",
          {
            class: "chip curve-class",
            type: "button",
            title: `Remove ${name}`,
            vars: { line: `var(${token})` },
            on: {
              click: () => {
                slots[slots.indexOf(of)] = null;
                update();
              },
            },
          },
          h("i"),
          h("b", {}, name),
          ap ? `AP ${percent(ap.value)}, AUC ${percent(auc?.value)}` : "no samples",
          " ×",
        );
      }),
      pick,
    );
    pick.replaceChildren(
      h("option", { value: "" }, names.length < MOST ? "Add a class…" : `At most ${MOST} classes`),
      ...evaluation.classes.flatMap((name, i) => (slots.includes(i) ? [] : [h("option", { value: i }, name)])),
    );
    pick.disabled = names.length >= MOST;
  }

  update();
  return element;
}
