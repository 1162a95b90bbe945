// The draft of a run: choices and typed values, and the RunSpec that they make. No DOM here. Typed values are kept by
// path when another choice hides their field, and are restored with it.

import { parseGridValues, valueCount } from "./grid-values.js";
import {
  NETWORK,
  chosenVariant,
  defaultOf,
  defaultVariant,
  fieldsOf,
  groupsFor,
  network,
  networksFor,
} from "./table.js";
import { toText, toValue } from "./values.js";

/** @import { Field, FormTable, Json, RunSpec, SweepSpec } from "../lib/types" */
/** @import { Range } from "./grid-values.js" */
/** @import { Choices } from "./table.js" */
/** @import { Typed } from "./values.js" */

/**
 * `rest` holds fields of a copied RunSpec that the form lacks: they are sent along for the server to check. `grid`
 * holds the values to compare, as typed, by path; `fixed` those of a copied sweep that the form has no field for;
 * `repeats` is the number of seeds per combination, and `trials`, if not empty, the number of random combinations.
 * `typedFor` holds what was typed for the options of networks that are not chosen now.
 * @typedef {Choices & { typed: { [path: string]: Typed }, rest: { [path: string]: Json }, grid: { [path: string]:
 *   string }, fixed: { [path: string]: Json[] | Range }, repeats: string, trials: string, typedFor?: { [kind: string]: {
 *   [path: string]: Typed } } }} Draft
 */

/** A draft with all defaults. @param {FormTable} table @returns {Draft} */
export function emptyDraft(table) {
  const set = table.data_sets.find((row) => row.set === "digits")?.set ?? table.data_sets[0]?.set ?? "";
  const networks = networksFor(table, set);
  const kind = networks.find((row) => row.kind === "mlp")?.kind ?? networks[0]?.kind ?? "";
  return { set, kind, variants: {}, typed: {}, rest: {}, grid: {}, fixed: {}, repeats: "1", trials: "" };
}

/**
 * The draft with a network, and with data that it takes.
 * @param {FormTable} table
 * @param {Draft} draft
 * @param {string | null} kind
 */
export function startingWith(table, draft, kind) {
  const row = network(table, kind ?? "");
  if (!row) return draft;
  draft.kind = row.kind;
  const fits = (/** @type {string} */ set) => networksFor(table, set).includes(row);
  const ready = table.data_sets.filter(({ state }) => state.kind !== "missing").map(({ set }) => set);
  if (!fits(draft.set)) draft.set = ready.find(fits) ?? draft.set;
  return draft;
}

/** The draft that makes a given RunSpec. @param {FormTable} table @param {RunSpec} spec @returns {Draft} */
export function draftOf(table, spec) {
  /** @type {Draft} */
  const draft = {
    set: spec.data.set,
    kind: spec.network.kind,
    variants: {},
    typed: {},
    rest: {},
    grid: {},
    fixed: {},
    repeats: "1",
    trials: "",
  };
  const taken = new Set(["data.set", "network.kind", "network.source", "network.revision"]);
  for (const group of table.groups) {
    const value = getAt(spec, group.path);
    if (value === undefined) continue;
    if (value === null) {
      draft.variants[group.path] = null;
      taken.add(group.path);
    } else if (group.selector) {
      const path = `${group.path}.${group.selector}`;
      const word = getAt(spec, path);
      if (typeof word === "string") {
        draft.variants[group.path] = word;
        taken.add(path);
      }
    } else {
      draft.variants[group.path] = "";
    }
  }
  for (const field of fieldsOf(table, draft)) {
    const value = getAt(spec, field.path);
    taken.add(field.path);
    if (value !== undefined) setField(table, draft, field, toText(field, value));
  }
  for (const [path, value] of leaves(/** @type {any} */ (spec))) {
    if (!taken.has(path)) draft.rest[path] = value;
  }
  return draft;
}

/**
 * The text in a field's control.
 * @param {FormTable} table
 * @param {Draft} draft
 * @param {Field} field
 * @returns {Typed}
 */
export function fieldText(table, draft, field) {
  return draft.typed[field.path] ?? toText(field, defaultOf(table, draft, field));
}

/** Whether a field differs from its default. @param {FormTable} table @param {Draft} draft @param {Field} field */
export function isChanged(table, draft, field) {
  return field.path in draft.typed && draft.typed[field.path] !== toText(field, defaultOf(table, draft, field));
}

/** Stores a typed value. @param {FormTable} table @param {Draft} draft @param {Field} field @param {Typed} typed */
export function setField(table, draft, field, typed) {
  if (typed === toText(field, defaultOf(table, draft, field))) delete draft.typed[field.path];
  else draft.typed[field.path] = typed;
}

/**
 * Chooses a network. Its options keep what was typed for the same option of the network before, where that is a choice of
 * both; the others have their defaults, or what was typed for them when this network was chosen before.
 * @param {FormTable} table
 * @param {Draft} draft
 * @param {string} kind
 */
export function chooseNetwork(table, draft, kind) {
  if (kind === draft.kind) return;
  const before = new Map((network(table, draft.kind)?.fields ?? []).map((field) => [field.path, field]));
  const typed = Object.entries(draft.typed).filter(([path]) => path.startsWith("network."));
  draft.typedFor = { ...draft.typedFor, [draft.kind]: Object.fromEntries(typed) };
  for (const [path] of typed) delete draft.typed[path];
  draft.kind = kind;
  for (const field of network(table, kind)?.fields ?? []) {
    const own = draft.typedFor[kind]?.[field.path];
    const carried = typed.find(([path]) => path === field.path)?.[1];
    const isSame = JSON.stringify(before.get(field.path)?.kind) === JSON.stringify(field.kind);
    if (isSame && carried !== undefined && field.kind.type !== "integers") draft.typed[field.path] = carried;
    else if (own !== undefined) draft.typed[field.path] = own;
  }
}

/**
 * Chooses a data set, and another network if the current one cannot take it.
 * @param {FormTable} table
 * @param {Draft} draft
 * @param {string} set
 */
export function chooseSet(table, draft, set) {
  draft.set = set;
  const networks = networksFor(table, set);
  if (!networks.some((row) => row.kind === draft.kind)) chooseNetwork(table, draft, networks[0]?.kind ?? draft.kind);
}

/** The default name of a run. @param {Draft} draft */
export const nameOf = ({ kind, set }) => `${kind} on ${set}`;

/** The RunSpec that the draft makes. @param {FormTable} table @param {Draft} draft @returns {RunSpec} */
export function specOf(table, draft) {
  /** @type {{ [key: string]: Json }} */
  const spec = {};
  const fields = fieldsOf(table, draft);
  const byPath = new Map(fields.map((field) => [field.path, field]));
  const value = (/** @type {Field} */ field) => toValue(field, fieldText(table, draft, field));

  const name = byPath.get("name");
  const text = name ? value(name) : null;
  if (name && text !== "" && text !== null) spec.name = text;
  setAt(spec, "data.set", draft.set);
  for (const field of fields) if (field.path.startsWith("data.")) setAt(spec, field.path, value(field));
  setAt(spec, "network.kind", draft.kind);
  const source = network(table, draft.kind)?.source;
  if (source !== undefined) setAt(spec, "network.source", source);
  const revision = network(table, draft.kind)?.revision;
  if (revision !== undefined) setAt(spec, "network.revision", revision);
  for (const field of fields) if (field.path.startsWith("network.")) setAt(spec, field.path, value(field));
  const inGroups = new Set(
    table.groups.flatMap((group) => group.variants.flatMap((variant) => variant.fields.map((field) => field.path))),
  );
  for (const field of fields) {
    if (field.path.startsWith("training.") && !inGroups.has(field.path)) setAt(spec, field.path, value(field));
  }
  for (const group of groupsFor(table, draft)) {
    const chosen = chosenVariant(table, draft, group);
    // A group that is off by default need not be named.
    if (chosen === null && defaultVariant(table, draft, group) === null) continue;
    setAt(spec, group.path, chosen === null ? null : {});
    if (chosen !== null && group.selector) setAt(spec, `${group.path}.${group.selector}`, chosen);
    for (const field of fields)
      if (chosen !== null && inGroups.has(field.path) && field.path.startsWith(`${group.path}.`))
        setAt(spec, field.path, value(field));
  }
  for (const field of fields)
    if (field.path !== "name" && getAt(spec, field.path) === undefined) setAt(spec, field.path, value(field));
  for (const [path, json] of Object.entries(draft.rest)) setAt(spec, path, json);
  return /** @type {RunSpec} */ (/** @type {unknown} */ (spec));
}

/**
 * The values to compare, by path.
 * @param {FormTable} table
 * @param {Draft} draft
 * @returns {{ [path: string]: Json[] | Range }}
 */
export function gridOf(table, draft) {
  const fields = new Map(fieldsOf(table, draft).map((field) => [field.path, field]));
  /** @type {{ [path: string]: Json[] | Range }} */
  const grid = { ...draft.fixed };
  const kinds = namesIn(draft.grid[NETWORK] ?? "");
  if (kinds.length > 0) grid[NETWORK] = kinds.map((kind) => networkOf(table, draft, kind));
  for (const [path, text] of Object.entries(draft.grid)) {
    const field = fields.get(path);
    const axis = field && parseGridValues(field, text);
    if (axis) grid[path] = axis;
  }
  return grid;
}

/** Names in a list as text. @param {string} text */
const namesIn = (text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/**
 * A network among those to compare: that of the form with its options, any other with its defaults.
 * @param {FormTable} table
 * @param {Draft} draft
 * @param {string} kind
 * @returns {Json}
 */
function networkOf(table, draft, kind) {
  if (kind === draft.kind) return getAt(specOf(table, draft), NETWORK) ?? { kind };
  const { source, revision } = network(table, kind) ?? {};
  return { kind, ...(source === undefined ? {} : { source }), ...(revision === undefined ? {} : { revision }) };
}

/**
 * The sweep that the draft makes; null for a single run.
 * @param {FormTable} table
 * @param {Draft} draft
 * @returns {SweepSpec | null}
 */
export function sweepOf(table, draft) {
  const grid = gridOf(table, draft);
  const repeats = Number(draft.repeats.trim() || "1");
  const trials = draft.trials.trim();
  if (Object.keys(grid).length === 0 && repeats === 1) return null;
  const search =
    trials !== "" && Object.keys(grid).length > 0
      ? { search: { kind: /** @type {const} */ ("random"), trials: Number(trials) } }
      : {};
  return { base: specOf(table, draft), grid, repeats: Number.isFinite(repeats) ? repeats : 0, ...search };
}

/**
 * The number of runs that the draft makes, as far as the browser can tell.
 * @param {FormTable} table
 * @param {Draft} draft
 */
export function runCount(table, draft) {
  const sweep = sweepOf(table, draft);
  if (!sweep) return 1;
  const combinations = sweep.search
    ? sweep.search.trials
    : Object.values(sweep.grid).reduce((product, axis) => product * valueCount(axis), 1);
  return combinations * sweep.repeats || 0;
}

/** @param {any} json @param {string} path @returns {Json | undefined} */
export function getAt(json, path) {
  return path
    .split(".")
    .reduce(
      (value, key) =>
        value !== null && typeof value === "object" && Object.hasOwn(value, key) ? value[key] : undefined,
      json,
    );
}

/** @param {{ [key: string]: Json }} json @param {string} path @param {Json} value */
function setAt(json, path, value) {
  const keys = path.split(".");
  const last = /** @type {string} */ (keys.pop());
  let place = json;
  for (const key of keys) {
    // Only what the document has: a key such as "__proto__" in a link must not lead to another object.
    const next = Object.hasOwn(place, key) ? place[key] : null;
    if (next === null || typeof next !== "object" || Array.isArray(next)) place[key] = {};
    place = /** @type {{ [key: string]: Json }} */ (place[key]);
  }
  place[last] = value;
}

/** @param {{ [key: string]: Json }} json @param {string} [prefix] @returns {[string, Json][]} */
function leaves(json, prefix = "") {
  return Object.entries(json).flatMap(([key, value]) => {
    const path = prefix + key;
    const inner = value !== null && typeof value === "object" && !Array.isArray(value);
    return inner ? leaves(value, `${path}.`) : [/** @type {[string, Json]} */ ([path, value])];
  });
}
