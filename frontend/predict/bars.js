// Classes as bars.

import { h, setText } from "../lib/dom.js";
import { formatNumber, percent } from "../lib/format.js";

/** @import { ClassScore } from "./view.js" */

/** With more classes than this, the likeliest are shown. */
const ALL_CLASSES = 12;

/** How many classes are shown of more. */
const LIKELIEST = 8;

/**
 * The bars of an answer that changes from moment to moment: they keep their places where all classes fit.
 * @param {ClassScore[]} top the likeliest first @param {number} classes how many there are
 */
export function inOrder(top, classes) {
  return classes <= ALL_CLASSES ? top.toSorted((a, b) => a.class - b.class) : top.slice(0, LIKELIEST);
}

/** The length of a class's bar: its probability, or its share of the largest score. @param {ClassScore[]} top */
function sharesOf(top) {
  const most = Math.max(...top.map(({ score }) => Math.abs(score)), 1e-9);
  return top.map(({ probability, score }) => probability ?? Math.max(0, score / most));
}

/** @param {ClassScore} scored */
export const valueText = ({ probability, score }) =>
  probability === null ? formatNumber(score) : percent(probability);

/** A bar for each class, which moves when it is shown anew. */
export function classBars() {
  const element = h("ol", { class: "class-bars" });
  /** By class. @type {Map<number, { item: HTMLElement, value: HTMLElement, bar: HTMLElement }>} */
  const rows = new Map();
  return {
    element,
    /**
     * @param {ClassScore[]} top in the order of the bars
     * @param {{ best?: number | null, truth?: number | null }} [classes] `best` stands out; `truth` is the right one, where it
     *   is known
     */
    show(top, { best = top[0]?.class ?? null, truth = null } = {}) {
      const shares = sharesOf(top);
      top.forEach((scored, place) => {
        let row = rows.get(scored.class);
        if (!row) {
          const value = h("span", { class: "value" });
          const bar = h("i");
          const name = h("span", { class: "name", title: scored.name }, scored.name);
          row = { item: h("li", {}, name, bar, value), value, bar };
          rows.set(scored.class, row);
        }
        setText(row.value, valueText(scored));
        row.item.title = `score ${formatNumber(scored.score)}`;
        row.bar.style.setProperty("--share", String(shares[place]));
        row.item.classList.toggle("best", scored.class === best);
        row.item.classList.toggle("truth", scored.class === truth);
        if (element.children[place] !== row.item) element.insertBefore(row.item, element.children[place] ?? null);
      });
      while (element.children.length > top.length) element.lastElementChild?.remove();
      for (const [name, { item }] of rows) if (!item.isConnected && !element.contains(item)) rows.delete(name);
    },
  };
}
