// The cursor of a chart: the crosshair, dots on the nearest lines, and a card with their values.

import { h } from "../lib/dom.js";

/** @import { Near } from "./nearest.js" */

const MAX_DOTS = 5;

/** @param {HTMLElement} layer lies exactly over the plot */
export function cursor(layer) {
  const rule = h("div", { class: "chart-rule", hidden: true });
  const dots = Array.from({ length: MAX_DOTS }, () => h("div", { class: "chart-dot", hidden: true }));
  const card = h("div", { class: "chart-card", hidden: true, "aria-hidden": "true" });
  layer.append(rule, ...dots, card);

  /** @param {number} left @param {Near[]} near */
  function point(left, near) {
    rule.hidden = false;
    rule.style.translate = `${Math.round(left)}px 0`;
    dots.forEach((dot, i) => {
      const at = near[i];
      dot.hidden = !at;
      if (!at) return;
      dot.style.translate = `${at.left}px ${at.top}px`;
      dot.style.background = `var(${at.line.token})`;
    });
  }

  return {
    /** Shows the crosshair without its card. @param {number} left @param {Near[]} near */
    follow(left, near) {
      point(left, near);
      card.hidden = true;
    },
    /**
     * Shows the crosshair and its card.
     * @param {{
     *   left: number,
     *   near: Near[],
     *   head: string,
     *   entries: { token: string, label: string, value: string, at: string }[],
     *   warnings: string[],
     *   width: number,
     *   top: number,
     *   height: number,
     * }} what
     */
    show({ left, near, head, entries, warnings, width, top, height }) {
      point(left, near);
      card.replaceChildren(
        h("div", { class: "chart-card-head" }, head),
        ...entries.map(({ token, label, value, at }) =>
          h(
            "div",
            { class: "chart-card-row" },
            swatch(token),
            h("span", {}, label, at && h("small", {}, ` ${at}`)),
            h("b", {}, value),
          ),
        ),
        ...warnings.map((text) => h("div", { class: "chart-card-warning" }, text)),
      );
      card.hidden = false;
      const box = card.getBoundingClientRect();
      const right = left + 14 + box.width > width;
      const x = right ? Math.max(0, left - 14 - box.width) : left + 14;
      const y = Math.min(Math.max(0, top - box.height / 2), Math.max(0, height - box.height));
      card.style.translate = `${Math.round(x)}px ${Math.round(y)}px`;
    },
    hide() {
      rule.hidden = true;
      card.hidden = true;
      for (const dot of dots) dot.hidden = true;
    },
  };
}

/** @param {string} token */
function swatch(token) {
  const mark = h("i", { class: "chart-swatch" });
  mark.style.background = `var(${token})`;
  return mark;
}
