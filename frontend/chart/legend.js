// The legend of a chart: hovering an entry highlights its line, a click hides it.

import { h, s, setText } from "../lib/dom.js";

/** @typedef {{ id: string, label: string, token: string, dash: number[], alpha: number }} Entry */

/** @param {Entry[]} entries @param {{ onToggle: (id: string) => void, onLook: (id: string) => void }} listeners */
export function legend(entries, { onToggle, onLook }) {
  const items = entries.map(({ id, label, token, dash, alpha }) => {
    const stroke = s("line", {
      x1: 0,
      y1: 4,
      x2: 20,
      y2: 4,
      "stroke-width": 2.5,
      "stroke-dasharray": dash.join(" ") || undefined,
      "stroke-opacity": alpha,
    });
    stroke.style.stroke = `var(${token})`;
    const name = h("span", {}, label);
    const value = h("b");
    const button = h(
      "button",
      {
        class: "legend-item",
        type: "button",
        "aria-pressed": "true",
        title: `Hide or show ${label}`,
        on: {
          click: () => onToggle(id),
          mouseenter: () => onLook(id),
          mouseleave: () => onLook(""),
          focus: () => onLook(id),
          blur: () => onLook(""),
        },
      },
      s("svg", { viewBox: "0 0 20 8", width: 20, height: 8, "aria-hidden": "true" }, stroke),
      name,
      value,
    );
    return { id, button, name, value };
  });
  return {
    element: h("div", { class: "legend", role: "group", "aria-label": "Lines" }, ...items.map(({ button }) => button)),
    /**
     * Updates the names of the entries and hides those without a name.
     * @param {(id: string) => string | null} label
     */
    showNames: (label) =>
      items.forEach(({ id, button, name }) => {
        const now = label(id);
        button.hidden = now === null;
        if (now === null) return;
        setText(name, now);
        button.title = `Hide or show ${now}`;
      }),
    /** @param {Set<string>} hidden */
    showHidden: (hidden) =>
      items.forEach(({ id, button }) => button.setAttribute("aria-pressed", String(!hidden.has(id)))),
    /** @param {(id: string) => string} text */
    showValues: (text) => items.forEach(({ id, value }) => setText(value, text(id))),
  };
}
