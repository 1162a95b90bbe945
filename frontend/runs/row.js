// One row of the table: built once, then brought up to date in place.

import { resume, remove, stop } from "../lib/actions.js";
import { h, setAttribute, setText } from "../lib/dom.js";
import { ago, count, duration, moment, percent, setting, short } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { badge, canResume, canStop, stateOf } from "../lib/status.js";
import { share } from "./order.js";

/** @import { Run } from "../lib/types" */

/** The columns in order: what they sort by, their title, their class. */
export const COLUMNS = [
  { key: "status", title: "Status", class: "" },
  { key: "name", title: "Name", class: "" },
  { key: "network", title: "Network", class: "" },
  { key: "data", title: "Data", class: "col-data" },
  { key: "", title: "Settings", class: "col-settings" },
  { key: "progress", title: "Progress", class: "" },
  { key: "validation", title: "Validation", class: "number" },
  { key: "test", title: "Test", class: "number" },
  { key: "speed", title: "Images/s", class: "number col-speed" },
  { key: "seconds", title: "Time", class: "number" },
  { key: "created", title: "Started", class: "number" },
];

/** @typedef {ReturnType<typeof runRow>} Row */

/** @param {Run} first @param {() => void} onRemoved */
export function runRow(first, onRemoved) {
  let run = first;
  const status = badge();
  const link = h("a", { href: run.url });
  const why = h("span", { class: "why", hidden: true });
  const network = h("td", { class: "cell-network" });
  const data = h("td", { class: "col-data" });
  const settings = h("td", { class: "cell-settings col-settings" });
  const bar = h("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, h("span"));
  const place = h("span");
  const steps = h("span", { class: "steps" });
  const validation = figureCell("Validation");
  const test = figureCell("Test");
  const speed = figureCell("Images/s", "col-speed");
  const seconds = figureCell("Time");
  const started = figureCell("Started", "cell-started");
  const stopButton = action("stop", "Stop", () => stop(run));
  const resumeButton = action("play", "Resume", () => resume(run));
  const copyLink = h("a", { class: "button quiet icon small", href: `/new?copy=${run.id}`, title: "Copy into a new run" }, icon("copy"));
  const deleteButton = action("trash", "Delete", async () => {
    if (await remove(run)) onRemoved();
  });

  const element = h(
    "tr",
    { data: { run: run.id } },
    h("td", { class: "cell-status" }, status.element),
    h("td", { class: "cell-name" }, link, why),
    network,
    data,
    settings,
    h("td", { class: "cell-progress" }, bar, h("small", {}, place, steps)),
    validation.element,
    test.element,
    speed.element,
    seconds.element,
    started.element,
    h("td", { class: "cell-actions" }, stopButton, resumeButton, copyLink, deleteButton),
  );

  /** @param {Run} next */
  const show = (next) => {
    run = next;
    const { summary, spec } = run;
    const state = stateOf(run);
    status.show(run);
    element.dataset.status = run.status;
    setText(link, run.name);
    link.title = run.name;
    setText(why, run.message);
    why.title = run.message;
    why.hidden = !(run.message && (run.status === "failed" || run.reason === "diverged"));
    why.classList.toggle("warn", run.reason === "diverged");
    setText(network, spec.network.kind);
    setText(data, spec.data.set);
    showSettings(settings, run);

    const done = run.status === "finished" && run.reason === "completed" ? 1 : share(run);
    bar.dataset.tone = state.tone;
    bar.style.setProperty("--share", String(done));
    setAttribute(bar, "aria-valuenow", String(Math.round(done * 100)));
    setAttribute(bar, "aria-label", `Progress of ${run.name}`);
    setText(place, progressText(run));
    setText(steps, stepsText(run));

    validation.show(percent(summary.best_validation_accuracy), summary.best_epoch ? `best, after epoch ${summary.best_epoch}` : "");
    test.show(percent(summary.test_accuracy));
    speed.show(short(summary.images_per_s), summary.images_per_s ? `${count(summary.images_per_s)} images a second` : "");
    seconds.show(duration(summary.seconds));
    showAge();

    stopButton.hidden = !(run.status === "queued" || run.status === "running");
    stopButton.disabled = !canStop(run);
    resumeButton.hidden = !canResume(run);
    for (const [button, verb] of /** @type {[Element, string][]} */ ([[stopButton, "Stop"], [resumeButton, "Resume"], [copyLink, "Copy"], [deleteButton, "Delete"]])) {
      setAttribute(button, "aria-label", `${verb} ${run.name}`);
    }
  };
  const showAge = () => started.show(ago(run.created, Date.now()), moment(run.created));

  show(run);
  return { element, show, showAge, link };
}

/** @param {string} label @param {string} [more] */
function figureCell(label, more = "") {
  const value = h("span");
  const element = h("td", { class: `number ${more}` }, h("span", { class: "cell-label" }, label), value);
  return {
    element,
    /** @param {string} text @param {string} [title] */
    show(text, title = "") {
      setText(value, text);
      element.classList.toggle("cell-empty", text === "–");
      if (element.title !== title) element.title = title;
    },
  };
}

/** @param {import("../lib/icons.js").IconName} name @param {string} title @param {() => void} act */
function action(name, title, act) {
  return h("button", { class: "button quiet icon small", type: "button", title, on: { click: act } }, icon(name));
}

/** @param {Run} run */
function progressText({ status, summary: { epoch, epochs, step, steps }, position }) {
  if (status === "queued" && !step) return position ? `place ${position} in the queue` : "waits for its turn";
  if (step === null || steps === null) return status === "running" ? "starting…" : "–";
  return `epoch ${epoch ?? 0}/${epochs ?? "?"}`;
}

/** @param {Run} run */
function stepsText({ summary: { step, steps } }) {
  if (step === null || steps === null) return "";
  const number = steps >= 100_000 ? short : count;
  return ` · step ${number(step)}/${number(steps)}`;
}

/** The settings that people compare. @param {HTMLElement} cell @param {Run} run */
function showSettings(cell, run) {
  const training = /** @type {any} */ (run.spec.training ?? {});
  const parts = [
    ["batch", training.batch_size],
    ["lr", training.optimizer?.lr],
    ["", run.spec.network.activation],
    ["", training.optimizer?.kind],
  ].filter(([, value]) => value !== undefined && value !== null);
  const text = JSON.stringify(parts);
  if (cell.dataset.shown === text) return;
  cell.dataset.shown = text;
  cell.replaceChildren(...parts.map(([label, value]) => h("span", {}, label ? `${label} ` : "", h("b", {}, setting(value)))));
}
