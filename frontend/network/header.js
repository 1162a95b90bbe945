// The head of a network's page: its title and name, whether it is saved, and what can be done with it.

import { siteUrl } from "../lib/base-path.js";
import { h, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { menu } from "../lib/menu.js";
import { nameError, summaryOf } from "./names.js";

/** @import { State } from "./stored-text.js" */

const STATES = { saved: "Saved", saving: "Saving…", changed: "Not saved", conflict: "Changed elsewhere too" };

/** @typedef {"built-in" | "own" | "new"} Kind */

/**
 * @typedef {{
 *   save: () => void,
 *   start: () => void,
 *   rename: () => void,
 *   remove: () => void,
 *   compare: () => void,
 *   download: () => void,
 *   discard: () => void,
 * }} Acts
 */

/**
 * @param {{ title: string, suggested: string, taken: ReadonlySet<string> }} network
 * @param {Acts} acts
 */
export function networkHeader({ title, suggested, taken }, acts) {
  const heading = h("h1", { title: "The first line of the text" }, title);
  const summary = h("p", { class: "muted network-summary", hidden: true });
  const code = h("code", { class: "network-name", title: "Name in settings and addresses" });
  const nameFault = h("p", { class: "field-error", id: "name-error", role: "alert" });
  const input = h("input", {
    class: "input mono",
    id: "network-name",
    value: suggested,
    maxlength: 64,
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": "name-error",
    on: { input: () => complain(nameError(input.value, taken)) },
  });
  const nameField = h(
    "div",
    { class: "name-field" },
    h("label", { for: "network-name" }, "Save as"),
    input,
    h("span", { class: "muted mono" }, ".py"),
    saveButton(),
    nameFault,
  );
  const badge = h("span", { class: "badge" }, "Built-in");
  const state = h("span", { class: "save-state small", role: "status" });
  const discard = button("Discard changes", "", acts.discard, "quiet small");
  const actions = h("div", { class: "run-actions" });

  /** @param {string} message */
  function complain(message) {
    setText(nameFault, message);
    input.setAttribute("aria-invalid", String(message !== ""));
  }

  function saveButton() {
    return button("Save", "check", acts.save, "", "Ctrl S, or Cmd S on a Mac");
  }

  /** @param {Kind} kind @param {string} name */
  function actionsOf(kind, name) {
    const copy = siteUrl(`/networks/new?copy=${encodeURIComponent(name)}`);
    const start =
      kind === "built-in"
        ? button("Train", "play", acts.start, "", "Opens the form of a run with this network")
        : button("Save and train", "play", acts.start, "primary", "Saves the text and opens the form of a run with it");
    const link = (/** @type {string} */ look) =>
      h("a", { class: `button ${look}`.trim(), href: copy }, icon("copy", 14), "Edit a copy");
    const common = [
      { label: "Compare with…", act: acts.compare },
      { label: "Download .py", act: acts.download },
    ];
    const more = (/** @type {import("../lib/menu.js").Item[]} */ items) =>
      menu({ label: "More actions", icon: "more", look: "icon" }, items);
    if (kind === "built-in") return [link("primary"), start, more(common)];
    // Its Save stands beside its name.
    if (kind === "new") return [start, more(common)];
    return [
      saveButton(),
      link(""),
      start,
      more([{ label: "Rename…", act: acts.rename }, ...common, { label: "Delete", act: acts.remove }]),
    ];
  }

  return {
    element: h(
      "header",
      { class: "network-head" },
      h(
        "div",
        { class: "network-title" },
        heading,
        summary,
        h("div", { class: "network-about" }, code, nameField, badge, state, discard),
      ),
      actions,
    ),
    /** @param {Kind} kind @param {string} name */
    showKind(kind, name) {
      setText(code, name);
      code.hidden = kind === "new";
      nameField.hidden = kind !== "new";
      badge.hidden = kind !== "built-in";
      state.hidden = kind !== "own";
      actions.replaceChildren(...actionsOf(kind, name));
    },
    /** @param {State} now @param {boolean} canDiscard */
    showState(now, canDiscard) {
      setText(state, STATES[now]);
      state.dataset.state = now;
      discard.hidden = !canDiscard;
    },
    /** What the text says of itself, below its title. @param {string} source */
    showSummary(source) {
      const words = summaryOf(source);
      setText(summary, words);
      summary.hidden = words === "";
    },
    /** @param {string} now */
    showTitle(now) {
      setText(heading, now);
      document.title = `${now} · Vivarium`;
    },
    /** The name of a new network; an invalid one is complained about. @returns {string | null} */
    newName() {
      const wrong = nameError(input.value, taken);
      complain(wrong);
      if (!wrong) return input.value;
      input.focus();
      return null;
    },
    /** @param {string} message */
    refuseName(message) {
      complain(message);
      input.focus();
    },
  };
}

/**
 * @param {string} label
 * @param {import("../lib/icons.js").IconName | ""} sign
 * @param {() => void} act
 * @param {string} [look]
 * @param {string} [title]
 */
function button(label, sign, act, look = "", title) {
  return h(
    "button",
    { class: `button ${look}`.trim(), type: "button", title, on: { click: act } },
    sign && icon(sign, 14),
    label,
  );
}
