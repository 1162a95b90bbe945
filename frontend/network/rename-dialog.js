// Asks for a new name of a network.

import { h, setText } from "../lib/dom.js";
import { nameError } from "./names.js";

/**
 * Asks until a name is accepted or the dialog is closed.
 * @param {string} name
 * @param {ReadonlySet<string>} taken
 * @param {(name: string) => Promise<void>} rename a refusal is shown, and the dialog stays
 */
export function openRename(name, taken, rename) {
  const error = h("p", { class: "field-error", id: "rename-error", role: "alert" });
  const input = h("input", {
    class: "input mono",
    id: "rename-name",
    value: name,
    maxlength: 64,
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": "rename-help rename-error",
    on: { input: () => complain(input.value === name ? "" : nameError(input.value, taken)) },
  });
  const yes = h("button", { class: "button primary", type: "submit" }, "Rename");
  const dialog = h(
    "dialog",
    { "aria-labelledby": "rename-title" },
    h(
      "form",
      { method: "dialog", on: { submit } },
      h("h2", { id: "rename-title" }, "Rename the network"),
      h("label", { for: "rename-name" }, "Name in settings and addresses"),
      input,
      error,
      h(
        "p",
        { class: "muted small", id: "rename-help" },
        "Runs that were made with it keep their own copy of the text.",
      ),
      h(
        "div",
        { class: "actions" },
        h("button", { class: "button", type: "button", on: { click: () => dialog.close() } }, "Cancel"),
        yes,
      ),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  input.select();

  /** @param {string} message */
  function complain(message) {
    setText(error, message);
    input.setAttribute("aria-invalid", String(message !== ""));
  }

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    if (input.value === name) {
      dialog.close();
      return;
    }
    const wrong = nameError(input.value, taken);
    complain(wrong);
    if (wrong) {
      input.focus();
      return;
    }
    yes.disabled = true;
    try {
      await rename(input.value);
      dialog.close();
    } catch (refusal) {
      complain(refusal instanceof Error ? refusal.message : String(refusal));
      yes.disabled = false;
    }
  }
}
