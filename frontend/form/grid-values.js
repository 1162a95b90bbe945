// Values to compare as text: `16, 32, 64`, lists such as `64, 128; 32, 64`, or a range such as `0.0001..0.1 log 4`.

import { toValue } from "./values.js";

/** @import { Field, Json } from "../lib/types" */

/**
 * A range of numbers.
 * @typedef {{ from: number, to: number, count?: number, scale?: "linear" | "log" }} Range
 */

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`;
const RANGE = new RegExp(
  String.raw`^(${NUMBER})\s*(?:\.\.+|…|to)\s*(${NUMBER})((?:\s*[,\s]\s*(?:log|linear|\d+))*)$`,
  "i",
);

/** Parses a range; null if the text is not one. @param {string} text @returns {Range | null} */
export function parseRange(text) {
  const match = text.trim().match(RANGE);
  if (!match) return null;
  /** @type {Range} */
  const range = { from: Number(match[1]), to: Number(match[2]) };
  for (const word of match[3].split(/[,\s]+/).filter(Boolean)) {
    if (/^\d+$/.test(word)) range.count = Number(word);
    else range.scale = word.toLocaleLowerCase() === "log" ? "log" : "linear";
  }
  return range;
}

/**
 * Parses the values of a setting for the API; null for an empty text.
 * @param {Field} field
 * @param {string} text
 * @returns {Json[] | Range | null}
 */
export function parseGridValues(field, text) {
  const range = field.kind.type === "integer" || field.kind.type === "number" ? parseRange(text) : null;
  if (range) return range;
  const parts = text
    .split(field.kind.type === "integers" ? ";" : ",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const value = (/** @type {string} */ part) =>
    field.kind.type === "switch" && (part === "on" || part === "off") ? part === "on" : toValue(field, part);
  return parts.length > 0 ? parts.map(value) : null;
}

/** The number of values in a list or range. @param {Json[] | Range} axis */
export function valueCount(axis) {
  return Array.isArray(axis) ? axis.length : (axis.count ?? 4);
}

/** Formats a list or range as text. @param {Json[] | Range} axis */
export function formatGridValues(axis) {
  if (Array.isArray(axis)) return axis.map(formatValue).join(axis.some(Array.isArray) ? "; " : ", ");
  return `${axis.from}..${axis.to}${axis.scale === "log" ? " log" : ""} ${axis.count ?? 4}`;
}

/** @param {Json} value @returns {string} */
function formatValue(value) {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value)) return value.join(", ");
  if (value === null || typeof value !== "object") return String(value);
  return String(/** @type {any} */ (value).kind ?? JSON.stringify(value));
}
