// A row of the runs table: built once, then updated in place.

import { resume, stop } from "../lib/actions.js";
import { settingsOf } from "../lib/settings-diff.js";
import { dataTitle, describeRun, networkTitle, settingLabel, settingValue } from "../lib/setting-labels.js";
import { h, setAttribute, setText } from "../lib/dom.js";
import { ago, bytes, count, duration, formatNumber, dateTime, percent, plural, compactNumber } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { siteUrl } from "../lib/base-path.js";
import { badge, canResume, canStop, stateOf } from "../lib/status.js";
import { isNearChance, NEAR_CHANCE, nearChanceTitle } from "./chance.js";
import { EPOCH_MEAN_TITLE } from "./columns.js";
import { progressOf } from "./order.js";
import { sparkline } from "./sparkline.js";

/** @import { Run } from "../lib/types" */
/** @import { Item } from "../lib/menu.js" */

/** @typedef {ReturnType<typeof runRow>} Row */

/**
 * @param {Run} first
 * @param {{
 *   onDelete: (run: Run) => void,
 *   onEdit: (run: Run) => void,
 *   onChoose: (run: Run, on: boolean, range: boolean) => void,
 *   onTag: (tag: string) => void,
 *   onMenu: (button: HTMLElement, items: Item[]) => void,
 * }} options `onMenu`: opens the menu that narrow windows have in place of buttons
 */
export function runRow(first, { onDelete, onEdit, onChoose, onTag, onMenu }) {
  let run = first;
  /** @type {Run | null} */
  let shown = null;
  let range = false;
  const box = h("input", {
    type: "checkbox",
    on: {
      click: (/** @type {MouseEvent} */ event) => (range = event.shiftKey),
      change: () => onChoose(run, box.checked, range),
    },
  });
  const status = badge();
  const link = h("a", { href: run.url });
  const why = h("span", { class: "why", hidden: true });
  // What narrow windows say in place of columns.
  const about = h("span", { class: "about" });
  const tags = h("span", { class: "tags", hidden: true });
  const notes = h("span", { class: "note", hidden: true });
  const network = h("td", { class: "cell-network" });
  const data = h("td", { class: "col-data" });
  /**
   * The cells of settings by path; the columns depend on the visible runs.
   * @type {Map<string, ReturnType<typeof figureCell>>}
   */
  let settings = new Map();
  let settingsHidden = false;
  const bar = h("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, h("span"));
  const place = h("span");
  const steps = h("span", { class: "steps" });
  const curve = sparkline();
  const trainLoss = figureCell("Training loss");
  const loss = figureCell("Validation loss");
  const last = figureCell("Last validation");
  const validation = figureCell("Best validation", "cell-result");
  const test = figureCell("Test");
  const parameters = figureCell("Parameters");
  const memory = figureCell("Peak memory");
  const speed = figureCell("Samples/s", "col-speed");
  const seconds = figureCell("Time", "col-seconds");
  const started = figureCell("Started", "cell-started");
  const stopButton = action("stop", "Stop", () => stop(run));
  const resumeButton = action("play", "Resume", () => resume(run));
  const copyLink = h(
    "a",
    { class: "button quiet icon small", href: siteUrl(`/new?copy=${run.id}`), title: "Adjust and run again" },
    icon("copy"),
  );
  const editButton = action("pencil", "Name, tags and notes", () => onEdit(run));
  const deleteButton = action("trash", "Delete", () => onDelete(run));
  const moreButton = h(
    "button",
    { class: "button quiet icon small row-more", type: "button", on: { click: () => onMenu(moreButton, actions()) } },
    icon("more"),
  );
  const progress = h("td", { class: "cell-progress" }, bar, h("small", {}, place, steps));
  /** Cells by column key. @type {{ [key: string]: HTMLElement }} */
  const cells = {
    name: h("td", { class: "cell-name" }, h("span", { class: "name-line" }, link, tags), why, notes, about),
    status: h("td", { class: "cell-status" }, status.element),
    curve: h("td", { class: "cell-curve" }, curve.element),
    validation: validation.element,
    test: test.element,
    network,
    data,
    progress,
    train_loss: trainLoss.element,
    loss: loss.element,
    last: last.element,
    parameters: parameters.element,
    memory: memory.element,
    speed: speed.element,
    seconds: seconds.element,
    created: started.element,
  };

  const element = h(
    "tr",
    { data: { run: run.id } },
    h("td", { class: "cell-choose" }, h("label", {}, box)),
    ...Object.values(cells),
    h("td", { class: "cell-actions" }, stopButton, resumeButton, editButton, copyLink, deleteButton, moreButton),
  );

  /** @returns {Item[]} */
  const actions = () => [
    ...(stopButton.hidden ? [] : [{ label: run.stopping ? "Stopping…" : "Stop", act: () => stop(run) }]),
    ...(resumeButton.hidden ? [] : [{ label: "Resume", act: () => resume(run) }]),
    { label: "Name, tags and notes", act: () => onEdit(run) },
    ...(copyLink.hidden ? [] : [h("a", { href: copyLink.href }, "Adjust and run again")]),
    { label: "Delete", act: () => onDelete(run) },
  ];

  /** @param {string[]} paths */
  const layOut = (paths) => {
    if (JSON.stringify([...settings.keys()]) === JSON.stringify(paths)) return;
    for (const { element: cell } of settings.values()) cell.remove();
    settings = new Map(paths.map((path) => [path, figureCell(settingLabel(path), "col-settings")]));
    data.after(...[...settings.values()].map(({ element: cell }) => cell));
    for (const { element: cell } of settings.values()) cell.hidden = settingsHidden;
    showSettings();
  };
  const showSettings = () => {
    const known = settingsOf(run);
    for (const [path, cell] of settings) cell.show(known.has(path) ? settingValue(path, known.get(path)) : "–");
  };

  /** The name of the row, and the line below it: of a run of a sweep what differs there. @param {string | null} label */
  const showName = (label) => {
    setText(link, label ?? run.name);
    link.title = run.name;
    element.classList.toggle("of-sweep", label !== null);
    setText(about, label === null ? aboutText(run, [...settings.keys()]) : memberText(run));
    about.title = about.textContent ?? "";
  };

  /**
   * @param {Run} next
   * @param {string[]} [paths] the settings with a column
   * @param {string | null} [label] its name among the runs of its sweep, below whose row it stands
   */
  const show = (next, paths = [...settings.keys()], label = null) => {
    layOut(paths);
    if (next === shown) {
      showName(label);
      return;
    }
    run = next;
    shown = next;
    const { summary, spec } = run;
    const state = stateOf(run);
    status.show(run);
    element.dataset.status = run.status;
    showName(label);
    setText(why, run.message);
    why.title = run.message;
    why.hidden = !(run.message && (run.status === "failed" || run.reason === "diverged"));
    why.classList.toggle("warn", run.reason === "diverged");
    setText(network, spec.network ? networkTitle(spec.network.kind) : "imported");
    network.title = run.source ? "From TensorBoard files: curves without a network" : (network.textContent ?? "");
    network.classList.toggle("muted", run.source !== null);
    setText(data, spec.data ? dataTitle(spec.data.set) : "–");
    data.title = data.textContent ?? "";
    showSettings();
    showTags(tags, run.tags, onTag);
    setText(notes, run.notes);
    notes.title = run.notes;
    notes.hidden = run.notes === "";
    setAttribute(box, "aria-label", `Choose ${run.name}`);

    const done = run.status === "finished" && run.reason === "completed" ? 1 : progressOf(run);
    bar.dataset.tone = state.tone;
    bar.style.setProperty("--share", String(done));
    setAttribute(bar, "aria-valuenow", String(Math.round(done * 100)));
    setAttribute(bar, "aria-label", `Progress of ${run.name}`);
    setText(place, progressText(run));
    setText(steps, stepsText(run));
    progress.title = `${place.textContent}${steps.textContent}`;

    trainLoss.show(formatNumber(summary.train_loss), run.source ? "the last value" : EPOCH_MEAN_TITLE);
    loss.show(formatNumber(summary.validation_loss));
    last.show(percent(summary.validation_accuracy));
    parameters.show(compactNumber(summary.parameters), summary.parameters ? count(summary.parameters) : "");
    memory.show(bytes(summary.peak_memory_bytes));
    const isGuessing = isNearChance(run);
    validation.show(
      percent(summary.best_validation_accuracy),
      isGuessing ? nearChanceTitle(run) : summary.best_epoch ? `best, after epoch ${summary.best_epoch}` : "",
      isGuessing ? NEAR_CHANCE : "",
    );
    test.show(percent(summary.test_accuracy));
    speed.show(
      compactNumber(summary.images_per_s),
      summary.images_per_s ? `${count(summary.images_per_s)} samples a second` : "",
    );
    seconds.show(duration(summary.seconds));
    showAge();

    stopButton.hidden = !(run.status === "queued" || run.status === "running");
    stopButton.disabled = !canStop(run);
    resumeButton.hidden = !canResume(run);
    copyLink.hidden = run.source !== null;
    for (const [button, verb] of /** @type {[Element, string][]} */ ([
      [stopButton, "Stop"],
      [resumeButton, "Resume"],
      [editButton, "Label"],
      [copyLink, "Adjust and run again"],
      [deleteButton, "Delete"],
      [moreButton, "Actions of"],
    ])) {
      setAttribute(button, "aria-label", `${verb} ${run.name}`);
    }
  };
  const showAge = () => started.show(ago(run.created, Date.now()), dateTime(run.created));

  show(run);
  return {
    element,
    show,
    showAge,
    showCurve: curve.show,
    get run() {
      return run;
    },
    /** @param {Set<string>} hidden keys of columns */
    showColumns(hidden) {
      for (const [key, cell] of Object.entries(cells)) cell.hidden = hidden.has(key);
      settingsHidden = hidden.has("settings");
      for (const { element: cell } of settings.values()) cell.hidden = settingsHidden;
    },
    /** @param {boolean} on */
    choose(on) {
      if (box.checked !== on) box.checked = on;
      element.classList.toggle("chosen", on);
    },
  };
}

/** @param {HTMLElement} place @param {string[]} tags @param {(tag: string) => void} onTag */
function showTags(place, tags, onTag) {
  const text = JSON.stringify(tags);
  place.hidden = tags.length === 0;
  if (place.dataset.shown === text) return;
  place.dataset.shown = text;
  place.replaceChildren(
    ...tags.map((tag) =>
      h(
        "button",
        { class: "chip", type: "button", title: `Show runs tagged ${tag}`, on: { click: () => onTag(tag) } },
        tag,
      ),
    ),
  );
}

/** @param {string} label @param {string} [more] */
function figureCell(label, more = "") {
  const value = h("span");
  const note = h("small", { hidden: true });
  const element = h("td", { class: `number ${more}` }, h("span", { class: "cell-label" }, label), value, note);
  return {
    element,
    /** @param {string} text @param {string} [title] @param {string} [below] what stands below it */
    show(text, title = "", below = "") {
      setText(value, text);
      setText(note, below);
      note.hidden = below === "";
      element.classList.toggle("cell-empty", text === "–");
      if (element.title !== title) element.title = title;
    },
  };
}

/** @param {import("../lib/icons.js").IconName} name @param {string} title @param {() => void} act */
function action(name, title, act) {
  return h("button", { class: "button quiet icon small", type: "button", title, on: { click: act } }, icon(name));
}

/** Where a run of a sweep is, which says what it is: “epoch 3/30 · 12 s”. @param {Run} run */
const memberText = (run) =>
  [progressText(run), duration(run.summary.seconds)].filter((part) => part !== "–").join(" · ");

/** What a run is, and where it is: “MLP on digits · batch size 16 · epoch 3/30”. @param {Run} run @param {string[]} paths */
function aboutText(run, paths) {
  const known = settingsOf(run);
  const settings = paths
    .filter((path) => known.has(path))
    .slice(0, 2)
    .map((path) => `${settingLabel(path)} ${settingValue(path, known.get(path))}`);
  const isOver = run.status === "finished" && run.reason === "completed";
  return [describeRun(run), ...settings, !isOver && progressText(run)]
    .filter((part) => part && part !== "–")
    .join(" · ");
}

/** A number of epochs within the width of the column. @param {number} value */
const shortCount = (value) => (value >= 10_000 ? compactNumber(value) : String(value));

/** @param {Run} run */
function progressText({ status, source, summary: { epoch, epochs, step, steps }, position }) {
  if (source) return step === null ? "–" : plural(step, "step");
  if (status === "queued" && !step) return position ? `place ${position} in the queue` : "queued";
  if (step === null || steps === null) return status === "running" ? "starting…" : "–";
  return `epoch ${shortCount(epoch ?? 0)}/${epochs === null ? "?" : shortCount(epochs)}`;
}

/** @param {Run} run */
function stepsText({ summary: { step, steps } }) {
  if (step === null || steps === null) return "";
  const number = steps >= 100_000 ? compactNumber : count;
  return ` · step ${number(step)}/${number(steps)}`;
}
