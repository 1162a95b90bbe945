// Thumbnails to choose from.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

/**
 * @param {{
 *   src: string,
 *   title: string,
 *   label?: string,
 *   pressed?: boolean,
 *   onClick?: () => void,
 *   onDelete?: () => void,
 *   href?: string,
 *   eager?: boolean,
 * }} of `href`: it is a link instead of a button; `eager`: it is fetched before it is scrolled to
 */
export function thumbnail({ src, title, label, pressed = false, onClick = () => {}, onDelete, href, eager = false }) {
  const inside = [
    h("img", { src, alt: "", loading: eager ? "eager" : "lazy", width: 64, height: 64 }),
    label !== undefined && h("small", {}, label),
  ];
  // The name has the words that are seen, for people who say what they press.
  const name = label === undefined ? title : `${label}: ${title}`;
  if (href !== undefined) return h("a", { class: "thumb", href, title, "aria-label": name }, ...inside);
  const button = h(
    "button",
    {
      class: "thumb",
      type: "button",
      title,
      "aria-label": name,
      "aria-pressed": String(pressed),
      on: { click: onClick },
    },
    ...inside,
  );
  if (!onDelete) return button;
  return h(
    "div",
    { class: "thumb-place" },
    button,
    h(
      "button",
      {
        class: "thumb-delete",
        type: "button",
        "aria-label": `Delete: ${title}`,
        title: "Delete",
        on: { click: onDelete },
      },
      icon("cross", 10),
    ),
  );
}
