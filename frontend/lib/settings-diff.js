// What tells runs apart: the settings in which they differ, and labels made of them.

import { exactNumber } from "./format.js";

/** @import { Json, Run } from "./types" */

/**
 * A specification never changes, and a table of a thousand runs asks for its settings often.
 * @type {WeakMap<Run["spec"], Map<string, Json>>}
 */
const KNOWN = new WeakMap();

/** Every setting of a run by its path, its name left out. @param {Run} run @returns {ReadonlyMap<string, Json>} */
export function settingsOf({ spec }) {
  const known = KNOWN.get(spec);
  if (known) return known;
  /** @type {Map<string, Json>} */
  const found = new Map();
  walk(/** @type {any} */ (spec), "", found);
  found.delete("name");
  KNOWN.set(spec, found);
  return found;
}

/** @param {{ [key: string]: Json }} value @param {string} prefix @param {Map<string, Json>} found */
function walk(value, prefix, found) {
  for (const [key, inner] of Object.entries(value)) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    if (inner !== null && typeof inner === "object" && !Array.isArray(inner)) walk(inner, path, found);
    else found.set(path, inner);
  }
}

/**
 * The paths of settings in which runs differ, in the order of the specification. What one kind of
 * network has and another has not differs too, but says less than the kind: it comes last.
 * @param {Run[]} runs @returns {string[]}
 */
export function differingSettings(runs) {
  // What the files of an imported run do not tell is no difference, neither to those made here nor to another.
  const imported = runs.filter(({ source }) => source).map(settingsOf);
  const told = [...new Set(imported.flatMap((settings) => [...settings.keys()]))];
  const values = (/** @type {string} */ path) =>
    imported.filter((settings) => settings.has(path)).map((settings) => JSON.stringify(settings.get(path)));
  return [
    ...differingHere(runs.filter(({ source }) => !source)),
    ...told.filter((path) => new Set(values(path)).size > 1),
  ];
}

/** @param {Run[]} runs made here */
function differingHere(runs) {
  const all = runs.map(settingsOf);
  const paths = [...new Set(all.flatMap((settings) => [...settings.keys()]))];
  const differ = paths.filter((path) => new Set(all.map((settings) => JSON.stringify(settings.get(path)))).size > 1);
  const everywhere = (/** @type {string} */ path) => all.every((settings) => settings.has(path));
  return [...differ.filter(everywhere), ...differ.filter((path) => !everywhere(path))];
}

/** A setting's name as people say it: "training.optimizer.lr" → "lr". @param {string} path */
export function shortName(path) {
  const parts = path.split(".");
  const last = parts[parts.length - 1];
  const name = last === "kind" || last === "set" ? parts[parts.length - 2] : last;
  return name.replaceAll("_", " ").replace(/^data$/, "data set");
}

/** @param {Run} run @param {string[]} paths @returns {string} */
export function labelOf(run, paths) {
  const settings = settingsOf(run);
  return paths
    .filter((path) => settings.has(path))
    .map((path) => word(path, settings.get(path) ?? null))
    .join(", ");
}

/** @param {string} path @param {Json} value */
function word(path, value) {
  const speaks =
    path === "network.kind" || path === "data.set" || path === "network.activation" || path.endsWith("optimizer.kind");
  return speaks ? exactNumber(value) : `${shortName(path)} ${exactNumber(value)}`;
}

/**
 * Labels for runs that are shown together: what they differ in, as short as it tells them apart; names where
 * that is shorter or they differ in nothing.
 * @param {Run[]} runs @returns {Map<string, string>} by id
 */
export function distinctLabels(runs) {
  const paths = differingSettings(runs);
  const names = new Map(runs.map((run) => [run.id, run.name]));
  if (paths.length === 0 || runs.length < 2) return numbered(names);
  // As few settings as tell them apart, at most four.
  for (let many = 1; many <= Math.min(4, paths.length); many += 1) {
    const made = new Map(runs.map((run) => [run.id, labelOf(run, paths.slice(0, many))]));
    if (new Set(made.values()).size === runs.length && [...made.values()].every(Boolean)) return made;
  }
  return numbered(names);
}

/** Names that are not alone with a number behind them. @param {Map<string, string>} names */
function numbered(names) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return new Map(
    [...names].map(([id, name]) => {
      const times = (seen.get(name) ?? 0) + 1;
      seen.set(name, times);
      return [id, times > 1 ? `${name} (${times})` : name];
    }),
  );
}

/** What runs that differ by their seed alone have in common. @param {Run} run */
export function keyWithoutSeed(run) {
  const settings = new Map(settingsOf(run));
  settings.delete("training.seed");
  return JSON.stringify([...settings]);
}

/**
 * Runs by what they have in common but the seed, in the order in which they came. A run whose seed
 * is in its group already is the same run again and stands for itself.
 * @param {Run[]} runs @returns {Run[][]}
 */
export function groupBySeed(runs) {
  /** @type {Map<string, Run[]>} */
  const groups = new Map();
  const seed = (/** @type {Run} */ run) => JSON.stringify(settingsOf(run).get("training.seed"));
  for (const run of runs) {
    const common = keyWithoutSeed(run);
    const taken = groups.get(common)?.some((other) => seed(other) === seed(run));
    const key = taken ? `${common} ${run.id}` : common;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()];
}
