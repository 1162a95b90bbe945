// The summary of the run beside the start button.

import { h, setText } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { codeBlock } from "../lib/code.js";
import { estimateText } from "./estimate.js";
import { sketchPart } from "./sketch.js";

/** @import { Plan, RunSpec } from "../lib/types" */
/** @import { Known } from "./estimate.js" */

export function summaryPart() {
  const button = h(
    "button",
    { class: "button primary start", type: "submit", title: "Ctrl+Enter" },
    icon("play", 14),
    h("span", {}, "Start run"),
  );
  const said = h("span", {});
  // What a narrow window leaves out.
  const more = h("span", { class: "wide-only" });
  const line = h("p", { class: "plan-line", role: "status" }, said, more);
  const time = h("span", { class: "estimate-time" });
  const memory = h("span", { class: "wide-only" });
  const source = h("p", { class: "hint" });
  const estimate = h("div", { class: "estimate", role: "status" }, h("p", {}, time, memory), source);
  const list = h("dl", { class: "plan" });
  const warnings = h("div", { class: "notice warn plan-warnings", role: "status", hidden: true });
  const trouble = h("div", { class: "trouble", role: "alert" });
  const sketch = sketchPart();
  const code = codeBlock("Copy the settings as JSON");
  const json = h("details", { class: "json" }, h("summary", {}, "Settings as JSON"), code.element);
  const element = h(
    "aside",
    { class: "summary" },
    h(
      "div",
      { class: "card summary-card" },
      h("div", { class: "launch" }, h("div", { class: "foresight" }, line, estimate), button),
      warnings,
      trouble,
      list,
    ),
    sketch.element,
    json,
  );

  return {
    element,
    button,
    /** @param {RunSpec} spec */
    showSpec: (spec) => code.show(JSON.stringify(spec, null, 2)),
    /** Draws the network. */
    showNetwork: sketch.show,
    /** @param {Plan | null} plan @param {number} runs @param {number} errors */
    showPlan(plan, runs, errors) {
      setText(/** @type {Node} */ (button.lastChild), runs > 1 ? `Start ${runs} runs` : "Start run");
      line.classList.toggle("bad", errors > 0);
      const fits = errors === 0 && plan !== null;
      setText(
        said,
        errors > 0 ? `${plural(errors, "setting")} to fix` : fits ? plural(plan.parameters, "parameter") : "",
      );
      setText(more, fits ? ` · ${plural(plan.total_steps, "step")}${runs > 1 ? " each" : ""}` : "");
      if (!plan) {
        list.classList.toggle("stale", true);
        return;
      }
      list.classList.toggle("stale", false);
      warnings.hidden = plan.warnings.length === 0;
      warnings.replaceChildren(
        icon("warning", 16),
        h("div", {}, ...plan.warnings.map((warning) => h("p", {}, warning))),
      );
      const rows = [
        ...(plan.trainable_parameters < plan.parameters
          ? [["Trained from the start", count(plan.trainable_parameters)]]
          : []),
        ["Input", plan.input.join(" × ")],
        ["Classes", count(plan.classes.length)],
        ["Training samples", count(plan.train_samples)],
        ["Validation samples", count(plan.validation_samples)],
        ["Test samples", count(plan.test_samples)],
        ["Steps per epoch", count(plan.steps_per_epoch)],
      ];
      list.replaceChildren(...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    },
    /**
     * Shows the estimate; null while it is being measured, because the old one is of other settings.
     * @param {Known | null} next
     */
    showEstimate(next) {
      estimate.classList.toggle("stale", next === null);
      if (!next) {
        setText(time, "Measuring time and memory…");
        setText(memory, "");
        setText(source, "A few steps are trained with these settings and discarded.");
        return;
      }
      const words = estimateText(next);
      setText(time, words.time);
      setText(memory, words.memory && ` · ${words.memory}`);
      setText(source, words.source);
    },
    /** Hides the estimate of settings that cannot be trained. */
    hideEstimate() {
      for (const part of [time, memory, source]) setText(part, "");
    },
    /** @param {string[]} lines */
    showTrouble(lines) {
      const text = lines.join("\n");
      if (trouble.dataset.text === text) return;
      trouble.dataset.text = text;
      trouble.replaceChildren(
        ...(lines.length > 0
          ? [h("div", { class: "notice bad" }, icon("warning"), h("div", {}, ...lines.map((line) => h("p", {}, line))))]
          : []),
      );
    },
  };
}
