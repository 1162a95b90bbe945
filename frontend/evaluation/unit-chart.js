// A small chart whose axes are shares: lines, bars and points as SVG.

import { h, s } from "../lib/dom.js";
import { ticks } from "../chart/scale.js";

const WIDTH = 380;
const HEIGHT = 300;
const BOX = { left: 48, top: 10, right: WIDTH - 12, bottom: HEIGHT - 42 };

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
  const left = (/** @type {number} */ value) => BOX.left + value * (BOX.right - BOX.left);
  const top = (/** @type {number} */ value) => BOX.bottom - ((value - ys.min) / (1 - ys.min)) * (BOX.bottom - BOX.top);
  const grid = s("g", { class: "unit-grid" });
  const layer = s("g", {});
  const text = (
    /** @type {number} */ at,
    /** @type {number} */ down,
    /** @type {string} */ words,
    /** @type {string} */ anchor,
  ) => s("text", { x: at, y: down, "text-anchor": anchor }, words);
  const svg = s(
    "svg",
    { class: "unit-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    grid,
    layer,
  );

  function drawGrid() {
    const down = ticks(ys, 5);
    const across = ticks({ min: 0, max: 1, log: false }, 5);
    const [y, x] = [alike(down), alike(across)];
    grid.replaceChildren(
      ...down.flatMap((tick) => [
        s("line", { x1: BOX.left, x2: BOX.right, y1: top(tick), y2: top(tick) }),
        text(BOX.left - 6, top(tick) + 4, y(tick), "end"),
      ]),
      ...across.flatMap((tick) => [
        s("line", { x1: left(tick), x2: left(tick), y1: BOX.top, y2: BOX.bottom }),
        text(left(tick), BOX.bottom + 16, x(tick), "middle"),
      ]),
      text((BOX.left + BOX.right) / 2, HEIGHT - 6, name, "middle"),
    );
  }
  drawGrid();
  return {
    element: h("figure", { class: "unit-figure" }, h("figcaption", {}, title), svg),
    left,
    top,
    bottom: BOX.bottom,
    /** Replaces what is drawn. @param {(SVGElement | false)[]} parts */
    draw: (...parts) => layer.replaceChildren(...parts.filter((part) => part !== false)),
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
