// A figure in a few words, for its card in the editor: of which runs it is, and what is chosen.

import { readBlock } from "./block.js";
import { kindNamed, valuesOf } from "./figures/index.js";
import { listOf, runsTitle } from "./figures/members.js";

/** @import { Sources } from "./sources.js" */
/** @import { Field, Kind } from "./figures/index.js" */

/** `name`: what the text calls it by. @typedef {{ title: string, runs: string, chosen: string, caption: string, name: string }} FigureWords */

/** Fields that are told elsewhere on the card. */
const TOLD = new Set(["runs", "run", "caption", "name"]);

/**
 * @param {string} kindName
 * @param {string} written the lines of the block
 * @param {Sources} sources
 * @returns {Promise<FigureWords>}
 */
export async function figureWords(kindName, written, sources) {
  const kind = kindNamed(kindName);
  const { settings } = readBlock(kindName, written);
  const values = valuesOf(kind, settings);
  const chosen = kind.fields.flatMap((field) => {
    const value = values[field.name];
    // What a figure shows is told even where it is the default.
    const isTold = field.type === "several" || value !== field.value;
    return TOLD.has(field.name) || value === "" || !isTold ? [] : [valueWords(field, value)];
  });
  return {
    title: kind.title,
    runs: await runsWords(kind, values, sources),
    chosen: chosen.join(" · "),
    caption: values.caption,
    name: values.name,
  };
}

/** @param {Kind} kind @param {{ [name: string]: string }} values @param {Sources} sources */
async function runsWords(kind, values, sources) {
  const several = kind.fields.some(({ type }) => type === "runs");
  const runs = several ? await sources.runsOf(values.runs) : [await sources.runOf(values.run)];
  return runsTitle(runs).replace(/[“”]/g, "");
}

/** @param {Field} field @param {string} value */
function valueWords({ label, type, options = [] }, value) {
  const optionWords = (/** @type {string} */ one) => options.find(([known]) => known === one)?.[1] ?? one;
  switch (type) {
    case "several": {
      const [first, ...others] = listOf(value).map(optionWords);
      return [first, ...others.map((words) => words.toLowerCase())].join(", ");
    }
    case "choice":
      return optionWords(value);
    case "layer":
      return value.charAt(0).toUpperCase() + value.slice(1);
    case "image":
      return imageWords(value);
    case "checkpoint":
      return value === "last" ? "Last epoch" : value === "best" ? "Best epoch" : `Epoch ${value}`;
    default:
      return `${label} ${value}`;
  }
}

/** An image in words; an uploaded one has only an id. @param {string} image */
export function imageWords(image) {
  const [, split, index] = /^(\w+):(\d+)$/.exec(image) ?? [];
  if (split) return `Sample ${index} of the ${split} split`;
  return image === "pinned" ? "Pinned image" : "Uploaded image";
}
