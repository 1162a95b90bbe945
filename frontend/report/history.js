// Undo and redo of the editor. Its fields and cards change together, which the browser's own undo cannot follow.

/** @typedef {{ text: string, cursor: number }} Moment a text and the place in it that was edited */

/** Keys pressed within this time are undone together. */
const TOGETHER_MS = 1000;
const MOST = 300;

/** @param {Moment} first @param {() => number} [clock] milliseconds */
export function history(first, clock = () => performance.now()) {
  let now = first;
  /** @type {Moment[]} */
  const past = [];
  /** @type {Moment[]} */
  let future = [];
  let last = Number.NEGATIVE_INFINITY;
  let wasTyping = false;

  return {
    /** Keeps a change. @param {Moment} next @param {boolean} typing whether keys in a row are one change */
    push(next, typing) {
      if (next.text === now.text) return;
      const time = clock();
      if (!(typing && wasTyping && time - last < TOGETHER_MS)) past.push(now);
      if (past.length > MOST) past.shift();
      now = next;
      future = [];
      last = time;
      wasTyping = typing;
    },
    /** @param {"undo" | "redo"} way @returns {Moment | null} what is shown then; null if there is nothing */
    go(way) {
      const next = (way === "undo" ? past : future).pop();
      if (!next) return null;
      (way === "undo" ? future : past).push(now);
      // The cursor goes to where the change was.
      const cursor = way === "undo" ? Math.min(now.cursor, next.text.length) : next.cursor;
      now = next;
      wasTyping = false;
      return { text: next.text, cursor };
    },
  };
}
