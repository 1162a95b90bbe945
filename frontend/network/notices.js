// Notices above the text: changes of an earlier visit, and versions of other tabs. None of them overwrites anything by
// itself.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

/** @typedef {{ label: string, act: () => void }} Answer */

export function notices() {
  const element = h("div", { class: "network-notices" });

  /** @param {string} id @param {string} tone @param {string} text @param {Answer[]} answers */
  function show(id, tone, text, answers) {
    hide(id);
    element.append(
      h(
        "div",
        { class: `notice ${tone}`, role: tone === "warn" ? "alert" : "status", data: { notice: id } },
        icon("warning", 16),
        h("span", {}, text),
        h(
          "div",
          { class: "notice-answers" },
          ...answers.map(({ label, act }) =>
            h("button", { class: "button small", type: "button", on: { click: act } }, label),
          ),
        ),
      ),
    );
  }

  /** @param {string} id */
  function hide(id) {
    element.querySelector(`[data-notice="${id}"]`)?.remove();
  }

  return { element, show, hide };
}
