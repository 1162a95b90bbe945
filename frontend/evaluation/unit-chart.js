// A chart whose axes are shares: lines, bars and points as SVG, as wide as its place.

import { h, s } from "../lib/dom.js";
import { ticks } from "../chart/scale.js";

/** The width before it is known, in pixels. */
const WIDTH = 380;
/** The height follows the width between these. */
const [LOW, HIGH, RATIO] = [250, 330, 0.75];
const MARGIN = { left: 48, top: 10, right: 14, bottom: 42 };

/** @typedef {ReturnType<typeof unitChart>} UnitChart */

/**
 * Writes the shares of an axis as percentages, all with as many decimals as one of them needs.
 * @param {number[]} shares
 * @returns {(share: number) => string}
 */
export function alike(shares) {
  const decimalsOf = (/** @type {number} */ share) =>
    (String(Number((share * 100).toPrecision(6))).split(".")[1] ?? "").length;
  const decimals = Math.max(0, ...shares.map(decimalsOf));
  return (share) => `${(share * 100).toFixed(decimals)}%`;
}

/**
 * @param {{ label: string, x: string, y: string, from?: number }} options `label` is read to those who do not see the
 *   chart; `x` and `y` name the axes; `from` is the lowest share of the vertical axis
 */
export function unitChart({ label, x: name, y: title, from = 0 }) {
  const ys = { min: from, max: 1, log: false };
  let width = WIDTH;
  const height = () => Math.round(Math.min(HIGH, Math.max(LOW, width * RATIO)));
  const bottom = () => height() - MARGIN.bottom;
  const right = () => width - MARGIN.right;
  const left = (/** @type {number} */ value) => MARGIN.left + value * (right() - MARGIN.left);
  const top = (/** @type {number} */ value) => bottom() - ((value - ys.min) / (1 - ys.min)) * (bottom() - MARGIN.top);
  /** What is drawn, as it is drawn again at another width. @type {() => (SVGElement | false)[]} */
  let parts = () => [];
  const grid = s("g", { class: "unit-grid" });
  const layer = s("g", {});
  const text = (
    /** @type {number} */ at,
    /** @type {number} */ down,
    /** @type {string} */ words,
    /** @type {string} */ anchor,
  ) => s("text", { x: at, y: down, "text-anchor": anchor }, words);
  const svg = s("svg", { class: "unit-chart", role: "img", "aria-label": label }, grid, layer);
  const element = h("figure", { class: "unit-figure" }, h("figcaption", {}, title), svg);
  new ResizeObserver(() => {
    const room = Math.round(element.clientWidth);
    if (room === 0 || room === width) return;
    width = room;
    drawGrid();
    drawParts();
  }).observe(element);

  function drawGrid() {
    svg.setAttribute("viewBox", `0 0 ${width} ${height()}`);
    const down = ticks(ys, 5);
    const across = ticks({ min: 0, max: 1, log: false }, 5);
    const [y, x] = [alike(down), alike(across)];
    grid.replaceChildren(
      ...down.flatMap((tick) => [
        s("line", { x1: MARGIN.left, x2: right(), y1: top(tick), y2: top(tick) }),
        text(MARGIN.left - 6, top(tick) + 4, y(tick), "end"),
      ]),
      ...across.flatMap((tick) => [
        s("line", { x1: left(tick), x2: left(tick), y1: MARGIN.top, y2: bottom() }),
        text(left(tick), bottom() + 17, x(tick), "middle"),
      ]),
      text((MARGIN.left + right()) / 2, height() - 6, name, "middle"),
    );
  }
  const drawParts = () => layer.replaceChildren(...parts().filter((part) => part !== false));
  drawGrid();
  return {
    element,
    left,
    top,
    bottom,
    width: () => width,
    /** Replaces what is drawn. @param {() => (SVGElement | false)[]} make makes it for the width of the moment */
    draw(make) {
      parts = make;
      drawParts();
    },
    /** Sets the lowest share of the vertical axis, before `draw`. @param {number} least */
    setFrom(least) {
      ys.min = least;
      drawGrid();
    },
    /**
     * A line through points.
     * @param {number[][]} through
     * @param {{ token: string, title?: string, dash?: boolean }} look
     */
    line: (through, { token, title = "", dash = false }) => {
      const d = through.map(
        ([at, value], i) => `${i === 0 ? "M" : "L"}${left(at).toFixed(2)} ${top(value).toFixed(2)}`,
      );
      const path = s("path", { d: d.join(""), class: dash ? "unit-line dashed" : "unit-line" }, s("title", {}, title));
      path.style.stroke = `var(${token})`;
      return path;
    },
  };
}
