// The button that plays and pauses a film.

import { h } from "./dom.js";
import { icon } from "./icons.js";

/**
 * @param {() => void} toggle
 * @param {{ label?: string, key?: string, primary?: boolean }} [look] `label`: what it says while paused; `key`: the key that
 *   does the same
 */
export function playButton(toggle, { label = "Play", key = "", primary = false } = {}) {
  const element = h("button", {
    class: `button icon small ${primary ? "primary" : ""}`.trim(),
    type: "button",
    on: { click: toggle },
  });

  /** @param {boolean} isPlaying */
  function show(isPlaying) {
    const hint = key && ` (${key})`;
    element.replaceChildren(icon(isPlaying ? "pause" : "play", 14));
    element.setAttribute("aria-label", isPlaying ? "Pause" : label);
    element.title = `${isPlaying ? "Pause" : "Play"}${hint}`;
  }

  show(false);
  return { element, show };
}
