// A field of the editor: a text area that is as high as its text.

import { h } from "../lib/dom.js";

/** Whether the browser does it by CSS. */
const GROWS = typeof CSS !== "undefined" && CSS.supports("field-sizing", "content");

/**
 * @param {{
 *   label: string,
 *   placeholder: string,
 *   spellcheck: boolean,
 *   source: (shown: string) => string,
 *   onInput: () => void,
 *   onCut: () => void,
 *   onFocus: () => void,
 *   onBlur: () => void,
 *   onHistory: (way: "undo" | "redo") => void,
 * }} options `source`: what is saved of a text that is shown
 */
export function textField({ label, placeholder, spellcheck, source, onInput, onCut, onFocus, onBlur, onHistory }) {
  const area = h("textarea", {
    spellcheck: String(spellcheck),
    rows: 1,
    placeholder,
    "aria-label": label,
    on: {
      input: onInput,
      focus: onFocus,
      blur: onBlur,
      copy: copies,
      cut: (/** @type {ClipboardEvent} */ event) => {
        if (copies(event)) onCut();
      },
      beforeinput: (/** @type {InputEvent} */ event) => {
        const way = event.inputType === "historyUndo" ? "undo" : event.inputType === "historyRedo" ? "redo" : null;
        if (!way) return;
        event.preventDefault();
        onHistory(way);
      },
    },
  });

  /** What is copied is as it is saved, so that it can be pasted anywhere. @param {ClipboardEvent} event */
  function copies(event) {
    const chosen = area.value.slice(area.selectionStart, area.selectionEnd);
    if (source(chosen) === chosen) return false;
    event.clipboardData?.setData("text/plain", source(chosen));
    event.preventDefault();
    return true;
  }
  return area;
}

/** Makes a field as high as its text. @param {HTMLTextAreaElement} area */
export function grow(area) {
  if (GROWS || !area.isConnected) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}

/**
 * Where the cursor is in what is saved; a name in braces counts as a whole.
 * @param {HTMLTextAreaElement} area
 * @param {(shown: string) => string} source
 */
export function cursorIn({ value, selectionStart }, source) {
  const isInside = /\{\{[^{}\n]*$/.test(value.slice(0, selectionStart));
  const rest = isInside ? (/^[^{}\n]*\}\}/.exec(value.slice(selectionStart))?.[0].length ?? 0) : 0;
  return source(value.slice(0, selectionStart + rest)).length;
}
