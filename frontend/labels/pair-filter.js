// Which suspected labels are shown: all, or those of one class that the networks take for another.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";

/** @import { ClassPair, LabelIssues } from "../lib/types" */

/** Two classes. @typedef {Pick<ClassPair, "label" | "suggested">} Pair */

/** @param {string[]} classes @param {() => void} onChange */
export function pairFilter(classes, onChange) {
  /** @type {Pair | null} */
  let pair = null;
  /** @type {ClassPair[]} */
  let offered = [];
  const select = h("select", {
    class: "select small",
    on: {
      change: () => {
        pair = offered[Number(select.value)] ?? null;
        onChange();
      },
    },
  });
  const element = h("label", { class: "pair-filter small" }, "Classes ", select);

  return {
    element,
    /** The pair that is shown; `null`: all. */
    chosen: () => pair,
    reset() {
      pair = null;
    },
    /** @param {LabelIssues} found */
    show({ pairs, open }) {
      const at = pairs.findIndex((each) => isSame(each, pair));
      // What is chosen stays chosen when all of it is checked.
      offered = pair && at < 0 ? [...pairs, { ...pair, open: 0 }] : pairs;
      element.hidden = pair === null && pairs.length < 2;
      select.replaceChildren(
        h("option", { value: -1 }, `all (${count(open)})`),
        ...offered.map(({ label, suggested, open }, value) =>
          h("option", { value }, `${classes[label]} → ${classes[suggested]} (${count(open)})`),
        ),
      );
      select.value = String(pair === null ? -1 : at < 0 ? pairs.length : at);
    },
    /** How many suspects are open of what is shown. @param {LabelIssues} found */
    openOf: ({ pairs, open }) => (pair === null ? open : (pairs.find((each) => isSame(each, pair))?.open ?? 0)),
  };
}

/** @param {Pair} a @param {Pair | null} b */
const isSame = (a, b) => a.label === b?.label && a.suggested === b?.suggested;
