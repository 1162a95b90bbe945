// Keyboard input on a chart: arrows move the cursor, + and - zoom, 0 resets.

/**
 * @typedef {{
 *   onMove: (by: number | "first" | "last") => void,
 *   onZoom: (factor: number) => void,
 *   onPan: (share: number) => void,
 *   onReset: () => void,
 *   onLeave: () => void,
 * }} Listeners
 */

export const KEYS_HELP = "Arrow keys move the cursor, with Alt they pan. Plus and minus zoom, 0 shows everything.";

/** @param {HTMLElement} element @param {Listeners} listeners */
export function keyboard(element, { onMove, onZoom, onPan, onReset, onLeave }) {
  element.addEventListener("keydown", (event) => {
    if (event.target !== element || event.ctrlKey || event.metaKey) return;
    const far = event.shiftKey ? 10 : 1;
    const side = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (side !== 0 && event.altKey) onPan(side * 0.1);
    else if (side !== 0) onMove(side * far);
    else if (event.key === "Home") onMove("first");
    else if (event.key === "End") onMove("last");
    else if (event.key === "+" || event.key === "=") onZoom(0.5);
    else if (event.key === "-" || event.key === "_") onZoom(2);
    else if (event.key === "0") onReset();
    else if (event.key === "Escape") onLeave();
    else return;
    event.preventDefault();
  });
  element.addEventListener("blur", onLeave);
}
