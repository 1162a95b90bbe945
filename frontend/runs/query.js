// The query language for runs: `network:vgg16 accuracy>0.9 tag:final "two words" -status:failed`. A run must match all
// terms. `name:text` matches fields that contain the text, `name=value` fields that equal it, and `name<number` and so
// on compare; a minus negates a term. A term without a field searches the whole row.

import { settingsOf, shortName } from "../lib/settings-diff.js";
import { stateOf } from "../lib/status.js";

/** @import { Run } from "../lib/types" */

/** @typedef {(run: Run) => boolean} Test */
/** An error in a term, with its position. @typedef {{ from: number, to: number, message: string }} Fault */
/** @typedef {{ test: Test, faults: Fault[] }} Query */

/** Numeric fields. @type {{ [name: string]: (run: Run) => number | null }} */
const NUMBER_FIELDS = {
  accuracy: ({ summary }) => summary.best_validation_accuracy,
  test: ({ summary }) => summary.test_accuracy,
  loss: ({ summary }) => summary.validation_loss,
  train_loss: ({ summary }) => summary.train_loss,
  train_accuracy: ({ summary }) => summary.train_accuracy,
  parameters: ({ summary }) => summary.parameters,
  seconds: ({ summary }) => summary.seconds,
  memory: ({ summary }) => summary.peak_memory_bytes,
  speed: ({ summary }) => summary.images_per_s,
  epoch: ({ summary }) => summary.epoch,
  step: ({ summary }) => summary.step,
};

/** Text fields. @type {{ [name: string]: (run: Run) => string[] }} */
const TEXT_FIELDS = {
  name: (run) => [run.name],
  status: (run) => [run.status, stateOf(run).word],
  network: (run) => (run.spec.network ? [run.spec.network.kind] : []),
  data: (run) => (run.spec.data ? [run.spec.data.set] : []),
  source: (run) => [run.source?.kind ?? "vivarium"],
  tag: (run) => run.tags,
  notes: (run) => [run.notes],
  sweep: (run) => (run.sweep ? [run.sweep] : []),
  id: (run) => [run.id],
};

/** The units of numbers and their factors. @type {{ [unit: string]: number }} */
const UNITS = {
  "": 1,
  "%": 0.01,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  s: 1,
  min: 60,
  h: 3600,
  kib: 1024,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** The last part of a setting's path in lower case: "training.optimizer.lr" → "lr". @param {string} path */
function lastPart(path) {
  return shortName(path).replaceAll(" ", "_");
}

/** All field names, including the settings of these runs. @param {Run[]} runs */
export function fieldNames(runs) {
  const paths = new Set(runs.flatMap((run) => [...settingsOf(run).keys()]));
  const settings = new Set([...paths].map(lastPart));
  for (const known of [...Object.keys(NUMBER_FIELDS), ...Object.keys(TEXT_FIELDS)]) settings.delete(known);
  return [...Object.keys(TEXT_FIELDS), ...Object.keys(NUMBER_FIELDS), ...[...settings].sort()];
}

/**
 * The values that a field has in these runs.
 * @param {Run[]} runs
 * @param {string} field
 * @returns {string[]}
 */
export function fieldValues(runs, field) {
  if (field in NUMBER_FIELDS || field === "name" || field === "notes" || field === "id") return [];
  const values = new Set(
    runs.flatMap((run) => (field in TEXT_FIELDS ? TEXT_FIELDS[field](run) : settingValues(run, field).map(String))),
  );
  return [...values].sort().slice(0, 40);
}

/** @param {Run} run @param {string} field */
function settingValues(run, field) {
  return [...settingsOf(run)].filter(([path]) => lastPart(path) === field).map(([, value]) => value);
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

/** @param {string} text @param {Run[]} runs all runs, which define the available settings @returns {Query} */
export function parse(text, runs) {
  /** @type {Test[]} */
  const tests = [];
  /** @type {Fault[]} */
  const faults = [];
  const names = fieldNames(runs);
  for (const { text: word, from, to } of tokenize(text)) {
    const made = term(word, names);
    if (typeof made === "string") faults.push({ from, to, message: made });
    else tests.push(made);
  }
  return { test: (run) => tests.every((test) => test(run)), faults };
}

/**
 * Parses a term; a string is an error message.
 * @param {string} word
 * @param {string[]} names
 * @returns {Test | string}
 */
function term(word, names) {
  if (word.startsWith("-") && word.length > 1 && !/^-\d/.test(word)) {
    const inner = term(word.slice(1), names);
    return typeof inner === "string" ? inner : (run) => !inner(run);
  }
  const match = word.match(/^([A-Za-z_][\w.]*)(>=|<=|!=|[:=<>])(.*)$/);
  if (!match) return textTest(unquoted(word));
  const [, field, operator, rest] = match;
  const value = unquoted(rest);
  const name = field.toLocaleLowerCase();
  if (!names.includes(name)) return `There is no field “${field}”. ${suggest(name, names)}`;
  if (value === "") return `“${field}${operator}” needs a value.`;
  if (operator === "!=") {
    const equal = term(`${field}="${value}"`, names);
    return typeof equal === "string" ? equal : (run) => !equal(run);
  }
  if (name in NUMBER_FIELDS) return numberTest(NUMBER_FIELDS[name], name, operator, value);
  if (operator === "<" || operator === ">" || operator === "<=" || operator === ">=") {
    if (name in TEXT_FIELDS) return `“${name}” is text: use “:” or “=”, not “${operator}”.`;
    const bound = parseNumber(value);
    if (bound === null) return `“${value}” is not a number.`;
    return (run) =>
      settingValues(run, name).some((found) => typeof found === "number" && compare(found, operator, bound));
  }
  const wanted = value.toLocaleLowerCase();
  const has = (/** @type {string} */ found) =>
    operator === ":" ? found.toLocaleLowerCase().includes(wanted) : found.toLocaleLowerCase() === wanted;
  if (name in TEXT_FIELDS) return (run) => TEXT_FIELDS[name](run).some(has);
  const asNumber = parseNumber(value);
  return (run) =>
    settingValues(run, name).some((found) => (typeof found === "number" ? found === asNumber : has(String(found))));
}

/**
 * @param {(run: Run) => number | null} of
 * @param {string} name
 * @param {string} operator
 * @param {string} value
 * @returns {Test | string}
 */
function numberTest(of, name, operator, value) {
  let bound = parseNumber(value);
  if (bound === null) return `“${value}” is not a number. Use “${name}>0.9” or “${name}<=5k”.`;
  // An accuracy above 1 is meant as a percentage.
  if (
    (name === "accuracy" || name === "test" || name === "train_accuracy") &&
    bound > 1 &&
    bound <= 100 &&
    !value.endsWith("%")
  )
    bound /= 100;
  return (run) => {
    const found = of(run);
    return found !== null && compare(found, operator, /** @type {number} */ (bound));
  };
}

/** @param {number} a @param {string} operator @param {number} b */
function compare(a, operator, b) {
  switch (operator) {
    case ">":
      return a > b;
    case "<":
      return a < b;
    case ">=":
      return a >= b;
    case "<=":
      return a <= b;
    default:
      return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
  }
}

/** Parses a number with its unit; null if it is not one. @param {string} text */
export function parseNumber(text) {
  const match = text.match(/^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-z%]*)$/i);
  const unit = match ? UNITS[match[2].toLocaleLowerCase()] : undefined;
  return match && unit !== undefined ? Number(match[1]) * unit : null;
}

/** @param {string} text @returns {Test} */
function textTest(text) {
  const wanted = text.toLocaleLowerCase();
  return (run) => {
    const { network, data, training } = run.spec;
    const optimizer = /** @type {any} */ (training)?.optimizer?.kind ?? "";
    return [
      run.name,
      run.notes,
      stateOf(run).word,
      network?.kind ?? "",
      data?.set ?? "",
      network?.activation ?? "",
      optimizer,
      run.source?.kind ?? "",
      ...run.tags,
    ]
      .join(" ")
      .toLocaleLowerCase()
      .includes(wanted);
  };
}

/** @param {string} text */
function unquoted(text) {
  return text.replace(/^"|"$/g, "");
}

/** @param {string} name @param {string[]} names */
function suggest(name, names) {
  const near = names
    .filter((known) => known.includes(name) || name.includes(known) || known[0] === name[0])
    .slice(0, 5);
  return `There are ${(near.length > 0 ? near : names.slice(0, 8)).join(", ")}${near.length > 0 ? "" : " and more"}.`;
}

/**
 * Completions for the last term of a text.
 * @param {string} text
 * @param {Run[]} runs
 * @returns {string[]}
 */
export function complete(text, runs) {
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
    return fieldValues(runs, field.toLocaleLowerCase())
      .filter((value) => value.toLocaleLowerCase().startsWith(wanted))
      .slice(0, 12)
      .map((value) => `${before}${sign}${field}${operator}${quote(value)}`);
  }
  if (word === "" && before !== "") return [];
  return fieldNames(runs)
    .filter((name) => name.startsWith(word.toLocaleLowerCase()))
    .slice(0, 12)
    .map((name) => `${before}${sign}${name}${name in NUMBER_FIELDS ? ">" : ":"}`);
}
