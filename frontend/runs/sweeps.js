// Sweeps in the table of runs: which of the loaded runs belong together, and what is said of them together. No DOM here.

import { plural } from "../lib/format.js";
import { describeRun, settingLabel, settingValue } from "../lib/setting-labels.js";
import { differingSettings, isNamed, settingsOf } from "../lib/settings-diff.js";
import { stateOf } from "../lib/status.js";
import { progressOf } from "./order.js";

/** @import { Run, Runs } from "../lib/types" */
/** @import { State } from "../lib/status.js" */

/** A row: a run by itself, or the runs of a sweep. @typedef {{ sweep: string | null, runs: Run[] }} Item */

/**
 * What a row says of a sweep. `total`: the runs that match, of which some may not be loaded; `done`: those that are over,
 * of the whole sweep; `mean`: of the best validation accuracies.
 * @typedef {{ total: number, all: number, done: number, failed: number, best: Run | null, mean: number | null }} Facts
 */

const SEED = "training.seed";
/** A label names so many settings at most. */
const MOST_SETTINGS = 4;

/**
 * Puts the runs of each sweep together, at the place of the first of them.
 * @param {Run[]} runs in order
 * @returns {Item[]}
 */
export function foldSweeps(runs) {
  /** @type {Map<string, Item>} */
  const sweeps = new Map();
  /** @type {Item[]} */
  const items = [];
  for (const run of runs) {
    const known = run.sweep === null ? undefined : sweeps.get(run.sweep);
    if (known) {
      known.runs.push(run);
      continue;
    }
    const item = { sweep: run.sweep, runs: [run] };
    if (run.sweep !== null) sweeps.set(run.sweep, item);
    items.push(item);
  }
  return items;
}

/** @param {Run} run */
const accuracyOf = ({ summary }) => summary.best_validation_accuracy;

/** @param {Run} run */
const isOver = ({ status }) => status !== "queued" && status !== "running";

/** @param {Run} run */
const hasFailed = ({ status, reason }) => status === "failed" || reason === "diverged";

/** The facts of a sweep whose runs are all loaded. @param {Run[]} runs @returns {Facts} */
export function factsOf(runs) {
  const scored = runs.filter((run) => accuracyOf(run) !== null);
  const best = scored.reduce(
    (/** @type {Run | null} */ found, run) =>
      found === null || Number(accuracyOf(run)) > Number(accuracyOf(found)) ? run : found,
    null,
  );
  const sum = scored.reduce((total, run) => total + Number(accuracyOf(run)), 0);
  return {
    total: runs.length,
    all: runs.length,
    done: runs.filter(isOver).length,
    failed: runs.filter(hasFailed).length,
    best,
    mean: scored.length > 0 ? sum / scored.length : null,
  };
}

/**
 * The facts of a sweep of which some runs are not loaded.
 * @param {Runs} page its best run, grouped by sweep
 * @returns {Facts}
 */
export function factsOfPage({ total, statuses, groups, runs }) {
  const all = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const [best] = runs;
  return {
    total,
    all,
    done: all - (statuses.running ?? 0) - (statuses.queued ?? 0),
    failed: statuses.failed ?? 0,
    best: best && accuracyOf(best) !== null ? best : null,
    mean: groups[0]?.mean_best_validation_accuracy ?? null,
  };
}

/** The state of a sweep: that of the run that needs the most attention. @param {Run[]} runs @param {Facts} facts @returns {State} */
export function sweepState(runs, { all, done, failed }) {
  const running = runs.find(({ status }) => status === "running");
  if (running) return stateOf({ ...running, job: null });
  if (done < all) return { word: "queued", tone: "calm", shape: "ring" };
  if (failed > 0) {
    const diverged = runs.filter(({ reason }) => reason === "diverged").length;
    return diverged === failed
      ? { word: `${failed} diverged`, tone: "warn", shape: "zigzag" }
      : { word: `${failed} failed`, tone: "bad", shape: "cross" };
  }
  const open = runs.find(({ status }) => status === "interrupted") ?? runs.find(({ status }) => status === "stopped");
  return stateOf(open ?? { status: "finished", reason: "completed", stopping: false, position: null });
}

/** The mean progress of runs, 0 to 1. @param {Run[]} runs */
export function sweepProgress(runs) {
  const share = (/** @type {Run} */ run) => (isOver(run) && run.status === "finished" ? 1 : progressOf(run));
  return runs.reduce((sum, run) => sum + share(run), 0) / Math.max(1, runs.length);
}

/** What the names of a sweep's runs begin with, unless it is an automatic name. @param {Run[]} runs @returns {string} */
function givenName(runs) {
  const run = runs.find(({ name }) => name.includes(" · ")) ?? runs.find((run) => !isNamed(run));
  const base = run?.name.split(" · ")[0] ?? "";
  return run && base !== `${run.spec.network?.kind} on ${run.spec.data?.set}` ? base : "";
}

/** Runs in the order in which they were made, whatever the table's is. @param {Run[]} runs */
export const asMade = (runs) => [...runs].sort((a, b) => (a.id < b.id ? -1 : 1));

/**
 * The title of a sweep, and what it is in words: the name that the user gave comes first.
 * @param {Run[]} runs those that are loaded
 * @param {boolean} complete whether these are all
 * @returns {{ title: string, about: string }}
 */
export function sweepTitle(runs, complete) {
  runs = asMade(runs);
  const about = [what(runs), ...(complete ? variedSettings(runs) : [])].join(", ");
  const name = givenName(runs);
  return name === "" ? { title: about, about: "" } : { title: name, about };
}

/** Networks and data of runs: “MLP on digits”, “4 networks on CIFAR-10”. @param {Run[]} runs */
function what(runs) {
  const several = (/** @type {string} */ path) => new Set(runs.map((run) => settingsOf(run).get(path))).size;
  const [first] = runs;
  const [networks, sets] = [several("network.kind"), several("data.set")];
  const described = describeRun(first);
  if (networks <= 1 && sets <= 1) return described;
  const [network, set] = described.split(" on ");
  return `${networks > 1 ? plural(networks, "network") : network} on ${sets > 1 ? plural(sets, "data set") : set}`;
}

/** The settings that a sweep varies, in words: “batch size 16 to 128”, “3 seeds”. @param {Run[]} runs @returns {string[]} */
function variedSettings(runs) {
  const paths = variedPaths(runs);
  const named = paths.filter((path) => path !== SEED).slice(0, MOST_SETTINGS - 1);
  const seeds = paths.includes(SEED) ? [plural(new Set(valuesAt(runs, SEED)).size, "seed")] : [];
  return [...named.map((path) => `${lower(settingLabel(path))} ${range(path, valuesAt(runs, path))}`), ...seeds];
}

/**
 * The settings that a sweep varies, the seed last. With other networks come other options, which say less than their
 * networks.
 * @param {Run[]} runs
 */
export function variedPaths(runs) {
  const networks = new Set(valuesAt(runs, "network.kind")).size;
  const told = (/** @type {string} */ path) =>
    path !== "network.kind" && path !== "data.set" && !(networks > 1 && path.startsWith("network."));
  const paths = differingSettings(runs).filter(told);
  return [...paths.filter((path) => path !== SEED), ...paths.filter((path) => path === SEED)];
}

/** @param {Run[]} runs @param {string} path */
const valuesAt = (runs, path) => runs.map((run) => settingsOf(run).get(path) ?? null);

/** The values of a setting in words: from the least to the greatest, or each of a few. @param {string} path @param {any[]} values */
export function range(path, values) {
  const distinct = [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
  const say = (/** @type {any} */ value) => settingValue(path, value);
  if (distinct.length > 2 && distinct.every((value) => typeof value === "number")) {
    distinct.sort((a, b) => a - b);
    return `${say(distinct[0])} to ${say(distinct[distinct.length - 1])}`;
  }
  if (distinct.length > 4) return `in ${distinct.length} values`;
  const words = distinct.map(say);
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

/**
 * Names for the runs of a sweep beside each other: those that users gave, else the settings in which they differ.
 * @param {Run[]} runs
 * @returns {Map<string, string>} by id
 */
export function memberLabels(runs) {
  const networks = new Set(valuesAt(runs, "network.kind")).size > 1 ? ["network.kind"] : [];
  const sets = new Set(valuesAt(runs, "data.set")).size > 1 ? ["data.set"] : [];
  const paths = [...networks, ...sets, ...variedPaths(runs)];
  const label = (/** @type {Run} */ run, /** @type {string[]} */ of) =>
    of
      .map((path) => {
        const value = settingValue(path, settingsOf(run).get(path) ?? null);
        return path === "network.kind" || path === "data.set" ? value : `${lower(settingLabel(path))} ${value}`;
      })
      .join(", ");
  const unnamed = runs.filter((run) => !isNamed(run));
  let many = Math.min(paths.length, MOST_SETTINGS);
  for (let fewer = 1; fewer < many; fewer += 1)
    if (new Set(unnamed.map((run) => label(run, paths.slice(0, fewer)))).size === unnamed.length) many = fewer;
  const made = unnamed.map((run) => /** @type {const} */ ([run.id, capital(label(run, paths.slice(0, many)))]));
  const labels = new Map(made.map(([id, text]) => [id, text]));
  return new Map(runs.map((run) => [run.id, labels.get(run.id) || run.name]));
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);

/** A label within a sentence: abbreviations stay as they are. @param {string} text */
const lower = (text) => (/^[A-Z][A-Z]/.test(text) ? text : text.charAt(0).toLocaleLowerCase() + text.slice(1));
