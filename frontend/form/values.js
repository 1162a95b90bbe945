// Converts between typed text and RunSpec values. Text that is not a number is sent as typed: the server then says what
// is allowed, and nothing is silently changed.

/** @import { Field, FieldKind, Json } from "../lib/types" */

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A control's value: text, or the state of a switch. @typedef {string | boolean} Typed */

/** @param {Field} field @param {Typed} typed @returns {Json} */
export function toValue(field, typed) {
  if (typeof typed === "boolean") return typed;
  const text = typed.trim();
  if (text === "" && field.null_label !== undefined) return null;
  switch (field.kind.type) {
    case "integer":
    case "number":
      return number(typed);
    case "integers":
      return text === "" ? [] : list(text);
    default:
      return typed;
  }
}

const PAIR = /[([]\s*([^,()[\]]+),\s*([^,()[\]]+?)\s*[)\]]/g;

/** A list of numbers, or of pairs: “64, 128” or “(64, 128), (128, 256)”. @param {string} text @returns {Json[]} */
function list(text) {
  const pairs = [...text.matchAll(PAIR)];
  // What is left beside pairs are commas and the brackets around all.
  if (pairs.length > 0 && /^[\s,[\]()]*$/.test(text.replace(PAIR, "")) && !/^\[[^[(]*\]$/.test(text))
    return pairs.map(([, from, to]) => [number(from), number(to)]);
  return text
    .replace(/^\[|\]$/g, "")
    .split(",")
    .map(number);
}

/** @param {string} typed @returns {number | string} */
function number(typed) {
  const text = typed.trim();
  if (!NUMBER.test(text)) return typed.trim();
  const value = Number(text);
  // A number that JavaScript cannot represent would be sent as another one.
  const isExact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  return isExact ? value : text;
}

/** A value as its control's content. @param {Field} field @param {Json} value @returns {Typed} */
export function toText(field, value) {
  if (field.kind.type === "switch") return value === true;
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(String).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** How a list is typed; empty for what needs no words. @param {FieldKind} kind */
export function formatText(kind) {
  if (kind.type !== "integers") return "";
  return kind.pairs ? "Numbers with commas between, or pairs such as (64, 128)." : "Numbers with commas between.";
}
