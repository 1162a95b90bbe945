// The worker's notes for the user.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

export function notesPanel() {
  const element = h("div", { class: "notes", role: "log", "aria-label": "Notes" });
  /** @type {Set<number>} */
  const shown = new Set();
  return {
    element,
    /** @param {number} seq @param {string} message */
    add(seq, message) {
      if (shown.has(seq)) return;
      shown.add(seq);
      element.append(h("div", { class: "notice warn" }, icon("warning"), h("p", {}, message)));
    },
  };
}
