// What the page waits for while the server opens a network: its weights being read, or other requests.

import { getInspectProgress } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { bytes, plural } from "../lib/format.js";
import { watchWaiting } from "./cache.js";

/** @import { InspectProgress } from "../lib/types" */

/** Answers that take less are not commented. */
const PATIENCE_MS = 900;
/** The time between two questions. */
const EVERY_MS = 400;

/** @param {string} run */
export function openingNote(run) {
  const words = h("span", { class: "opening-words" });
  const bar = h("div", { class: "bar", data: { tone: "live" } }, h("span"));
  const element = h("div", { class: "card opening", role: "status", hidden: true }, words, bar);
  let waiting = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  watchWaiting((count) => {
    waiting = count;
    if (count > 0) timer ??= setTimeout(ask, PATIENCE_MS);
    else rest();
  });

  function rest() {
    clearTimeout(timer);
    timer = undefined;
    element.hidden = true;
  }

  async function ask() {
    const progress = await getInspectProgress(run).catch(() => null);
    if (waiting === 0) return rest();
    if (progress) show(progress);
    timer = setTimeout(ask, EVERY_MS);
  }

  /** @param {InspectProgress} progress */
  function show(progress) {
    const { text, share } = progressWords(progress, waiting);
    element.hidden = false;
    setText(words, text);
    bar.hidden = share === null;
    if (share !== null) bar.style.setProperty("--share", String(share));
  }

  return { element };
}

/**
 * What is waited for, and how much of it is done.
 * @param {InspectProgress} progress
 * @param {number} own requests of this page
 * @returns {{ text: string, share: number | null }}
 */
export function progressWords({ requests, reading }, own) {
  if (reading && reading.done < reading.of)
    return {
      text: `Reading the weights: ${bytes(reading.done)} of ${bytes(reading.of)}`,
      share: reading.done / Math.max(1, reading.of),
    };
  if (reading) return { text: "The weights are read. Setting up the network…", share: 1 };
  const others = requests - own;
  if (others > 0) return { text: `Waiting for ${plural(others, "other request")} to look into networks`, share: null };
  return { text: "Passing the image through the network…", share: null };
}
