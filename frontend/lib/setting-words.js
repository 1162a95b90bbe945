// A setting and its value as part of a run's label: "batch size 16", "training samples at most all".

import { settingLabel, settingValue } from "./setting-labels.js";

/** @import { Json } from "./types" */

/** @param {string} text */
const lowered = (text) => text.charAt(0).toLowerCase() + text.slice(1);

/** @param {string} path @param {Json | undefined} value @param {string} [kind] the network */
export function settingWords(path, value, kind) {
  const label = settingLabel(path, kind);
  // Abbreviations such as GPUs keep their capitals.
  const name = /^[A-Z]{2}/.test(label) ? label : lowered(label);
  const words = settingValue(path, value);
  return `${name} ${typeof value === "string" ? words : lowered(words)}`;
}
