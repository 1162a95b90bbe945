// What a chart says of the position that is pointed at, by pointer, by key, or in another chart of the page.

import { count, formatNumber } from "../lib/format.js";
import { announce } from "../lib/shell.js";
import { AXES } from "./axis.js";
import { cursor } from "./cursor.js";
import { nearest, nearestByX } from "./nearest.js";
import { gapText } from "./note.js";
import { invert, normalize } from "./scale.js";

/** @import { Gap } from "./chart.js" */
/** @import { Near } from "./nearest.js" */
/** @import { PlotData } from "./plot-data.js" */
/** @import { View } from "./view.js" */

/** At most this many lines are named at once. */
const MAX_NAMED = 5;
/** A value that is not finite is told within this many pixels of it. */
const GAP_REACH = 6;

/**
 * @param {HTMLElement} layer lies exactly over the plot
 * @param {{
 *   view: View,
 *   shown: () => PlotData | null,
 *   size: () => { width: number, height: number },
 *   value: (value: number) => string,
 *   gaps: () => Gap[],
 *   isDragging: () => boolean,
 *   onMove: (x: number | null, own: boolean) => void,
 * }} chart `shown`: the last drawing; `onMove`: the position changed, to null if there is none; `own`: not by another
 *   chart
 */
export function pointer(layer, { view, shown: drawing, size, value, gaps, isDragging, onMove }) {
  const crosshair = cursor(layer);
  /** The crosshair's position, in units of the axis. @type {number | null} */
  let pointed = null;
  /** Updates the card after a redraw. @type {(() => void) | null} */
  let again = null;
  const formatPosition = (/** @type {number} */ x) =>
    AXES.find(({ name }) => name === view.axis)?.format(positionText(x)) ?? positionText(x);

  /** Points at a place of the plot. @param {{ left: number, top: number }} at */
  function look(at) {
    const shown = drawing();
    if (!shown || isDragging()) return;
    const near = nearest(shown, at, size());
    if (near.length === 0) return;
    pointed = invert(shown.x, Math.min(1, Math.max(0, at.left / size().width)));
    name(shown, at.left, at.top, near);
    again = () => look(at);
    onMove(pointed, true);
  }

  /** @param {PlotData} shown @param {number} left @param {number} top @param {Near[]} near */
  function name(shown, left, top, near) {
    const [first] = near;
    const around = gaps().filter(({ x }) => Math.abs(normalize(shown.x, x) * size().width - left) < GAP_REACH);
    crosshair.show({
      left,
      near,
      head: formatPosition(first.x),
      entries: near.map(({ line, x, y }) => ({
        token: line.token,
        label: line.label,
        value: value(y),
        at: Math.abs(x - first.x) > 1e-9 * Math.abs(x) ? `at ${positionText(x)}` : "",
      })),
      warnings: gapText(around),
      width: size().width,
      top,
      height: size().height,
    });
  }

  function leave() {
    if (pointed === null) return;
    pointed = null;
    again = null;
    crosshair.hide();
    onMove(null, true);
  }

  /** Moves by points of the first line, and announces where. @param {number | "first" | "last"} by */
  function move(by) {
    const shown = drawing();
    const main = shown?.drawn.find(({ x }) => x.length > 0);
    if (!shown || !main) return;
    const { min, max } = shown.x;
    const xs = main.x.filter((x, i) => x >= min && x <= max && main.y[i] !== null);
    if (xs.length === 0) return;
    const here = pointed ?? xs[xs.length - 1];
    let i = xs.findIndex((x) => x >= here - 1e-9);
    if (i < 0) i = xs.length - 1;
    if (by === "first") i = 0;
    else if (by === "last") i = xs.length - 1;
    else if (pointed !== null) i = Math.min(xs.length - 1, Math.max(0, i + by));
    pointed = xs[i];
    const near = nearestByX(shown, pointed, size()).slice(0, MAX_NAMED);
    if (near.length === 0) return;
    again = () => pointAt(Number(pointed));
    pointAt(pointed);
    announce(`${formatPosition(pointed)}: ${near.map(({ line, y }) => `${line.label} ${value(y)}`).join(", ")}`);
    onMove(pointed, true);
  }

  /** Shows the card at a position that was chosen by keyboard. @param {number} x */
  function pointAt(x) {
    const shown = drawing();
    const near = shown ? nearestByX(shown, x, size()).slice(0, MAX_NAMED) : [];
    if (!shown || near.length === 0 || x < shown.x.min || x > shown.x.max) crosshair.hide();
    else name(shown, normalize(shown.x, x) * size().width, near[0].top, near);
  }

  /** Follows the crosshair of another chart. @param {number | null} x */
  function follow(x) {
    const shown = drawing();
    again = null;
    if (x === null || !shown || x < shown.x.min || x > shown.x.max) {
      if (x === null) pointed = null;
      crosshair.hide();
    } else {
      pointed = x;
      const near = nearestByX(shown, x, size());
      if (!isDragging()) crosshair.follow(normalize(shown.x, x) * size().width, near.slice(0, MAX_NAMED));
    }
    onMove(pointed, false);
  }

  return {
    look,
    leave,
    move,
    follow,
    /** Updates what is shown after a redraw. */
    refresh() {
      if (again) again();
      else if (pointed !== null) follow(pointed);
    },
    /** The position, in units of the axis; null if nothing is pointed at. */
    at: () => pointed,
  };
}

const roundTo2 = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/** A position with all its digits, so that neighbouring steps among millions differ. @param {number} x */
const positionText = (x) =>
  Number.isInteger(x) ? count(x) : Math.abs(x) >= 1000 ? roundTo2.format(x) : formatNumber(x);
