// The header of the run page: name, state, errors, actions.

import { labelRun } from "../lib/api.js";
import { resume, stop } from "../lib/actions.js";
import { h, setText } from "../lib/dom.js";
import { ago, dateTime } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { announce, attempt } from "../lib/shell.js";
import { siteUrl } from "../lib/base-path.js";
import { badge, canResume, canStop, isActive, stateOf } from "../lib/status.js";
import { describeRun } from "../lib/setting-labels.js";
import { passUndoOn, moveToTrash } from "../lib/trash.js";
import { beginReport } from "../report/begin.js";
import { editLabels } from "../runs/labels.js";
import { adviceFor } from "./advice.js";
import { pageLinks } from "./pages.js";
import { takeAwayMenu } from "./take-away.js";

/** @import { Run } from "../lib/types" */

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

  const stopButton = h(
    "button",
    { class: "button", type: "button", on: { click: () => act(() => stop(run)) } },
    icon("stop", 14),
    h("span", {}, "Stop"),
  );
  const resumeButton = h(
    "button",
    { class: "button primary", type: "button", on: { click: () => act(() => resume(run)) } },
    icon("play", 14),
    "Resume",
  );
  const copy = h(
    "a",
    { class: "button", href: siteUrl(`/new?copy=${run.id}`), title: "Copy into a new run" },
    icon("copy", 14),
    "Copy",
  );
  const transfer = h(
    "a",
    {
      class: "button",
      href: siteUrl(`/new?transfer=${run.id}`),
      title: "Start a new run from the weights of this one",
    },
    icon("transfer", 14),
    "Start from this",
  );
  const report = h(
    "button",
    {
      class: "button",
      type: "button",
      title: "Write a report about this run",
      on: { click: () => attempt(() => beginReport(run.name, [run])) },
    },
    icon("text", 14),
    "Report",
  );
  const pages = pageLinks(first);
  const away = takeAwayMenu(first);
  // An imported run has only curves: its network cannot be taken away or trained.
  for (const control of [away.element, copy]) control.hidden = first.source !== null;
  const deleteButton = h(
    "button",
    { class: "button icon", type: "button", "aria-label": "Delete run", title: "Delete", on: { click: drop } },
    icon("trash"),
  );
  const actions = h(
    "div",
    { class: "run-actions" },
    stopButton,
    resumeButton,
    ...pages.elements,
    away.element,
    copy,
    transfer,
    report,
    deleteButton,
  );
  const element = h(
    "header",
    { class: "run-head" },
    h(
      "div",
      { class: "run-line" },
      h("div", { class: "run-names" }, title, form, h("div", { class: "run-about-line" }, about, tags, label), notes),
      actions,
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

  /** @param {() => Promise<Run | undefined>} action */
  async function act(action) {
    stopButton.disabled = true;
    resumeButton.disabled = true;
    const answer = await action();
    onRun(answer ?? run);
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
    stopButton.hidden = !(run.status === "running" || run.status === "queued");
    stopButton.disabled = !canStop(run);
    setText(/** @type {Node} */ (stopButton.lastChild), run.stopping ? "Stopping…" : "Stop");
    away.show(run);
    resumeButton.hidden = !canResume(run);
    transfer.hidden = run.source !== null || !["finished", "stopped"].includes(run.status) || run.reason === "diverged";
    resumeButton.disabled = false;
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
    for (const control of [label, edit, actions]) control.hidden = true;
    announce("The run has been deleted");
  }

  function showAge() {
    const sweep = run.sweep
      ? [" · ", h("a", { href: siteUrl(`/?sweep=${encodeURIComponent(run.sweep)}`) }, "one of a sweep")]
      : [];
    const { network, data } = run.spec;
    const what =
      network && data
        ? `${describeRun(run)} · ${run.status === "queued" ? "created" : "started"}`
        : "from TensorBoard files · imported";
    const text = `${what} ${ago(run.created, Date.now())}`;
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
    hideImages() {
      pages.hideImages();
      away.hideFormatsOfImages();
    },
  };
}
