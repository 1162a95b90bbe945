// The learning-rate finder: a button, the curve of the losses as the server trains at rising rates, and a suggestion.

import { findLr } from "../lib/api.js";
import { h, s, setText } from "../lib/dom.js";
import { count, formatNumber } from "../lib/format.js";
import { icon } from "../lib/icons.js";

/** @import { LrFinderLine, LrFinderStep, RunSpec } from "../lib/types" */

/** The chart's size in its own units; it is scaled to the available width. */
export const WIDTH = 480;
export const HEIGHT = 110;

/** The rates at the chart's ends, as powers of ten; the server tries those between. */
export const DECADES = [-6, 1];

/** How far above its first values a loss is drawn: the divergence at the end says nothing by its height. */
const HEADROOM = 1.25;

/** The place of a rate on the chart's width. @param {number} lr */
export function placeOf(lr) {
  const [first, last] = DECADES;
  return ((Math.log10(lr) - first) / (last - first)) * WIDTH;
}

/** The line of the losses. @param {LrFinderStep[]} steps */
export function finderPath(steps) {
  if (steps.length < 2) return "";
  const losses = steps.map(({ loss }) => loss);
  const least = Math.min(...losses);
  const most = Math.max(...losses.slice(0, Math.ceil(losses.length / 4)));
  const top = Math.min(Math.max(...losses), least + (most - least) * HEADROOM || most);
  const range = top - least || 1;
  const points = steps.map(({ lr, loss }) => {
    const height = Math.min((loss - least) / range, 1);
    return `${placeOf(lr).toFixed(2)} ${((1 - height) * HEIGHT).toFixed(2)}`;
  });
  return `M${points.join("L")}`;
}

/** What the search depends on: the settings without those that it ignores. @param {RunSpec} spec */
export function keyOf(spec) {
  const { name: _name, training, ...rest } = /** @type {any} */ (spec);
  const { schedule: _schedule, epochs: _epochs, early_stopping: _stopping, optimizer, ...others } = training ?? {};
  const { lr: _lr, ...rule } = optimizer ?? {};
  return JSON.stringify({ ...rest, training: { ...others, optimizer: rule } });
}

/**
 * @param {() => RunSpec} specNow
 * @param {(lr: number) => void} onTaken called with the suggestion when the user takes it
 */
export function finderPart(specNow, onTaken) {
  /** @type {AbortController | null} */
  let running = null;
  /** @type {LrFinderStep[]} */
  let steps = [];
  /** @type {number | null} */
  let suggested = null;
  let key = "";

  const start = h(
    "button",
    { class: "button small", type: "button", on: { click: () => (running ? stop() : search()) } },
    icon("search", 14),
    h("span", {}, "Find a learning rate"),
  );
  const words = h("p", { class: "hint finder-words", role: "status" });
  const take = h(
    "button",
    {
      class: "button small primary",
      type: "button",
      hidden: true,
      on: { click: () => suggested && onTaken(suggested) },
    },
    h("span"),
  );
  const line = s("path", { class: "rate-line" });
  const mark = s("line", { class: "finder-mark", y1: 0, y2: HEIGHT });
  const svg = s(
    "svg",
    { class: "rate-chart finder-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    mark,
    line,
  );
  const ticks = [-6, -5, -4, -3, -2, -1, 0, 1].map((power) => {
    const tick = h("span", {}, power < -4 ? `1e${power}` : String(10 ** power));
    tick.style.setProperty("left", `${(placeOf(10 ** power) / WIDTH) * 100}%`);
    return tick;
  });
  const figure = h(
    "figure",
    { class: "rate finder", hidden: true },
    h("span", { class: "finder-y", "aria-hidden": "true" }, "loss"),
    svg,
    h("figcaption", { class: "finder-x", "aria-hidden": "true" }, ...ticks),
  );
  const element = h("div", { class: "finder-part" }, h("div", { class: "finder-head" }, start, take, words), figure);
  say("Trains about a hundred steps at rising rates; nothing of it is kept.");

  /** @param {string} text */
  function say(text) {
    setText(words, text);
  }

  function draw() {
    figure.hidden = steps.length < 2;
    line.setAttribute("d", finderPath(steps));
    mark.toggleAttribute("hidden", suggested === null);
    if (suggested !== null) {
      const place = placeOf(suggested).toFixed(2);
      mark.setAttribute("x1", place);
      mark.setAttribute("x2", place);
      setText(/** @type {Node} */ (take.firstChild), `Use ${formatNumber(suggested)}`);
    }
    take.hidden = suggested === null;
    const at = suggested === null ? "" : `; suggested: ${formatNumber(suggested)}`;
    svg.setAttribute("aria-label", `Loss at rising learning rates${at}`);
  }

  function showRunning() {
    setText(/** @type {Node} */ (start.lastChild), running ? "Cancel" : "Find a learning rate");
    start.firstElementChild?.toggleAttribute("hidden", running !== null);
  }

  function stop() {
    running?.abort();
    running = null;
    showRunning();
  }

  async function search() {
    const mine = new AbortController();
    running = mine;
    steps = [];
    suggested = null;
    const spec = specNow();
    key = keyOf(spec);
    figure.classList.remove("stale");
    showRunning();
    draw();
    say("Reading the data…");
    try {
      await findLr(spec, (found) => running === mine && show(found), mine.signal);
    } catch (error) {
      if (running === mine) say(error instanceof Error ? error.message : String(error));
    }
    if (running === mine) stop();
    else if (running === null && mine.signal.aborted) say("Cancelled.");
  }

  /** @param {LrFinderLine} found */
  function show(found) {
    if (found.kind === "step") {
      steps.push(found);
      say(`Step ${count(found.step)} of ${count(found.steps)}, learning rate ${formatNumber(found.lr)}`);
    } else {
      suggested = found.lr;
      say(found.note);
    }
    draw();
  }

  return {
    element,
    /** Follows a change of the settings: a result of others is faded, and a search of others ends. */
    settingsChanged() {
      if (key === "") return;
      const same = keyOf(specNow()) === key;
      figure.classList.toggle("stale", !same);
      if (!same && running) stop();
      take.hidden = !same || suggested === null;
    },
  };
}
