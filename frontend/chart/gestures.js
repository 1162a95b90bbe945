// Pointer input on a chart: drag zooms, Shift+drag pans, double-click resets, hover shows values. A finger shows
// values, and pans a zoomed chart. The wheel and vertical swipes scroll the page.

import { h } from "../lib/dom.js";

/** @typedef {{ left: number, top: number }} At pixels from the plot's upper left corner */

/**
 * @typedef {{
 *   size: () => { width: number, height: number },
 *   onHover: (at: At | null) => void,
 *   onZoom: (x: [number, number], y: [number, number] | null) => void,
 *   onPanStart: () => void,
 *   onPan: (share: number) => void,
 *   onReset: () => void,
 *   isZoomed: () => boolean,
 * }} Listeners zoom ranges and pan distances are fractions of the plot, measured from its lower left corner
 */

/** A drag shorter than this is a click. */
const MIN_DRAG = 5;
/** A drag flatter than this keeps the vertical range. */
const MIN_HEIGHT = 28;

/** @param {HTMLElement} layer lies exactly over the plot @param {Listeners} listeners */
export function gestures(layer, { size, onHover, onZoom, onPanStart, onPan, onReset, isZoomed }) {
  const band = h("div", { class: "chart-band", hidden: true });
  layer.append(band);
  /** @type {{ start: At, pan: boolean, id: number } | null} */
  let drag = null;

  /** @param {PointerEvent} event @returns {At} */
  const at = (event) => {
    const { left, top } = layer.getBoundingClientRect();
    return { left: event.clientX - left, top: event.clientY - top };
  };

  layer.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const touch = event.pointerType === "touch";
    if (touch) onHover(at(event));
    // A finger shows values; on a zoomed chart it also pans.
    if (touch && !isZoomed()) return;
    drag = { start: at(event), pan: touch || event.shiftKey, id: event.pointerId };
    layer.setPointerCapture(event.pointerId);
    if (drag.pan) onPanStart();
  });

  layer.addEventListener("pointermove", (event) => {
    const here = at(event);
    if (!drag) {
      onHover(here);
    } else if (drag.pan) {
      onPan((drag.start.left - here.left) / size().width);
    } else {
      showBand(drag.start, here);
    }
  });

  layer.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { start, pan } = drag;
    end();
    if (pan) return;
    const here = at(event);
    if (Math.abs(here.left - start.left) < MIN_DRAG) return;
    const { width, height } = size();
    const x = stretch(start.left / width, here.left / width);
    const flat = Math.abs(here.top - start.top) < MIN_HEIGHT;
    onZoom(x, flat ? null : stretch(1 - start.top / height, 1 - here.top / height));
  });

  layer.addEventListener("pointercancel", end);
  layer.addEventListener("pointerleave", (event) => {
    // The card stays when a finger is lifted, until the next tap elsewhere.
    if (!drag && event.pointerType !== "touch") onHover(null);
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" && !layer.contains(/** @type {Node} */ (event.target))) onHover(null);
  });
  layer.addEventListener("dblclick", () => onReset());

  function end() {
    if (drag && layer.hasPointerCapture(drag.id)) layer.releasePointerCapture(drag.id);
    drag = null;
    band.hidden = true;
  }

  /** @param {At} from @param {At} to */
  function showBand(from, to) {
    const { width, height } = size();
    const flat = Math.abs(to.top - from.top) < MIN_HEIGHT;
    const [x0, x1] = stretch(from.left / width, to.left / width);
    const [y0, y1] = flat ? [0, 1] : stretch(from.top / height, to.top / height);
    band.hidden = Math.abs(to.left - from.left) < MIN_DRAG;
    band.style.left = `${x0 * width}px`;
    band.style.width = `${(x1 - x0) * width}px`;
    band.style.top = `${y0 * height}px`;
    band.style.height = `${(y1 - y0) * height}px`;
  }

  return {
    /** Whether a drag is in progress. */
    busy: () => drag !== null,
    cancel: end,
  };
}

/** @param {number} a @param {number} b @returns {[number, number]} */
function stretch(a, b) {
  const inside = (/** @type {number} */ share) => Math.min(1, Math.max(0, share));
  return [inside(Math.min(a, b)), inside(Math.max(a, b))];
}
