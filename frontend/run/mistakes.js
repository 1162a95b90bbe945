// The film of a perceptron: one mistake at a time, with the weights before and after it.

import { getUpdates } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { playButton } from "../lib/play-button.js";
import { filmPlaces } from "./film-places.js";
import { mistakeEpochs } from "./mistake-epochs.js";
import { endWords, placeWords, updateWords } from "./mistake-words.js";
import { updateTable } from "./update-table.js";

/** @import { UpdatesOfEpoch } from "../lib/types" */
/** @import { Shown } from "./mistake-words.js" */

/** Updates a second. @type {[string, string, number][]} */
const SPEEDS = [
  ["slow", "1 in 3 seconds", 1 / 3],
  ["one", "1 a second", 1],
  ["four", "4 a second", 4],
  ["fast", "20 a second", 20],
];

/** Maximum number of epochs that are kept. */
const MAX_EPOCHS = 20;

/** The slider goes through all epochs of so short a run, and through one epoch of a longer one. */
const MAX_IN_SLIDER = 12;

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
    "aria-label": "Mistake",
    on: { input: () => slide(Number(slider.value)) },
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
  const chips = mistakeEpochs((to) => seek(to, 0));
  const where = h("p", { class: "mistake-where small", role: "status" });
  const words = h("p", { class: "small" });
  const numbers = updateTable();
  const element = h(
    "div",
    { class: "mistake-film", hidden: true },
    h("div", { class: "film" }, previous, play.element, next, slider),
    h("div", { class: "mistake-choices" }, chips.element, of, speed),
    where,
    words,
    numbers.element,
  );

  let [epoch, at, epochs] = [1, 0, 1];
  /** The answers for each epoch, from the first update on. @type {Map<number, Promise<UpdatesOfEpoch>>} */
  const known = new Map();
  let asked = 0;
  /** @type {Shown | null} */
  let shown = null;
  /** The places of the slider, where it goes through all epochs. @type {ReturnType<typeof filmPlaces> | null} */
  let film = null;
  /** How many epochs that film has, as far as it is known. */
  let measured = 0;
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
      shown = null;
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
    previous.disabled = epoch === 1 && at === 0;
    next.disabled = epoch === epochs && at >= about.total - 1;
    play.element.disabled = previous.disabled && next.disabled;
    shown = { about, at, update };
    placeSlider();
    measure();
    say();
    onShow(shown);
  }

  /** Says what is shown, with the names of the classes as far as they are known. */
  function say() {
    if (!shown) return;
    const { about, update } = shown;
    const place = placeWords(shown);
    setText(where, place);
    slider.setAttribute("aria-valuetext", place);
    const inexact =
      "This machine computes with other instructions than the run was trained with, so that the last digits differ.";
    setText(
      words,
      [update && updateWords(update, names()), endWords(shown, { plain, epochs }), about.exact === false && inexact]
        .filter(Boolean)
        .join(" "),
    );
    if (update) numbers.show(update, { names: names(), plain });
    else numbers.hide();
  }

  /** Lets the slider go through all epochs of a short run. */
  async function measure() {
    const wanted = epochs;
    if (wanted > MAX_IN_SLIDER || wanted === measured) return;
    measured = wanted;
    film = null;
    const all = Array.from({ length: wanted }, (_, i) => load(i + 1, 0));
    const found = await Promise.all(all).catch(() => null);
    if (wanted !== epochs) return;
    film = found && filmPlaces(found.map(({ total }) => total));
    chips.set(found?.map(({ mistakes }) => mistakes) ?? []);
    placeSlider();
  }

  function placeSlider() {
    if (!shown) return;
    const whole = measured === epochs ? film : null;
    slider.max = String(Math.max(0, (whole?.length ?? shown.about.total) - 1));
    slider.value = String(whole?.indexOf(epoch, at) ?? at);
    slider.disabled = slider.max === "0";
    of.hidden = whole !== null;
    chips.element.hidden = whole === null;
    chips.mark(epoch);
  }

  /** @param {number} value */
  const slide = (value) =>
    seek(...(film && measured === epochs ? film.at(value) : /** @type {const} */ ([epoch, value])));

  /** Whether the film is at its end: nothing moves the line after an epoch without a mistake. */
  const isOver = () => next.disabled || (plain && shown?.about.total === 0);

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
      if (!to || !(await show(...to)) || isOver()) return pause();
      if (timer !== undefined) timer = setTimeout(go, pace());
    };
    // At the end it begins again.
    timer = setTimeout(go, pace());
    if (isOver()) await show(1, 0);
  }

  function pause() {
    clearTimeout(timer);
    timer = undefined;
    play.show(false);
  }

  return {
    element,
    pause,
    /** Says what is shown again: the names of the classes have come. */
    say,
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
