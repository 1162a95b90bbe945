// The font of text that is painted on canvases: size and family are those of the CSS tokens, as in charts made of SVG.

import { h } from "../lib/dom.js";

let font = "";

/** As canvases take it: `12px "Inter", …`. */
export function chartFont() {
  if (font === "") {
    const probe = document.body.appendChild(h("span", { hidden: true }));
    probe.style.fontSize = "var(--text-xs)";
    probe.style.fontFamily = "var(--font)";
    const { fontSize, fontFamily } = getComputedStyle(probe);
    font = `${fontSize} ${fontFamily}`;
    probe.remove();
  }
  return font;
}
