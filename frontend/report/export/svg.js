// Exports an SVG of the page as a file: computed styles become attributes, in print colours.

import { h, s } from "../../lib/dom.js";

/** The style properties that an SVG needs, with their defaults. @type {[name: string, plain: string][]} */
const STYLES = [
  ["fill", "rgb(0, 0, 0)"],
  ["fill-opacity", "1"],
  ["stroke", "none"],
  ["stroke-width", "1px"],
  ["stroke-opacity", "1"],
  ["stroke-dasharray", "none"],
  ["stroke-linecap", "butt"],
  ["stroke-linejoin", "miter"],
  ["paint-order", "normal"],
  ["opacity", "1"],
];
/** @type {[name: string, plain: string][]} */
const TEXT_STYLES = [
  ["font-size", ""],
  ["font-weight", "400"],
  ["text-anchor", "start"],
];
const FONT = "Inter, Segoe UI, Roboto, Helvetica Neue, Liberation Sans, Arial, sans-serif";

/** @param {SVGSVGElement} picture in the page @returns {string} */
export function standaloneSvg(picture) {
  const copy = /** @type {SVGSVGElement} */ (picture.cloneNode(true));
  // Styles are computed only for elements in the document.
  const host = h("div", { class: "report-document figure-stage", "aria-hidden": "true" }, copy);
  Object.assign(host.style, { colorScheme: "light", position: "absolute", insetInlineStart: "-10000px" });
  document.body.append(host);
  try {
    const written = [...copy.querySelectorAll("*")].map((element) => {
      const style = getComputedStyle(element);
      const of = element.localName === "text" || element.localName === "tspan" ? [...STYLES, ...TEXT_STYLES] : STYLES;
      const drawn = !["title", "g", "a", "clipPath", "defs"].includes(element.localName);
      return {
        element,
        hidden: style.display === "none",
        styles: drawn ? of.map(([name, plain]) => [name, style.getPropertyValue(name), plain]) : [],
      };
    });
    for (const { element, hidden, styles } of written) {
      if (hidden) element.remove();
      for (const name of [
        "class",
        "style",
        "href",
        "tabindex",
        "aria-label",
        "role",
        ...STYLES.map(([name]) => name),
        ...TEXT_STYLES.map(([name]) => name),
      ])
        element.removeAttribute(name);
      for (const attribute of [...element.attributes])
        if (attribute.name.startsWith("data-")) element.removeAttribute(attribute.name);
      for (const [name, value, plain] of styles) if (value !== plain && value !== "") element.setAttribute(name, value);
      // Invisible elements only catch pointer events.
      if (
        element.getAttribute("stroke") === "rgba(0, 0, 0, 0)" ||
        (element.getAttribute("fill") === "rgba(0, 0, 0, 0)" && !element.hasAttribute("stroke"))
      )
        element.remove();
    }
    const [, , width, height] = (copy.getAttribute("viewBox") ?? "0 0 760 380").split(" ");
    for (const attribute of [...copy.attributes])
      if (!["viewBox", "xmlns", "role", "aria-label"].includes(attribute.name)) copy.removeAttribute(attribute.name);
    for (const [name, value] of Object.entries({ width, height, "font-family": FONT, "font-size": "12" }))
      copy.setAttribute(name, value);
    copy.prepend(s("rect", { width, height, fill: "#ffffff" }));
    return new XMLSerializer().serializeToString(copy);
  } finally {
    host.remove();
  }
}
