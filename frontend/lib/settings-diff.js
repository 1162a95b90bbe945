// The settings in which runs differ, and labels made of them.

import { settingPhrase, settingValue } from "./setting-labels.js";

/** @import { Json, Run } from "./types" */

/**
 * Cached, since a RunSpec never changes and a table of a thousand runs reads its settings often.
 * @type {WeakMap<Run["spec"], Map<string, Json>>}
 */
const CACHE = new WeakMap();

/** All settings of a run by path, without its name. @param {Run} run @returns {ReadonlyMap<string, Json>} */
export function settingsOf({ spec }) {
  const known = CACHE.get(spec);
  if (known) return known;
  /** @type {Map<string, Json>} */
  const found = new Map();
  walk(/** @type {any} */ (spec), "", found);
  found.delete("name");
  CACHE.set(spec, found);
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
 * The paths of settings in which runs differ, in the order of the RunSpec. Settings that only some kinds of network
 * have come last, since they say less than the kind.
 * @param {Run[]} runs
 * @returns {string[]}
 */
export function differingSettings(runs) {
  // A setting that an imported run does not state is not a difference.
  const imported = runs.filter(({ source }) => source).map(settingsOf);
  const told = [...new Set(imported.flatMap((settings) => [...settings.keys()]))];
  const values = (/** @type {string} */ path) =>
    imported.filter((settings) => settings.has(path)).map((settings) => JSON.stringify(settings.get(path)));
  return [
    ...differingTrained(runs.filter(({ source }) => !source)),
    ...told.filter((path) => new Set(values(path)).size > 1),
  ];
}

const KIND = "network.kind";
const REVISION = "network.revision";

/** @param {Run[]} runs trained by Vivarium */
function differingTrained(runs) {
  const all = runs.map(settingsOf);
  const paths = [...new Set(all.flatMap((settings) => [...settings.keys()]))];
  const values = (/** @type {string} */ path) =>
    new Set(all.map((settings) => JSON.stringify(settings.get(path)))).size;
  // The version of a text says something beside another version of the same text alone.
  const texts = new Set(all.map((settings) => `${settings.get(KIND)} ${settings.get(REVISION)}`)).size;
  const tells = (/** @type {string} */ path) => path !== REVISION || texts > values(KIND);
  const differ = paths.filter((path) => values(path) > 1 && tells(path));
  const everywhere = (/** @type {string} */ path) => all.every((settings) => settings.has(path));
  return [...differ.filter(everywhere), ...differ.filter((path) => !everywhere(path))];
}

/** The short name of a setting: "training.optimizer.lr" → "lr". @param {string} path */
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
    .map((path) => word(path, settings.get(path) ?? null, String(settings.get(KIND) ?? "")))
    .join(", ");
}

/** @param {string} path @param {Json} value @param {string} kind the network */
function word(path, value, kind) {
  const speaks =
    path === "network.kind" || path === "data.set" || path === "network.activation" || path.endsWith("optimizer.kind");
  return speaks ? settingValue(path, value) : settingPhrase(path, value, kind);
}

/** Whether a user gave the run its name: the automatic ones are “mlp on digits”, and in a sweep “base · lr 0.1”. */
export const isNamed = (/** @type {Run} */ { name, spec, source }) =>
  !source && !name.includes(" · ") && name !== `${spec.network?.kind} on ${spec.data?.set}`;

/** What an automatic name in a sweep begins with; "" for a run that is not named as one of a sweep. @param {Run} run */
const sweepNameOf = ({ name }) => (name.includes(" · ") ? name.split(" · ")[0] : "");

/**
 * Short, distinct labels for runs that are shown together: the names that users gave them, with the settings in which
 * runs of the same name differ; of other runs these settings alone, or their names if no setting differs. Runs of a sweep
 * beside others have its name too.
 * @param {Run[]} runs
 * @returns {Map<string, string>} by id
 */
export function distinctLabels(runs) {
  /**
   * Runs by the name that a user gave them, or by that of their sweep; runs without one are together.
   * @type {Map<string, { name: string | null, sweep: string, same: Run[] }>}
   */
  const groups = new Map();
  for (const run of runs) {
    const [name, sweep] = isNamed(run) ? [run.name, ""] : [null, sweepNameOf(run)];
    const key = JSON.stringify([name, sweep]);
    const known = groups.get(key);
    if (known) known.same.push(run);
    else groups.set(key, { name, sweep, same: [run] });
  }
  /** @type {Map<string, string>} */
  const labels = new Map();
  for (const { name, sweep, same } of groups.values()) {
    const told = same.length > 1 || name === null ? settingLabels(same) : null;
    for (const run of same) {
      const settings = told?.get(run.id);
      const isAlone = sweep === "" || groups.size === 1;
      const automatic = isAlone || settings === undefined ? settings : ofSweep(sweep, settings, run);
      labels.set(run.id, name === null ? (automatic ?? run.name) : withSettings(name, settings, run));
    }
  }
  return numberRepeats(new Map(runs.map((run) => [run.id, labels.get(run.id) ?? run.name])));
}

/** So much of a sweep's name stands before a label. */
const SWEEP_LETTERS = 28;

/** A sweep by the name of its setting would say it twice. @param {string} sweep @param {string} settings @param {Run} run */
function ofSweep(sweep, settings, run) {
  if (settings === run.name || settings.toLowerCase().startsWith(sweep.toLowerCase())) return settings;
  const short = sweep.length > SWEEP_LETTERS ? `${sweep.slice(0, SWEEP_LETTERS - 1).trimEnd()}…` : sweep;
  return `${short} · ${settings}`;
}

/** @param {string} name @param {string | undefined} settings @param {Run} run */
const withSettings = (name, settings, run) =>
  settings === undefined || settings === run.name || settings.startsWith(`${run.name} (`)
    ? name
    : `${name}, ${settings}`;

/** Labels made of the settings in which runs differ. @param {Run[]} runs @returns {Map<string, string>} by id */
function settingLabels(runs) {
  const paths = differingSettings(runs);
  const names = new Map(runs.map((run) => [run.id, run.name]));
  if (paths.length === 0 || runs.length < 2) return numberRepeats(names);
  // As few settings as make the labels distinct, at most four.
  for (let many = 1; many <= Math.min(4, paths.length); many += 1) {
    const made = new Map(runs.map((run) => [run.id, labelOf(run, paths.slice(0, many))]));
    if (new Set(made.values()).size === runs.length && [...made.values()].every(Boolean)) return made;
  }
  return numberRepeats(names);
}

/** Numbers repeated names. @param {Map<string, string>} names */
function numberRepeats(names) {
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

/** A key that is equal for runs that differ only by seed. @param {Run} run */
export function keyWithoutSeed(run) {
  const settings = new Map(settingsOf(run));
  settings.delete("training.seed");
  return JSON.stringify([...settings]);
}

/**
 * Groups runs that differ only by seed, in the order given. A run whose seed is already in its group is a repetition
 * and gets a group of its own.
 * @param {Run[]} runs
 * @returns {Run[][]}
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
