// The header of the run page: name, state, errors, actions.

import { labelRun } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { ago, dateTime } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { announce } from "../lib/shell.js";
import { siteUrl } from "../lib/base-path.js";
import { badge, isActive, stateOf } from "../lib/status.js";
import { describeRun } from "../lib/setting-labels.js";
import { passUndoOn, moveToTrash } from "../lib/trash.js";
import { editLabels } from "../runs/labels.js";
import { adviceFor } from "./advice.js";
import { runActions } from "./run-actions.js";

/** @import { Run } from "../lib/types" */

/** The sweep that a run is one of, by the name with which its runs' names begin. @param {Run} run */
const sweepWords = ({ name }) =>
  name.includes(" · ") ? `one of the sweep “${name.split(" · ")[0]}”` : "one of a sweep";

/** @param {Run} first @param {{ onRun: (run: Run) => void, onRemoved: (ending: string) => void }} listeners */
export function runHeader(first, { onRun, onRemoved }) {
  let run = first;
  const status = badge();
  const name = h("h1", { class: "run-name" });
  const edit = h(
    "button",
    { class: "button quiet icon small", type: "button", "aria-label": "Rename", title: "Rename", on: { click: open } },
    icon("pencil", 14),
  );
  const input = h("input", {
    class: "input",
    "aria-label": "Name of the run",
    "aria-describedby": "name-error",
    maxlength: 400,
    autocomplete: "off",
  });
  const error = h("p", { class: "field-error", id: "name-error", role: "alert", hidden: true });
  const form = h(
    "form",
    {
      class: "rename",
      hidden: true,
      on: { submit: save, keydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && close() },
    },
    input,
    h("button", { class: "button primary", type: "submit" }, "Save"),
    h("button", { class: "button quiet", type: "button", on: { click: close } }, "Cancel"),
    error,
  );
  const title = h("div", { class: "run-title" }, name, edit, status.element);
  const about = h("p", { class: "muted small run-about" });
  const tags = h("span", { class: "tags" });
  const notes = h("p", { class: "run-notes" });
  const label = h(
    "button",
    { class: "button quiet small", type: "button", on: { click: () => editLabels(run, [], onRun) } },
    icon("tag", 14),
    "Tags and notes",
  );
  const message = h("div", { class: "notice", role: "status", hidden: true });

  const actions = runActions(first, { onAnswer: onRun, onDelete: drop });
  const element = h(
    "header",
    { class: "run-head" },
    h(
      "div",
      { class: "run-line" },
      h("div", { class: "run-names" }, title, form, h("div", { class: "run-about-line" }, about, tags, label), notes),
      actions.element,
    ),
    message,
  );

  function open() {
    input.value = run.name;
    showForm(true);
    input.select();
  }

  function close() {
    showForm(false);
    edit.focus();
  }

  /** @param {boolean} shown */
  function showForm(shown) {
    form.hidden = !shown;
    title.hidden = shown;
    error.hidden = true;
    input.removeAttribute("aria-invalid");
  }

  /** @param {SubmitEvent} event */
  async function save(event) {
    event.preventDefault();
    if (input.value === run.name) {
      close();
      return;
    }
    try {
      const renamed = await labelRun(run.id, { name: input.value });
      onRun(renamed);
      close();
      announce("Renamed");
    } catch (refusal) {
      const errors = /** @type {any} */ (refusal).errors ?? [];
      error.textContent = errors[0]
        ? `The name ${errors[0].message}.`
        : refusal instanceof Error
          ? refusal.message
          : String(refusal);
      error.hidden = false;
      input.setAttribute("aria-invalid", "true");
      input.focus();
    }
  }

  async function drop() {
    const gone = await moveToTrash([run]);
    if (gone.length === 0) return;
    onRemoved(passUndoOn(gone));
  }

  /** @param {Run} next */
  function show(next) {
    const before = stateOf(run).word;
    run = next;
    const state = stateOf(run);
    if (before !== state.word) announce(`The run is ${state.word}`);
    setText(name, run.name);
    name.title = run.name;
    document.title = `${run.name} · Vivarium`;
    status.show(run);
    showAge();
    if (tags.dataset.shown !== JSON.stringify(run.tags)) {
      tags.dataset.shown = JSON.stringify(run.tags);
      tags.replaceChildren(
        ...run.tags.map((tag) =>
          h(
            "a",
            { class: "chip", href: siteUrl(`/?q=${encodeURIComponent(`tag:"${tag}"`)}`), title: `Runs tagged ${tag}` },
            tag,
          ),
        ),
      );
    }
    setText(notes, run.notes);
    notes.hidden = run.notes === "";
    showMessage(state);
    actions.show(run);
  }

  /** Shows why the run is in its state, and what to try. @param {import("../lib/status.js").State} state */
  function showMessage({ tone }) {
    const text = isActive(run) ? (run.job?.text ?? "") : run.message;
    const advice = isActive(run) ? null : adviceFor(run);
    message.hidden = text === "" && !advice;
    message.className = `notice ${["bad", "warn", "good"].includes(tone) ? tone : ""}`;
    const shown = JSON.stringify([text, advice]);
    if (message.hidden || message.dataset.text === shown) return;
    message.dataset.text = shown;
    const steps = (advice?.steps ?? []).map(({ label, href }) =>
      h("a", { class: "button small", href }, icon("copy", 12), label),
    );
    message.replaceChildren(
      icon(tone === "bad" || tone === "warn" ? "warning" : "info"),
      h(
        "div",
        { class: "advice" },
        h("p", {}, [text, advice?.text].filter(Boolean).join(" ")),
        steps.length > 0 && h("p", { class: "advice-steps" }, ...steps),
      ),
    );
  }

  /** Shows that the run has been deleted, perhaps on another page. */
  function showGone() {
    message.hidden = false;
    message.className = "notice warn";
    message.replaceChildren(
      icon("warning"),
      h("p", {}, "This run has been deleted. It can be restored under “Deleted runs” on the runs page."),
    );
    for (const control of [label, edit, actions.element]) control.hidden = true;
    announce("The run has been deleted");
  }

  function showAge() {
    const sweep = run.sweep
      ? [" · ", h("a", { href: siteUrl(`/sweeps/${encodeURIComponent(run.sweep)}`) }, sweepWords(run))]
      : [];
    const { network, data } = run.spec;
    const begun = `${run.status === "queued" ? "created" : "started"} ${ago(run.created, Date.now())}`;
    const what = network && data ? describeRun(run) : "from TensorBoard files";
    // A run that has no name of its own is named like what it trains.
    const text =
      what === run.name
        ? `${begun.charAt(0).toUpperCase()}${begun.slice(1)}`
        : `${what} · ${network && data ? begun : `imported ${ago(run.created, Date.now())}`}`;
    if (about.dataset.text === text) return;
    about.dataset.text = text;
    about.title = dateTime(run.created);
    about.replaceChildren(text, ...sweep);
  }

  show(run);
  setInterval(showAge, 10_000);
  return {
    element,
    show,
    showGone,
    /** Hides what is about images, for points in the plane, whose boundary shows everything. */
    hideImages: actions.hideImages,
  };
}
