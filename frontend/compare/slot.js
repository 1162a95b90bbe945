// Places of a page whose content is made anew as results arrive.

/** What slots were filled with. @type {WeakMap<HTMLElement, Node>} */
const filled = new WeakMap();

/**
 * Replaces the content of a slot, unless it is equal: that keeps scroll position and focus.
 * @param {HTMLElement} slot
 * @param {HTMLElement | null} next
 */
export function fill(slot, next) {
  slot.hidden = next === null;
  // The content itself changes as it is scrolled.
  if (next && filled.get(slot)?.isEqualNode(next)) return;
  if (next) filled.set(slot, next.cloneNode(true));
  else filled.delete(slot);
  slot.replaceChildren(...(next ? [next] : []));
}
