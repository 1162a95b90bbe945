// The mistakes of a text, in a line below it. A mistake is shown when typing pauses, since half a word is one.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { mistakeText } from "./problems.js";

/** @import { Mistake } from "./problems.js" */

/** @param {{ onGo: (mistake: Mistake) => void }} options */
export function mistakeLine({ onGo }) {
  const element = h("div", { class: "mistake-line", role: "status" });
  let shown = "";
  return {
    element,
    /** @param {Mistake[]} mistakes @param {string[]} other what is wrong apart from the text */
    show(mistakes, other) {
      const now = JSON.stringify([mistakes, other]);
      // Screen readers announce what is inserted, even if it is the same.
      if (now === shown) return;
      shown = now;
      element.dataset.tone = mistakes.length + other.length > 0 ? "bad" : "good";
      element.replaceChildren(
        ...mistakes.map((mistake) =>
          h(
            "button",
            { type: "button", title: "Go to this place", on: { click: () => onGo(mistake) } },
            icon("warning", 14),
            mistakeText(mistake),
          ),
        ),
        ...other.map((text) => h("p", {}, icon("warning", 14), text)),
        ...(mistakes.length + other.length > 0 ? [] : [h("p", {}, icon("check", 14), "No mistakes")]),
      );
    },
  };
}
