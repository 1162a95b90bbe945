// A choice among a few options with a sentence each, as cards.

import { h, setText } from "../lib/dom.js";

/** @typedef {{ value: string, title: string, summary: string, note: string }} Card */

/** @param {string} name @param {(value: string) => void} onChosen */
export function cards(name, onChosen) {
  const grid = h("div", { class: "choice-cards" });
  // On a phone the cards have no room for their sentences: there stands that of the chosen one.
  const about = h("p", { class: "choice-about hint", "aria-hidden": "true" });
  const element = h("div", { class: "choice" }, grid, about);
  /** @type {Map<string, { card: HTMLElement, input: HTMLInputElement }>} */
  const known = new Map();
  return {
    element,
    /** @param {Card[]} list @param {string} chosen */
    show(list, chosen) {
      const wanted = list.map(({ value, title, summary, note }) => {
        let entry = known.get(value);
        if (!entry) {
          const id = `c-${name}-${value}`;
          const input = h("input", {
            type: "radio",
            name,
            id,
            value,
            "aria-describedby": `${id}-text`,
            on: { change: () => onChosen(value) },
          });
          const card = h(
            "label",
            { class: "choice-card", for: id },
            input,
            h("span", { class: "choice-title" }, title, note && h("span", { class: "chip" }, note)),
            h("span", { class: "choice-text", id: `${id}-text` }, summary),
          );
          entry = { card, input };
          known.set(value, entry);
        }
        entry.input.checked = value === chosen;
        return entry.card;
      });
      const same = wanted.length === grid.children.length && wanted.every((card, i) => grid.children[i] === card);
      if (!same) grid.replaceChildren(...wanted);
      setText(about, list.find(({ value }) => value === chosen)?.summary ?? "");
    },
  };
}
