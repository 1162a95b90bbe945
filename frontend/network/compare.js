// Compares the text with another one, side by side, or in one column where there is little room.

import { EditorState, EditorView, MergeView, unifiedMergeView } from "../../static/vendor/codemirror/codemirror.js";
import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { textView } from "./editor.js";

const NARROW = "(max-width: 760px)";

/** A text with the words over it. @typedef {{ label: string, source: string }} Text */

/**
 * Opens a dialog that compares two texts. `others` are offered to compare with; the first is chosen.
 * @param {Text} own
 * @param {{ label: string, read: () => Promise<string> }[]} others
 */
export function openComparison(own, others) {
  const host = h("div", { class: "comparison" });
  const root = host.attachShadow({ mode: "open" });
  const words = h("p", { class: "muted small", role: "status" });
  const choose = h(
    "select",
    { class: "input", id: "compare-with", on: { change: show } },
    ...others.map(({ label }, place) => h("option", { value: place }, label)),
  );
  const close = h(
    "button",
    { class: "button quiet icon", type: "button", "aria-label": "Close", on: { click: () => dialog.close() } },
    icon("cross", 16),
  );
  const dialog = h(
    "dialog",
    { class: "comparison-dialog", "aria-labelledby": "comparison-title" },
    h(
      "div",
      { class: "comparison-head" },
      h("h2", { id: "comparison-title" }, `${own.label} compared with`),
      others.length > 1
        ? h("div", {}, h("label", { class: "visually-hidden", for: "compare-with" }, "Compare with"), choose)
        : h("b", {}, others[0].label),
      words,
      close,
    ),
    h("div", { class: "comparison-legend small" }, h("span", {}, own.label), h("span", {}, "")),
    host,
  );
  const legend = /** @type {HTMLElement} */ (dialog.querySelector(".comparison-legend > :last-child"));
  /** @type {{ destroy(): void } | null} */
  let view = null;
  dialog.addEventListener("close", () => {
    view?.destroy();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  show();

  async function show() {
    const other = others[Number(choose.value || 0)];
    words.textContent = "Reading…";
    try {
      const source = await other.read();
      view?.destroy();
      legend.textContent = other.label;
      words.textContent = source === own.source ? "The texts are equal." : "";
      view = compared(root, own.source, source);
    } catch (error) {
      words.textContent = error instanceof Error ? error.message : String(error);
    }
  }
}

/** @param {ShadowRoot} root @param {string} own @param {string} other */
function compared(root, own, other) {
  const fixed = [textView, EditorState.readOnly.of(true)];
  const labelled = (/** @type {string} */ label) => EditorView.contentAttributes.of({ "aria-label": label });
  const collapse = { margin: 3, minSize: 6 };
  if (matchMedia(NARROW).matches)
    return new EditorView({
      root,
      parent: root,
      doc: other,
      extensions: [
        fixed,
        labelled("Both texts"),
        unifiedMergeView({ original: own, mergeControls: false, collapseUnchanged: collapse }),
      ],
    });
  return new MergeView({
    root,
    parent: root,
    a: { doc: own, extensions: [fixed, labelled("This text")] },
    b: { doc: other, extensions: [fixed, labelled("The other text")] },
    collapseUnchanged: collapse,
  });
}
