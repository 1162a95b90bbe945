// Which suspected labels are shown: all, or those of one class that the networks take for another. All pairs of classes are
// in a list; where there is room, the most frequent are buttons, too.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";

/** @import { ClassPair, LabelIssues } from "../lib/types" */

/** Two classes. @typedef {Pick<ClassPair, "label" | "suggested">} Pair */

/** So many pairs are buttons, and so many on a phone, too. */
const BUTTONS = 4;
const FEW = 2;

/** @param {string[]} classes @param {() => void} onChange */
export function pairFilter(classes, onChange) {
  /** @type {Pair | null} */
  let pair = null;
  const element = h("div", { class: "pair-filter", role: "group", "aria-label": "Labelled → suggested" });

  /** @param {Pair | null} next */
  function choose(next) {
    pair = next;
    onChange();
  }

  /** @param {ClassPair | null} of @param {string} words */
  function button(of, words) {
    const isChosen = of === null ? pair === null : isSame(of, pair);
    return h(
      "button",
      { class: "button small", type: "button", "aria-pressed": String(isChosen), on: { click: () => choose(of) } },
      words,
    );
  }

  /** @param {ClassPair[]} offered */
  function list(offered) {
    const select = h(
      "select",
      {
        class: offered.length > BUTTONS ? "select small" : "select small all-are-buttons",
        "aria-label": "Pair of classes",
        on: { change: () => choose(offered[Number(select.value)] ?? null) },
      },
      h("option", { value: -1 }, "Pairs of classes…"),
      ...offered.map((each, value) => h("option", { value, selected: isSame(each, pair) }, wordsOf(each))),
    );
    return select;
  }

  /** @param {ClassPair} of */
  const wordsOf = ({ label, suggested, open }) => `${classes[label]} → ${classes[suggested]} (${count(open)})`;

  return {
    element,
    /** The pair that is shown; `null`: all. */
    chosen: () => pair,
    reset() {
      pair = null;
    },
    /** @param {LabelIssues} found */
    show({ pairs, open }) {
      // What is chosen stays there when all of it is checked.
      const offered = pair && !pairs.some((each) => isSame(each, pair)) ? [...pairs, { ...pair, open: 0 }] : pairs;
      element.classList.toggle("few", offered.length <= FEW);
      element.hidden = pair === null && pairs.length < 2;
      element.replaceChildren(
        h("span", { class: "muted small", "aria-hidden": "true" }, "Labelled → suggested"),
        button(null, `All (${count(open)})`),
        ...offered.slice(0, BUTTONS).map((each) => button(each, wordsOf(each))),
        list(offered),
      );
    },
    /** How many suspects are open of what is shown. @param {LabelIssues} found */
    openOf: ({ pairs, open }) => (pair === null ? open : (pairs.find((each) => isSame(each, pair))?.open ?? 0)),
  };
}

/** @param {Pair} a @param {Pair | null} b */
const isSame = (a, b) => a.label === b?.label && a.suggested === b?.suggested;
