// Suspected mistakes by keyboard: arrows move from image to image, Tab reaches one of them, and a key decides about it.

import { h } from "../lib/dom.js";

/** @import { Card } from "./issue-groups.js" */

/** What can be done about an image, and the key for it. */
const ACTIONS = /** @type {const} */ ([
  { act: "relabel", key: "Enter", words: "Relabel" },
  { act: "keep", key: "K", words: "Keep" },
  { act: "exclude", key: "X", words: "Exclude" },
  { act: "undo", key: "U", words: "Undo" },
]);

/** Which key gives an image a class: 1 the first, 0 the tenth. More classes than that have none. */
const DIGITS = "1234567890";

/** What can be done by which key. @param {string[]} classes */
export function keysHelp(classes) {
  const hasDigits = classes.length > 2 && classes.length <= DIGITS.length;
  return h(
    "p",
    { class: "muted small issue-keys" },
    ...ACTIONS.map(({ key, words }) => keyWords(key, words)),
    keyWords("← →", "Move"),
    hasDigits && classes.map((word, at) => keyWords(DIGITS[at], word)),
  );
}

/** @param {string} key @param {string} words */
const keyWords = (key, words) => h("span", {}, h("kbd", {}, key), words);

/** @param {string[]} classes */
export function issueKeys(classes) {
  /** @type {Card[]} */
  let cards = [];
  /** The image that something was done about last. @type {Card | null} */
  let latest = null;

  /** Tab reaches one card. @param {number} at */
  function reach(at) {
    if (at >= 0) cards.forEach((card, place) => card.setReached(place === at));
  }

  /** Where an arrow leads from an image. @param {string} arrow @param {Card["element"]} from */
  function neighbour(arrow, from) {
    const seen = cards.filter(isSeen).map((card) => card.element);
    const at = seen.indexOf(from);
    if (arrow === "ArrowRight") return seen[at + 1];
    if (arrow === "ArrowLeft") return seen[at - 1];
    const top = from.offsetTop;
    const row =
      arrow === "ArrowDown"
        ? seen.find(({ offsetTop }) => offsetTop > top)?.offsetTop
        : seen.findLast(({ offsetTop }) => offsetTop < top)?.offsetTop;
    const away = (/** @type {HTMLElement} */ { offsetLeft }) => Math.abs(offsetLeft - from.offsetLeft);
    return seen.filter(({ offsetTop }) => offsetTop === row).sort((a, b) => away(a) - away(b))[0];
  }

  /** @param {KeyboardEvent} event */
  function keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const focused = cards.find(({ element }) => element === event.target);
    if (!focused) return;
    if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      neighbour(event.key, focused.element)?.focus();
      return;
    }
    const digit = DIGITS.indexOf(event.key);
    if (digit >= 0 && digit < classes.length && classes.length <= DIGITS.length) {
      event.preventDefault();
      if (!event.repeat) focused.give(digit);
      return;
    }
    const action = ACTIONS.find(({ key }) => key.toLowerCase() === event.key.toLowerCase())?.act;
    if (!action) return;
    event.preventDefault();
    // A key that is held means one image.
    if (event.repeat) return;
    // The focus has gone on by then.
    const card = action === "undo" && focused.isOpen() ? latest : focused;
    card?.act(action);
    if (action === "undo") card?.element.focus();
  }

  return {
    /** What the element around the cards listens to. */
    on: {
      keydown,
      focusin: (/** @type {FocusEvent} */ { target }) =>
        reach(cards.findIndex(({ element }) => element.contains(/** @type {Node} */ (target)))),
    },
    /** @param {Card[]} shown */
    start(shown) {
      cards = shown;
      latest = null;
      reach(0);
    },
    /** Moves from an image about which something is done to the next one, if it had the focus. @param {number} sample */
    goOn(sample) {
      const at = cards.findIndex((card) => card.issue.sample === sample);
      const card = cards[at];
      if (card.isOpen()) latest = card;
      if (!card.element.contains(document.activeElement)) return;
      const next = card.isOpen() ? cards.slice(at + 1).find((each) => each.isOpen() && isSeen(each)) : card;
      (next ?? card).element.focus();
    },
  };
}

/** Whether a card is not folded away. @param {Card} card */
const isSeen = ({ element }) => element.checkVisibility();
