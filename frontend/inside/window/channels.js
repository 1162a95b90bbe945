// The sources of a position: a small picture of each, linked to the sum that it becomes a part of.

import { h, s, setText } from "../../lib/dom.js";
import { count, formatNumber } from "../../lib/format.js";
import { paintImage } from "./plane.js";

/** @import { SourcePlane } from "../../lib/types" */

/** Sources with a picture at first; the others can be opened. */
const FIRST = 6;
/** The height of a row, and the width of the links' picture, as in the style sheet. */
const ROW = 40;
const WIDE = 56;

/**
 * @param {{ onPick: (channel: number) => void }} options
 */
export function channelLinks({ onPick }) {
  const list = h("ul", { class: "links-list" });
  const paths = s("g", {});
  const picture = s("svg", { class: "links", "aria-hidden": "true", preserveAspectRatio: "none" }, paths);
  const more = h("button", { class: "button small quiet", type: "button" });
  const rows = h("div", { class: "links-rows" }, list, picture);
  const element = h("div", { class: "links-frame" }, rows, more);
  let all = false;
  /** @type {{ plane: SourcePlane, value: HTMLElement, button: HTMLButtonElement, path: SVGPathElement }[]} */
  let shown = [];
  /** @type {{ planes: SourcePlane[], name: string, paint: (plane: SourcePlane, canvas: HTMLCanvasElement) => void } | null} */
  let now = null;

  more.addEventListener("click", () => {
    all = !all;
    build();
  });

  function build() {
    if (!now) return;
    const { planes, name, paint } = now;
    const rest = planes.length - FIRST;
    const few = rest <= 1 || all ? planes : planes.slice(0, FIRST);
    more.hidden = rest <= 1;
    if (!more.hidden) setText(more, all ? "Show fewer" : `Show ${count(rest)} more`);
    more.setAttribute("aria-expanded", String(all));
    shown = few.map((plane) => {
      const canvas = h("canvas", { "aria-hidden": "true" });
      paint(plane, canvas);
      const value = h("b", {});
      const button = h(
        "button",
        { class: "link-source", type: "button", on: { click: () => onPick(plane.channel) } },
        canvas,
        h("span", {}, h("small", {}, `${name} ${plane.channel}`), value),
      );
      const path = s("path", {});
      return { plane, value, button, path };
    });
    list.replaceChildren(...shown.map(({ button }) => h("li", {}, button)));
    const tall = ROW * shown.length;
    picture.setAttribute("viewBox", `0 0 ${WIDE} ${tall}`);
    picture.setAttribute("height", String(tall));
    shown.forEach(({ path }, i) => {
      const y = ROW * (i + 0.5);
      path.setAttribute("d", `M0 ${y}C${WIDE * 0.6} ${y} ${WIDE * 0.4} ${tall / 2} ${WIDE} ${tall / 2}`);
    });
    paths.replaceChildren(...shown.map(({ path }) => path));
    tell();
  }

  /** @type {{ parts: Map<number, number>, chosen: number, added: number }} */
  let state = { parts: new Map(), chosen: -1, added: Number.POSITIVE_INFINITY };

  /** Shows each source's part of the sum; the widest link is the largest part. */
  function tell() {
    const most = Math.max(...[...state.parts.values()].map(Math.abs).filter(Number.isFinite), 1e-30);
    shown.forEach(({ plane, value, button, path }, place) => {
      const part = state.parts.get(plane.channel) ?? 0;
      setText(value, formatNumber(part));
      button.setAttribute("aria-pressed", String(plane.channel === state.chosen));
      path.setAttribute("class", part < 0 ? "below" : "above");
      path.style.setProperty("stroke-width", `${0.5 + 7.5 * (Math.abs(part) / most)}px`);
      path.style.setProperty("opacity", place < state.added || plane.channel === state.chosen ? "1" : "0.15");
    });
  }

  return {
    element,
    /**
     * @param {SourcePlane[]} planes
     * @param {string} name of one of them
     * @param {(plane: SourcePlane, canvas: HTMLCanvasElement) => void} paint
     */
    show(planes, name, paint) {
      now = { planes, name, paint };
      build();
    },
    /** @param {Map<number, number>} parts by channel @param {number} chosen @param {number} added how many are part of the sum so far */
    parts(parts, chosen, added) {
      state = { parts, chosen, added };
      tell();
    },
  };
}

/** A small picture of a source. @param {Omit<import("./plane.js").Plane, "padding">} plane @param {HTMLCanvasElement} canvas */
export const paintThumbnail = (plane, canvas) => paintImage(canvas, plane);
