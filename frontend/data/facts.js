// What is in a data set, in a line of facts: how many samples for training and the test, of which shape.

import { copyButton } from "../lib/code.js";
import { h } from "../lib/dom.js";
import { count, formatNumber } from "../lib/format.js";
import { setUrl } from "./open-sets.js";
import { pointSettings } from "./points.js";

/** @import { DataSet } from "../lib/types" */

/** The share of the samples that are for the test where a set does not say which. */
const TEST = 0.2;

/** How many samples are for training and the test. @param {number} samples @param {number | null} [train] as the set defines it */
export function splitOf(samples, train = null) {
  const learnt = train ?? samples - Math.max(1, Math.round(samples * TEST));
  return { train: learnt, test: samples - learnt };
}

/** "8×8 grey": what runs take unless told otherwise. @param {DataSet} set */
function shapeOf({ about, fields }) {
  const value = (/** @type {string} */ path) =>
    JSON.parse(fields.find((field) => field.path === path)?.default ?? "null");
  const side = about?.side ?? value("data.size");
  const words = (about?.channels ?? value("data.channels")) === 1 ? "grey" : "colour";
  return `${side}×${side} pixels, ${words}`;
}

/** @param {DataSet} set @param {number} samples @returns {[string, string][]} */
export function factsOf(set, samples) {
  const { train, test } = splitOf(samples, set.about?.train);
  const isPoints = set.dimensions === 2;
  return [
    [isPoints ? "Points" : "Images", count(samples)],
    ["Training", count(train)],
    ["Test", count(test)],
    isPoints
      ? ["Noise", formatNumber(pointSettings(set).noise)]
      : [set.about?.photos ? "Size in runs" : "Shape", shapeOf(set)],
  ];
}

/** @param {DataSet} set @param {number} samples in all */
export function factList(set, samples) {
  const url = setUrl(set.set);
  const address = [
    h("a", { href: url }, url),
    copyButton(`Copy the address of ${set.title}`, () => new URL(url, location.href).href),
  ];
  const entry = (/** @type {string} */ name, /** @type {import("../lib/dom.js").Child[]} */ ...value) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, ...value));
  return h(
    "dl",
    { class: "set-figures" },
    ...factsOf(set, samples).map(([name, value]) => entry(name, value)),
    entry("Address", ...address),
  );
}
