// The line that says what to look at, and what to do next.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { isActive } from "../lib/status.js";
import { hintFor } from "./hint.js";

/** @import { Run } from "../lib/types" */

/** @param {Run} first */
export function hintLine(first) {
  const element = h("div", { class: "run-hint" });
  let shown = "";

  /** @param {Run} run */
  function show(run) {
    const hint = hintFor(run);
    element.hidden = hint === null;
    if (!hint || JSON.stringify(hint) === shown) return;
    shown = JSON.stringify(hint);
    element.replaceChildren(
      h("p", {}, icon("info", 14), h("span", {}, isActive(run) && h("strong", {}, "Look for: "), hint.text)),
      ...hint.steps.map(({ label, href }) => h("a", { class: "button small", href }, icon("copy", 12), label)),
    );
  }

  show(first);
  return { element, show };
}
