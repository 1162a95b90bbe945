// How much training changed the weights of a layer: weights that hardly moved look like the noise that they began as.

import { h, setText } from "../lib/dom.js";
import { numbers } from "./cache.js";
import { keptIn } from "./film-keeps.js";

/** @import { Layer, Sheet, Tile } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

/** Pictures whose tiles are the weights themselves, and not norms of them. */
const PLAIN = new Set(["neurons", "heatmap", "rgb", "kernels"]);

/** Below these shares of their size, weights have hardly moved, or are still largely what they began as. */
const HARDLY = 0.1;
const LARGELY = 0.5;
/** Beside a larger change, nothing is left of what weights began as. */
const LOST = 0.95;

/** The size of a change beside that of the weights, over the tiles that both pages have. @param {Tile[]} change @param {Tile[]} weights */
export function shareChanged(change, weights) {
  const norms = new Map(weights.map(({ index, norm }) => [index, norm]));
  let [changed, whole] = [0, 0];
  for (const { index, norm } of change) {
    const of = norms.get(index);
    if (of === undefined) continue;
    changed += norm ** 2;
    whole += of ** 2;
  }
  return whole > 0 ? Math.sqrt(changed / whole) : null;
}

/** A change in words. @param {number} share of the weights' size @param {boolean} [diverged] whether the run did */
export function changeWords(share, diverged = false) {
  if (diverged) return "This run diverged: its weights grew without bound, and what they had learned is lost.";
  const size = share < 0.01 ? "less than 1%" : `about ${(share * 100).toFixed(0)}%`;
  if (share < HARDLY)
    return `Training has hardly moved these weights, by ${size} of their size: what you see is the start, and it looks like noise.`;
  if (share < LARGELY)
    return `Training changed these weights by ${size} of their size, so much of the pattern is still the start. The difference shows what was learned.`;
  return `Training changed these weights by ${size} of their size: most of the pattern was learned.`;
}

/** @param {InsideContext} context */
export function trainingNote(context) {
  const { state } = context;
  const words = h("p", { class: "small" });
  const button = h("button", { class: "button small", type: "button", on: { click: turn } });
  const element = h("div", { class: "training-note", hidden: true }, words, button);

  const isDifference = () => context.since === "0";

  function turn() {
    state.set(isDifference() ? { beside: null } : { beside: "0", compared: "change" });
  }

  /**
   * @param {Layer} layer
   * @param {Sheet} about what is shown
   * @param {() => boolean} isCurrent
   */
  async function update(layer, about, isCurrent) {
    const began = context.film?.frames.some(({ name }) => name === "0") ?? false;
    const isOther = context.beside !== null && !isDifference();
    const shows = began && !isOther && PLAIN.has(about.kind) && state.now.filter === null;
    element.hidden = !shows;
    if (!shows) return;
    // The note keeps its place while the film plays.
    const isStart = context.checkpoint === "0";
    button.disabled = isStart;
    if (isStart) {
      setText(words, "Before training: these are the weights that training begins with, drawn at random.");
      return;
    }
    setText(button, isDifference() ? "Show the weights" : "Show the difference from the start");
    const path = `layers/${encodeURIComponent(layer.name)}/filters`;
    const one = context.of();
    const start = context.of("0");
    try {
      // Of a layer that the film keeps in part, only frames can be subtracted from each other.
      const kept = await keptIn(context, "0", layer, "filters");
      if (kept === "nothing" || (kept === "part" && !context.filming)) {
        if (isCurrent()) element.hidden = true;
        return;
      }
      /** @type {[Sheet, Sheet]} */
      const [change, weights] = await Promise.all([
        numbers(one.run, path, { ...one.query, v: null, sort: "index", minus: "0" }, `${one.stamp} ${start.stamp}`),
        numbers(one.run, path, { ...one.query, sort: "index" }, one.stamp),
      ]);
      if (!isCurrent()) return;
      const share = shareChanged(change.tiles, weights.tiles);
      element.hidden = share === null;
      if (share !== null) setText(words, changeWords(share, context.run.reason === "diverged" && share > LOST));
    } catch {
      // The picture itself is shown all the same.
      if (isCurrent()) element.hidden = true;
    }
  }

  return { element, update };
}
