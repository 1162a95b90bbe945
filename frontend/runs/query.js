// Completion of searches in the runs table: `network:vgg16 accuracy>0.9 tag:final "two words" -status:failed`. The server
// reads them.

import { shortName } from "../lib/settings-diff.js";

/** @import { RunFacets } from "../lib/types" */

/** Numeric fields. */
const NUMBER_FIELDS = [
  "accuracy",
  "test",
  "loss",
  "train_loss",
  "train_accuracy",
  "parameters",
  "seconds",
  "memory",
  "speed",
  "epoch",
  "step",
];

/** Text fields, with the values that they have. @type {Map<string, (facets: RunFacets) => string[]>} */
const TEXT_FIELDS = new Map(
  /** @type {[string, (facets: RunFacets) => string[]][]} */ ([
    ["name", () => []],
    [
      "status",
      () => [
        "diverged",
        "failed",
        "finished",
        "interrupted",
        "queued",
        "running",
        "stopped",
        "stopped early",
        "stopping",
      ],
    ],
    ["network", (facets) => valuesAt(facets, "network.kind")],
    ["data", (facets) => valuesAt(facets, "data.set")],
    ["source", ({ sources }) => sources],
    ["tag", ({ tags }) => tags],
    ["notes", () => []],
    ["sweep", ({ sweeps }) => sweeps],
    ["id", () => []],
  ]),
);

/** @param {RunFacets} facets @param {string} path */
const valuesAt = ({ settings }, path) =>
  settings.filter((setting) => setting.path === path).flatMap(({ values }) => values.map(String));

/** The last part of a setting's path in lower case: "training.optimizer.lr" → "lr". @param {string} path */
function lastPart(path) {
  return shortName(path).replaceAll(" ", "_");
}

/** All field names, including the settings that runs have. @param {RunFacets} facets */
export function fieldNames({ settings }) {
  const names = new Set(settings.map(({ path }) => lastPart(path)));
  for (const known of [...NUMBER_FIELDS, ...TEXT_FIELDS.keys()]) names.delete(known);
  return [...TEXT_FIELDS.keys(), ...NUMBER_FIELDS, ...[...names].sort()];
}

/**
 * The values that a field has.
 * @param {RunFacets} facets
 * @param {string} field
 * @returns {string[]}
 */
export function fieldValues(facets, field) {
  if (NUMBER_FIELDS.includes(field)) return [];
  const found =
    TEXT_FIELDS.get(field)?.(facets) ??
    facets.settings.filter(({ path }) => lastPart(path) === field).flatMap(({ values }) => values.map(String));
  return [...new Set(found)].sort().slice(0, 40);
}

/**
 * Splits a text into words with positions; quotes group words.
 * @param {string} text
 * @returns {{ text: string, from: number, to: number }[]}
 */
export function tokenize(text) {
  const found = [];
  const pattern = /-?(?:[\w.]+(?:>=|<=|!=|[:=<>]))?"[^"]*"?|\S+/g;
  for (const match of text.matchAll(pattern))
    found.push({ text: match[0], from: match.index, to: match.index + match[0].length });
  return found;
}

/** @param {string} text */
function unquoted(text) {
  return text.replace(/^"|"$/g, "");
}

/**
 * Completions for the last term of a text.
 * @param {string} text
 * @param {RunFacets} facets
 * @returns {string[]}
 */
export function complete(text, facets) {
  const words = tokenize(text);
  const last = text === "" || /\s$/.test(text) ? "" : (words[words.length - 1]?.text ?? "");
  const before = text.slice(0, text.length - last.length);
  const sign = last.startsWith("-") ? "-" : "";
  const word = last.slice(sign.length);
  const match = word.match(/^([\w.]+)([:=])(.*)$/);
  if (match) {
    const [, field, operator, start] = match;
    const wanted = unquoted(start).toLocaleLowerCase();
    const quote = (/** @type {string} */ value) => (/\s/.test(value) ? `"${value}"` : value);
    return fieldValues(facets, field.toLocaleLowerCase())
      .filter((value) => value.toLocaleLowerCase().startsWith(wanted))
      .slice(0, 12)
      .map((value) => `${before}${sign}${field}${operator}${quote(value)}`);
  }
  if (word === "" && before !== "") return [];
  return fieldNames(facets)
    .filter((name) => name.startsWith(word.toLocaleLowerCase()))
    .slice(0, 12)
    .map((name) => `${before}${sign}${name}${NUMBER_FIELDS.includes(name) ? ">" : ":"}`);
}
