// The menu of a row in narrow windows. All rows share one, which opens at the button that was pressed.

import { h } from "../lib/dom.js";

/** @import { Item } from "../lib/menu.js" */

/** Pixels between the menu and its button, and the edge of the window. */
const GAP = 4;
const EDGE = 8;

export function rowMenu() {
  const element = h("div", { class: "menu-list row-menu", popover: "auto" });
  element.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest("button, a")) element.hidePopover();
  });
  return {
    element,
    /** @param {HTMLElement} button @param {Item[]} items */
    open(button, items) {
      element.replaceChildren(
        ...items.map((item) =>
          item instanceof HTMLElement ? item : h("button", { type: "button", on: { click: item.act } }, item.label),
        ),
      );
      element.showPopover();
      const at = button.getBoundingClientRect();
      const { width, height } = element.getBoundingClientRect();
      const below = at.bottom + GAP + height <= innerHeight - EDGE;
      element.style.left = `${Math.max(EDGE, at.right - width)}px`;
      element.style.top = `${below ? at.bottom + GAP : Math.max(EDGE, at.top - GAP - height)}px`;
      /** @type {HTMLElement | null} */ (element.querySelector("button, a"))?.focus();
    },
  };
}
