// Parallel coordinates on a card: axes can be brushed by pointer and keyboard, and what lies outside can be hidden.

import { h, s, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { scrollFrame } from "../lib/scroll-frame.js";
import { axesOf } from "./axes.js";
import {
  BOX,
  HEIGHT,
  layOut,
  matchesBrushes,
  parallelPicture,
  RAMP,
  usesColourScale,
  yOf,
} from "./parallel-picture.js";
import { accuracyOf } from "./scatter.js";

/** @import { Axis } from "./axes.js" */
/** @import { Member } from "./members.js" */
/** @import { Marks } from "./parallel-picture.js" */

/** Fewer lines, or lines through fewer settings, say no more than the tables. */
const MIN_LINES = 4;
const MIN_SETTINGS = 2;

/** The fraction of an axis by which a key press moves a brush. */
const KEY_STEP = 0.1;

/**
 * The card with the picture and its brushes.
 * @param {{ onLook: (id: string) => void, onOnly: (ids: Set<string>) => void }} options `onOnly`: hide all other members
 */
export function parallel({ onLook, onOnly }) {
  /** @type {Marks} */
  const marks = new Map();
  /** @type {Member[]} */
  let members = [];
  /** @type {Axis[]} */
  let axes = [];
  let dragging = false;
  const about = h("p", { class: "muted small" });
  const state = h("span", { class: "muted small", role: "status" });
  const only = h(
    "button",
    {
      class: "button small",
      type: "button",
      on: {
        click: () =>
          onOnly(new Set(members.filter((member) => matchesBrushes(axes, marks, member)).map(({ id }) => id))),
      },
    },
    "Show only these",
  );
  const clear = h(
    "button",
    {
      class: "button small quiet",
      type: "button",
      on: {
        click: () => {
          marks.clear();
          draw();
        },
      },
    },
    "Clear ranges",
  );
  const ramp = h(
    "span",
    { class: "parallel-ramp", hidden: true },
    h("span", { class: "small muted" }, "low"),
    h("i", {}, ...Array.from({ length: RAMP }, (_, i) => h("b", { vars: { c: `var(--ramp-${i + 1})` } }))),
    h("span", { class: "small muted" }, "high"),
  );
  const place = h("div", {
    class: "parallel-scroll",
    tabindex: 0,
    role: "group",
    "aria-label": "Parallel coordinates, scrolls",
  });
  const element = h(
    "section",
    { class: "card compare-card", "aria-label": "From settings to outcome", hidden: true },
    h(
      "header",
      { class: "card-head" },
      h("div", {}, h("h2", {}, "From settings to outcome"), about),
      h("div", { class: "parallel-tools" }, ramp, state, only, clear),
    ),
    scrollFrame(place, "axes"),
  );

  new ResizeObserver(() => !element.hidden && !dragging && draw()).observe(place);

  function draw() {
    for (const key of marks.keys()) if (!axes.some((axis) => axis.key === key)) marks.delete(key);
    const width = place.clientWidth - 18;
    const picture = parallelPicture(members, axes, width, marks);
    for (const run of picture.querySelectorAll("a")) {
      const id = run.dataset.member ?? "";
      for (const name of ["mouseenter", "focus"]) run.addEventListener(name, () => onLook(id));
      for (const name of ["mouseleave", "blur"]) run.addEventListener(name, () => onLook(""));
    }
    const { places } = layOut(axes, width);
    picture.append(...axes.map((axis, i) => handle(axis, places[i])));
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.axis;
    const scrolled = place.scrollLeft;
    place.replaceChildren(picture);
    place.scrollLeft = scrolled;
    if (focused) picture.querySelector(`[data-axis="${CSS.escape(focused)}"]`)?.dispatchEvent(new Event("refocus"));
    const passing = members.filter((member) => matchesBrushes(axes, marks, member)).length;
    setText(state, marks.size > 0 ? `${passing} of ${plural(members.length, "line")}` : "");
    only.hidden = clear.hidden = marks.size === 0;
    only.disabled = passing === 0;
    ramp.hidden = !usesColourScale(members);
    const gain = accuracyOf(members).title.toLowerCase();
    const out = members.some((member) => axes.some((axis) => axis.outcome && axis.at(member) === null));
    setText(
      about,
      [
        usesColourScale(members) && `Coloured by ${gain}.`,
        "Drag along an axis to select a range.",
        out && "A line ends where a run has no result, or one far outside, as after a divergence.",
      ]
        .filter(Boolean)
        .join(" "),
    );
  }

  /** The element that takes an axis' pointer and key events. @param {Axis} axis @param {number} left */
  function handle(axis, left) {
    const mark = marks.get(axis.key);
    const box = s("rect", {
      class: "parallel-reach-axis",
      x: -14,
      y: BOX.top - 8,
      width: 28,
      height: BOX.bottom - BOX.top + 16,
    });
    const shown = s("rect", {
      class: "parallel-mark",
      x: -7,
      width: 14,
      y: yOf(mark?.[1] ?? 0),
      height: mark ? yOf(mark[0]) - yOf(mark[1]) : 0,
      rx: 3,
    });
    const group = s(
      "g",
      {
        transform: `translate(${left} 0)`,
        tabindex: 0,
        role: "slider",
        data: { axis: axis.key },
        class: "parallel-handle",
        "aria-orientation": "vertical",
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        "aria-valuenow": Math.round((mark?.[0] ?? 0) * 100),
        "aria-label": `${axis.title}: select a range with the arrow keys, Escape clears it`,
        "aria-valuetext": mark
          ? `selected from ${Math.round(mark[0] * 100)} to ${Math.round(mark[1] * 100)} percent of the axis`
          : "nothing selected",
      },
      box,
      shown,
    );
    group.addEventListener("refocus", () => group.focus({ preventScroll: true }));
    group.addEventListener("keydown", (event) => {
      const { key } = event;
      if (!["ArrowUp", "ArrowDown", "Escape"].includes(key)) return;
      event.preventDefault();
      const [low, high] = marks.get(axis.key) ?? [0, 1];
      const next = Math.round((low + (key === "ArrowUp" ? KEY_STEP : -KEY_STEP)) * 1e6) / 1e6;
      if (key === "Escape" || next <= 0) marks.delete(axis.key);
      else marks.set(axis.key, [Math.min(next, 1), Math.max(high, next)]);
      draw();
    });
    group.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      group.setPointerCapture(event.pointerId);
      dragging = true;
      const from = shareAt(event);
      let to = from;
      const show = () => {
        shown.setAttribute("y", String(yOf(Math.max(from, to))));
        shown.setAttribute("height", String(Math.abs(yOf(from) - yOf(to))));
      };
      const move = (/** @type {PointerEvent} */ moved) => {
        to = shareAt(moved);
        show();
      };
      group.addEventListener("pointermove", move);
      const done = (/** @type {boolean} */ kept) => () => {
        group.removeEventListener("pointermove", move);
        dragging = false;
        if (kept && Math.abs(to - from) > 0.01) marks.set(axis.key, [Math.min(from, to), Math.max(from, to)]);
        else if (kept) marks.delete(axis.key);
        draw();
      };
      group.addEventListener("pointerup", done(true), { once: true });
      group.addEventListener("pointercancel", done(false), { once: true });
    });
    return group;
  }

  /** @param {PointerEvent} event */
  function shareAt({ clientY }) {
    const box = place.firstElementChild?.getBoundingClientRect() ?? new DOMRect(0, 0, 1, 1);
    const y = ((clientY - box.top) / box.height) * HEIGHT;
    return Math.min(1, Math.max(0, (BOX.bottom - y) / (BOX.bottom - BOX.top)));
  }

  return {
    element,
    /** @param {Member[]} next */
    show(next) {
      members = next;
      if (dragging) return;
      axes = axesOf(members);
      const settings = axes.filter(({ outcome }) => !outcome).length;
      element.hidden = members.length < MIN_LINES || settings < MIN_SETTINGS;
      if (!element.hidden) draw();
    },
  };
}
