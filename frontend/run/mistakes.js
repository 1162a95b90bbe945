// The film of a perceptron: one mistake at a time, with the weights before and after it.

import { getUpdates } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { count, formatNumber, plural } from "../lib/format.js";
import { playButton } from "../lib/play-button.js";
import { updateTable } from "./update-table.js";

/** @import { PerceptronUpdate, UpdatesOfEpoch } from "../lib/types" */

/** Updates a second. @type {[string, string, number][]} */
const SPEEDS = [
  ["slow", "1 in 3 seconds", 1 / 3],
  ["one", "1 a second", 1],
  ["four", "4 a second", 4],
  ["fast", "20 a second", 20],
];

/** Maximum number of epochs that are kept. */
const MAX_EPOCHS = 20;

/** An update of an epoch, or an epoch without any. @typedef {{ about: UpdatesOfEpoch, at: number, update: PerceptronUpdate | null }} Shown */

/**
 * @param {string} id of the run
 * @param {{
 *   names: () => string[] | null,
 *   plain: boolean,
 *   onShow: (shown: Shown) => void,
 * }} options the names of the classes; whether an update is the learning rate times the mistakes alone
 */
export function mistakeFilm(id, { names, plain, onShow }) {
  const button = (/** @type {string} */ label, /** @type {string} */ sign, /** @type {() => void} */ act) =>
    h(
      "button",
      { class: "button icon small", type: "button", "aria-label": label, title: label, on: { click: act } },
      h("span", { "aria-hidden": "true" }, sign),
    );
  const play = playButton(toggle, { key: "Space", primary: true });
  const previous = button("Previous mistake", "‹", () => step(-1));
  const next = button("Next mistake", "›", () => step(1));
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 0,
    step: 1,
    "aria-label": "Mistake of the epoch",
    on: { input: () => seek(epoch, Number(slider.value)) },
  });
  const of = h("select", {
    class: "select",
    "aria-label": "Epoch",
    on: { change: () => seek(Number(of.value), 0) },
  });
  const speed = h(
    "select",
    { class: "select", "aria-label": "Speed" },
    ...SPEEDS.map(([value, label]) => h("option", { value }, label)),
  );
  speed.value = "one";
  const where = h("p", { class: "mistake-where small", role: "status" });
  const words = h("p", { class: "small" });
  const numbers = updateTable();
  const element = h(
    "div",
    { class: "mistake-film", hidden: true },
    h("div", { class: "film" }, previous, play.element, next, slider),
    h("div", { class: "mistake-choices" }, of, speed),
    where,
    words,
    numbers.element,
  );

  let [epoch, at, epochs] = [1, 0, 1];
  /** The answers for each epoch, from the first update on. @type {Map<number, Promise<UpdatesOfEpoch>>} */
  const known = new Map();
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** An epoch with the updates up to one. @param {number} wanted @param {number} upTo @returns {Promise<UpdatesOfEpoch>} */
  function load(wanted, upTo) {
    const first = known.get(wanted) ?? getUpdates(id, wanted, 0);
    const whole = first.then(async (begun) => {
      let about = begun;
      while (about.updates.length < about.total && about.updates.length <= upTo) {
        const more = await getUpdates(id, wanted, about.updates.length);
        if (more.updates.length === 0) break;
        about = { ...about, updates: [...about.updates, ...more.updates] };
      }
      return about;
    });
    known.set(wanted, whole);
    for (const oldest of known.keys()) {
      if (known.size <= MAX_EPOCHS) break;
      if (oldest !== wanted) known.delete(oldest);
    }
    whole.catch(() => known.get(wanted) === whole && known.delete(wanted));
    return whole;
  }

  /** @param {number} to epoch @param {number} index of its update; -1 for the last @returns {Promise<boolean>} */
  async function show(to, index) {
    const turn = ++asked;
    try {
      const about = await load(to, index < 0 ? Infinity : index);
      if (turn !== asked) return false;
      epoch = to;
      at = Math.max(0, index < 0 ? about.total - 1 : Math.min(index, about.total - 1));
      tell(about);
      return true;
    } catch (error) {
      if (turn !== asked) return false;
      setText(where, error instanceof Error ? error.message : String(error));
      setText(words, "");
      numbers.hide();
      pause();
      return false;
    }
  }

  /** @param {UpdatesOfEpoch} about */
  function tell(about) {
    const update = about.updates[at] ?? null;
    epochs = Math.max(epochs, about.epochs);
    if (of.options.length !== epochs)
      of.replaceChildren(...Array.from({ length: epochs }, (_, i) => h("option", { value: i + 1 }, `epoch ${i + 1}`)));
    of.value = String(epoch);
    slider.max = String(Math.max(0, about.total - 1));
    slider.value = String(at);
    slider.disabled = about.total < 2;
    previous.disabled = epoch === 1 && at === 0;
    next.disabled = epoch === epochs && at >= about.total - 1;
    play.element.disabled = previous.disabled && next.disabled;
    const batches = update !== null && update.batch > 1;
    const total = `${plural(about.mistakes, "mistake")} in ${plural(about.samples, "point")}`;
    const place =
      about.total === 0
        ? `Epoch ${epoch}: no mistake in ${plural(about.samples, "point")}. The line stays where it is.`
        : `Epoch ${epoch}, ${batches ? "update" : "mistake"} ${count(at + 1)} of ${count(about.total)}${batches ? `, ${total}` : ` (${plural(about.samples, "point")})`} · step ${count(update?.step ?? 0)}`;
    setText(where, place);
    slider.setAttribute("aria-valuetext", place);
    const inexact =
      "This machine computes with other instructions than the run was trained with, so that the last digits differ.";
    setText(words, [update ? told(update) : "", about.exact === false ? inexact : ""].join(" ").trim());
    if (update) numbers.show(update, { names: names(), plain });
    else numbers.hide();
    onShow({ about, at, update });
  }

  /** What was wrong, in a sentence. @param {PerceptronUpdate} update */
  function told({ mistakes, batch }) {
    if (batch > 1)
      return `${plural(mistakes.length, "point")} of the ${count(batch)} in this step ${mistakes.length === 1 ? "is" : "are"} on the wrong side. The line moves by the mean over all ${count(batch)}.`;
    const [{ target, rival, scores }] = mistakes;
    const name = (/** @type {number} */ of) => `“${names()?.[of] ?? of}”`;
    const tie = scores[rival] === scores[target];
    const figures =
      scores.length === 2
        ? `score ${formatNumber(scores[1])}`
        : `scores ${formatNumber(scores[rival])} and ${formatNumber(scores[target])}`;
    return tie
      ? `The point is ${name(target)}, and ${name(rival)} scores the same (${figures}), which counts as a mistake.`
      : `The point is ${name(target)}, but the weights say ${name(rival)} (${figures}).`;
  }

  /** @param {number} to @param {number} index */
  function seek(to, index) {
    pause();
    return show(to, index);
  }

  /** The position one step on; null at either end. @param {number} by @returns {Promise<[number, number] | null>} */
  async function beside(by) {
    const { total } = await load(epoch, at);
    if (at + by >= 0 && at + by < total) return [epoch, at + by];
    if (by > 0) return epoch < epochs ? [epoch + 1, 0] : null;
    return epoch > 1 ? [epoch - 1, -1] : null;
  }

  /** @param {number} by */
  async function step(by) {
    pause();
    const to = await beside(by);
    if (to) await show(...to);
  }

  function toggle() {
    if (timer === undefined) start();
    else pause();
  }

  async function start() {
    play.show(true);
    const pace = () => 1000 / (SPEEDS.find(([value]) => value === speed.value)?.[2] ?? 1);
    const go = async () => {
      const to = await beside(1);
      if (timer === undefined) return;
      if (!to || !(await show(...to))) return pause();
      if (timer !== undefined) timer = setTimeout(go, pace());
    };
    // At the end it begins again.
    timer = setTimeout(go, pace());
    if (next.disabled) await show(1, 0);
  }

  function pause() {
    clearTimeout(timer);
    timer = undefined;
    play.show(false);
  }

  return {
    element,
    pause,
    /** Shows the film, from where it was. */
    open() {
      element.hidden = false;
      return show(epoch, at);
    },
    close() {
      pause();
      element.hidden = true;
    },
    /** A new epoch has ended. @param {number} last */
    grow(last) {
      if (last <= epochs) return;
      epochs = last;
      if (!element.hidden && timer === undefined) show(epoch, at);
    },
    /** Space plays and pauses, arrows step, Home and End go to the ends of the epoch. @param {KeyboardEvent} event */
    onKey(event) {
      const target = /** @type {Element} */ (event.target);
      if (event.altKey || event.ctrlKey || event.metaKey || target.closest("select, textarea")) return;
      if (event.key === " " && !target.closest("button")) toggle();
      else if (event.key === "ArrowLeft" || event.key === "ArrowRight") step(event.key === "ArrowLeft" ? -1 : 1);
      else if (event.key === "Home") seek(epoch, 0);
      else if (event.key === "End") seek(epoch, -1);
      else return;
      event.preventDefault();
    },
  };
}

/** Whether an update is the learning rate times the mistakes, and nothing else. @param {any} training of a run's spec */
export const isPlain = ({ optimizer, clip }) =>
  optimizer?.kind === "sgd" && !optimizer.momentum && !optimizer.weight_decay && !clip;
