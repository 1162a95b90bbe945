// A menu button. The arrow keys move within the menu. It closes on a choice, on Escape, and when it loses focus.

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** @import { IconName } from "./icons.js" */

/** Pixels between a list and the edge of the window. */
const EDGE = 8;

/**
 * A menu item, or an element in its place.
 * @typedef {{ label: string, act: () => void } | HTMLElement} Item
 */

/**
 * @param {{ label: string, icon: IconName, look?: string, title?: string }} button `look`: further classes; with “icon”
 *   among them the label is not written out
 * @param {Item[]} items
 */
export function menu({ label, icon: sign, look = "", title = label }, items) {
  const bare = look.split(" ").includes("icon");
  const element = h(
    "details",
    { class: "menu" },
    h(
      "summary",
      { class: `button ${look}`.trim(), title: bare ? title : undefined, "aria-label": bare ? label : undefined },
      icon(sign, bare ? 16 : 14),
      bare ? "" : label,
    ),
    h(
      "div",
      { class: "menu-list" },
      ...items.map((item) =>
        item instanceof HTMLElement ? item : h("button", { type: "button", on: { click: item.act } }, item.label),
      ),
    ),
  );
  // The list ends below the button's right edge, unless it would begin outside of a narrow window.
  element.addEventListener("toggle", () => {
    const list = /** @type {HTMLElement} */ (element.lastElementChild);
    list.style.translate = "";
    const left = list.getBoundingClientRect().left;
    if (element.open && left < EDGE) list.style.translate = `${EDGE - left}px`;
  });
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && element.open) {
      element.open = false;
      element.querySelector("summary")?.focus();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && move(step)) event.preventDefault();
  });

  /** Moves the focus within the list, which ArrowDown opens. @param {number} step @returns {boolean} whether it moved */
  function move(step) {
    const isOnButton = document.activeElement === element.firstElementChild;
    if (isOnButton && step > 0) element.open = true;
    const there = /** @type {HTMLElement[]} */ ([...element.querySelectorAll(".menu-list :is(a, button)")]);
    const shown = there.filter(({ hidden }) => !hidden);
    if (!element.open || shown.length === 0) return false;
    const at = shown.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (at < 0 && !isOnButton) return false;
    shown[at < 0 ? (step > 0 ? 0 : shown.length - 1) : (at + step + shown.length) % shown.length].focus();
    return true;
  }
  element.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest(".menu-list button, .menu-list a")) element.open = false;
  });
  element.addEventListener("focusout", (event) => {
    if (element.open && event.relatedTarget && !element.contains(/** @type {Node} */ (event.relatedTarget)))
      element.open = false;
  });
  document.addEventListener("pointerdown", (event) => {
    if (element.open && !element.contains(/** @type {Node} */ (event.target))) element.open = false;
  });
  return element;
}
