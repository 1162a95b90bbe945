// Where an address leads to a part of a page that is still growing.

/** How long the page may still grow, in milliseconds. */
const SETTLING = 5000;

/** Scrolls to an element, and again while the page grows, unless the user does something. @param {HTMLElement} element */
export function keepInView(element) {
  const stop = new AbortController();
  const grown = new ResizeObserver(() => element.scrollIntoView({ block: "start" }));
  grown.observe(document.body);
  stop.signal.addEventListener("abort", () => grown.disconnect());
  for (const event of ["wheel", "touchmove", "keydown", "pointerdown"])
    addEventListener(event, () => stop.abort(), { passive: true, signal: stop.signal });
  setTimeout(() => stop.abort(), SETTLING);
}
