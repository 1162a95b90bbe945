// The epochs of a short film with the mistakes of each: how many epochs it takes is what one asks of a perceptron.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";

/** @param {(epoch: number) => void} choose */
export function mistakeEpochs(choose) {
  const buttons = h("div", { class: "mistake-epochs-row" });
  const element = h(
    "div",
    { class: "mistake-epochs", role: "group", "aria-label": "Mistakes in each epoch", hidden: true },
    h("span", { class: "muted small" }, "Mistakes"),
    buttons,
  );
  return {
    element,
    /** @param {number[]} mistakes of each epoch */
    set(mistakes) {
      element.hidden = mistakes.length === 0;
      buttons.replaceChildren(
        ...mistakes.map((many, i) =>
          h(
            "button",
            { class: "button small", type: "button", on: { click: () => choose(i + 1) } },
            h("small", {}, `epoch ${i + 1}`),
            h("b", {}, count(many), h("span", { class: "visually-hidden" }, many === 1 ? " mistake" : " mistakes")),
          ),
        ),
      );
    },
    /** Marks the epoch that is shown. @param {number} epoch */
    mark(epoch) {
      [...buttons.children].forEach((button, i) => {
        if (i === epoch - 1) button.setAttribute("aria-current", "step");
        else button.removeAttribute("aria-current");
      });
    },
  };
}
