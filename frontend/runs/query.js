// Completion of searches in the runs table: `network:vgg16 accuracy>0.9 tag:final "two words" -status:failed`. The server
// reads them.

import { shortName } from "../lib/settings-diff.js";

/** @import { RunFacets } from "../lib/types" */

/** The values of text fields that have some. @type {Map<string, (facets: RunFacets) => string[]>} */
const VALUES = new Map(
  /** @type {[string, (facets: RunFacets) => string[]][]} */ ([
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
    ["sweep", ({ sweeps }) => sweeps],
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
function fieldNames({ fields, settings }) {
  const known = fields.map(({ name }) => name);
  const names = new Set(settings.map(({ path }) => lastPart(path)));
  for (const name of known) names.delete(name);
  return [...known, ...[...names].sort()];
}

/** @param {RunFacets} facets @param {string} name */
const fieldNamed = ({ fields }, name) => fields.find((field) => field.name === name);

/**
 * The values that a field has.
 * @param {RunFacets} facets
 * @param {string} field
 * @returns {string[]}
 */
function fieldValues(facets, field) {
  const found = fieldNamed(facets, field)
    ? (VALUES.get(field)?.(facets) ?? [])
    : facets.settings.filter(({ path }) => lastPart(path) === field).flatMap(({ values }) => values.map(String));
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
    .map((name) => `${before}${sign}${name}${fieldNamed(facets, name)?.numeric ? ">" : ":"}`);
}
