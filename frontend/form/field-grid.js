// A grid of controls. Controls that stay are not touched, so that none loses focus.

import { h } from "../lib/dom.js";

/** @import { Control } from "./control.js" */

export function fieldGrid() {
  const element = h("div", { class: "fields" });
  return {
    element,
    /** @param {Control[]} controls */
    show(controls) {
      element.hidden = controls.length === 0;
      const wanted = controls.map((made) => made.element);
      for (const child of [...element.children])
        if (!wanted.includes(/** @type {HTMLElement} */ (child))) child.remove();
      wanted.forEach((child, i) => {
        if (element.children[i] !== child) element.insertBefore(child, element.children[i] ?? null);
      });
    },
  };
}
