// A list that shows its first items, and more on request.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";

/** Items that are shown at first, and more at a time. */
export const FIRST = 12;
const MORE = 48;

/** @param {"div" | "ul"} tag @param {string} name class of the list */
export function gallery(tag, name) {
  const list = h(tag, { class: name });
  const button = h("button", { class: "button small", type: "button", hidden: true, on: { click: showMore } });
  const element = h("div", { class: "gallery" }, list, button);
  /** @type {HTMLElement[]} */
  let items = [];

  /** @param {number} until */
  function showUntil(until) {
    list.append(...items.slice(list.children.length, until));
    const rest = items.length - list.children.length;
    button.hidden = rest === 0;
    button.textContent = `Show ${count(Math.min(MORE, rest))} more`;
  }

  function showMore() {
    const begin = list.children.length;
    showUntil(begin + MORE);
    // The keyboard goes on with the first of the new ones.
    /** @type {HTMLElement} */ (list.children[begin]).focus();
  }

  return {
    element,
    /** @param {HTMLElement[]} all */
    show(all) {
      items = all;
      list.replaceChildren();
      showUntil(FIRST);
    },
  };
}
