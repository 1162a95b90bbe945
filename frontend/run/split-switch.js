// A switch in the legend of points, which hides or shows those of a split.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { splitSign } from "./point-signs.js";

/** @import { Split } from "../lib/types" */

/**
 * @param {{ split: Split, label: string, total: number, shown: Set<Split>, onChange: () => void }} options `shown`: the
 *   splits whose points are drawn, which a press changes
 */
export function splitSwitch({ split, label, total, shown, onChange }) {
  const button = h(
    "button",
    {
      class: "legend-item split-switch",
      type: "button",
      "aria-pressed": String(shown.has(split)),
      title: `Hide or show ${label} points`,
      on: {
        click: () => {
          if (!shown.delete(split)) shown.add(split);
          button.setAttribute("aria-pressed", String(shown.has(split)));
          onChange();
        },
      },
    },
    splitSign(split),
    h("span", {}, label),
    h("b", {}, count(total)),
  );
  return button;
}
