// A block of text with a copy button.

import { h, setText } from "./dom.js";
import { icon } from "./icons.js";
import { announce, toast } from "./shell.js";

/** @param {string} label what the button does */
export function codeBlock(label) {
  const pre = h("pre", { tabindex: 0 });
  const element = h(
    "div",
    { class: "code" },
    pre,
    copyButton(label, () => pre.textContent ?? ""),
  );
  return {
    element,
    /** @param {string} text */
    show: (text) => setText(pre, text),
  };
}

/** @param {string} label @param {() => string} text */
export function copyButton(label, text) {
  const button = h(
    "button",
    { class: "button icon small", type: "button", "aria-label": label, title: label, on: { click: copy } },
    icon("copy", 14),
  );
  async function copy() {
    try {
      await navigator.clipboard.writeText(text());
      button.replaceChildren(icon("check", 14));
      announce("Copied");
      setTimeout(() => button.replaceChildren(icon("copy", 14)), 1500);
    } catch {
      toast("The browser does not allow copying here. Select the text and copy it.", "bad");
    }
  }
  return button;
}
