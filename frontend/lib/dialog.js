// A dialog that asks for confirmation.

import { h } from "./dom.js";

/**
 * Returns true only if the user pressed the confirming button; closing the dialog in any other way returns false.
 * @param {{ title: string, text: string, yes: string, no?: string }} question
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, yes, no = "Cancel" }) {
  return new Promise((resolve) => {
    const cancel = h("button", { class: "button", value: "no", autofocus: true }, no);
    const dialog = h(
      "dialog",
      { "aria-labelledby": "dialog-title", "aria-describedby": "dialog-text" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "dialog-title" }, title),
        h("p", { id: "dialog-text", class: "muted" }, text),
        h("div", { class: "actions" }, cancel, h("button", { class: "button danger", value: "yes" }, yes)),
      ),
    );
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close("no");
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
    cancel.focus();
  });
}
