// Play, pause, speed and position: moves through the positions of a map, by clock or by keys.

import { h, setText } from "../../lib/dom.js";
import { count } from "../../lib/format.js";
import { playButton } from "../../lib/play-button.js";
import { reducedMotion } from "../../lib/motion.js";

/** Positions per second. At 0, the whole map takes ten seconds. @type {[string, string, number][]} */
const SPEEDS = [
  ["slow", "product by product", 0.25],
  ["one", "1 value a second", 1],
  ["four", "4 values a second", 4],
  ["fast", "20 values a second", 20],
  ["map", "the map in 10 s", 0],
];
const MAP_SECONDS = 10;
/** Up to this speed the sum of a position is shown as it is added. */
const MAX_SUMMED = 4;

/**
 * `onMove` is called with the position and the share of its sum that is added, from 0 to 1; `onRest` when it stays
 * there. `term` names a step of a sum, which has no row and column.
 * @param {{
 *   term?: string,
 *   onMove: (position: number, share: number) => void,
 *   onRest: (position: number) => void,
 * }} options
 */
export function transport({ term, onMove, onRest }) {
  let [length, width, at, share] = [1, 1, 0, 1];
  /** @type {number | null} */
  let frame = null;
  let last = 0;
  /** The position that was given last. */
  let given = -1;
  /** The position where this rested last, which the page tells back later. */
  let rested = -1;

  const play = playButton(toggle, { key: "Space", primary: true });
  const button = (/** @type {string} */ label, /** @type {string} */ sign, /** @type {() => number} */ by) =>
    h(
      "button",
      {
        class: "button icon small",
        type: "button",
        "aria-label": label,
        title: label,
        on: { click: () => step(by()) },
      },
      h("span", { "aria-hidden": "true" }, sign),
    );
  const previous = button("Previous value", "‹", () => -1);
  const next = button("Next value", "›", () => 1);
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 0,
    step: 1,
    "aria-label": "Position",
    on: { input: () => seek(Number(slider.value)) },
  });
  const speed = h(
    "select",
    { class: "select", "aria-label": "Speed" },
    ...SPEEDS.map(([value, label]) => h("option", { value, selected: value === "four" }, label)),
  );
  speed.value = "four";
  const where = h("output", { class: "small muted", "aria-live": "off" });
  const element = h("div", { class: "transport" }, play.element, previous, next, slider, speed, where);

  const rate = () => (SPEEDS.find(([value]) => value === speed.value)?.[2] ?? 4) || Math.max(1, length / MAP_SECONDS);

  function tell() {
    slider.value = String(at);
    const [row, column] = [Math.floor(at / width), at % width];
    const place = term ?? `row ${row}, column ${column} ·`;
    const text = `${place} ${count(at + 1)} of ${count(length)}`;
    setText(where, text);
    slider.setAttribute("aria-valuetext", text);
    onMove(at, share);
  }

  /** @param {number} to */
  function seek(to) {
    pause(false);
    at = Math.min(length - 1, Math.max(0, to));
    share = 1;
    tell();
    rested = at;
    onRest(at);
  }

  /** @param {number} by */
  const step = (by) => {
    if (at + by >= 0 && at + by < length) seek(at + by);
  };

  /** @param {number} now */
  function tick(now) {
    const speedNow = rate();
    const passed = ((now - last) / 1000) * speedNow;
    if (speedNow <= MAX_SUMMED && !reducedMotion()) {
      last = now;
      share += passed;
      if (share >= 1 && at + 1 < length) {
        at += 1;
        share %= 1;
      }
    } else if (passed >= 1) {
      last = now;
      at = Math.min(length - 1, at + Math.floor(passed));
      share = 1;
    }
    const over = at >= length - 1 && share >= 1;
    share = Math.min(1, share);
    tell();
    if (over) pause();
    else frame = requestAnimationFrame(tick);
  }

  function toggle() {
    if (frame !== null) {
      pause();
      return;
    }
    if (at >= length - 1) at = 0;
    share = reducedMotion() || rate() > MAX_SUMMED ? 1 : 0;
    last = performance.now();
    play.show(true);
    frame = requestAnimationFrame(tick);
  }

  function pause(rest = true) {
    const was = frame !== null;
    if (frame !== null) cancelAnimationFrame(frame);
    frame = null;
    play.show(false);
    if (was && rest) {
      rested = at;
      onRest(at);
    }
  }

  /** Space plays and pauses, arrows step along the row and by rows. @param {KeyboardEvent} event */
  function onKey(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const own = target instanceof HTMLInputElement && target.type === "range";
    if (!own && target.closest("input, select, textarea, summary, .links-list")) return;
    if (event.key === " ") {
      if (target.closest("button")) return;
      event.preventDefault();
      toggle();
      return;
    }
    const step = /** @type {{ [key: string]: number }} */ ({
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -width,
      ArrowDown: width,
      Home: -length,
      End: length,
    })[event.key];
    if (step === undefined) return;
    event.preventDefault();
    if (Math.abs(step) === length) seek(at + step);
    else if (at + step >= 0 && at + step < length) seek(at + step);
  }

  return {
    element,
    onKey,
    play: () => frame === null && toggle(),
    pause,
    get at() {
      return at;
    },
    /** @param {number} position */
    seek,
    /**
     * Sets the size of the map, and the position where that is another one than the last time: the page may draw itself
     * anew while this plays or before it was told where this rests.
     * @param {number} height @param {number} wide @param {number} position
     */
    show(height, wide, position) {
      const sized = length !== height * wide || width !== wide;
      if (sized || (position !== given && position !== rested)) {
        pause(false);
        [length, width] = [Math.max(1, height * wide), Math.max(1, wide)];
        at = Math.min(length - 1, Math.max(0, position));
        share = 1;
        slider.max = String(length - 1);
        play.element.disabled = previous.disabled = next.disabled = slider.disabled = length < 2;
      }
      given = position;
      tell();
    },
  };
}
