// The runs that are of an experiment: sweeps that vary what it varies, and runs of its network, the best first.

import { settingValue } from "../lib/setting-labels.js";
import { groupBySeed } from "../lib/settings-diff.js";
import { runName } from "../lib/run-name.js";
import { sweepTitle } from "../runs/sweeps.js";

/** @import { Json, Preset, Run, SweepSpec } from "../lib/types" */
/** @import { Experiment, Subject } from "./experiments.js" */

const CONVOLUTIONAL = new Set(["vgg16", "residual-small", "residual-deep", "inception"]);

/**
 * What an experiment can be written up from, the best first: of sweeps those with the preset's values, then those of its
 * network and data, then any that vary the same; of single runs the finished one with the highest accuracy.
 * @param {Experiment} experiment
 * @param {Preset[]} presets
 * @param {Run[]} runs
 * @param {{ id: string, spec: SweepSpec }[]} sweeps the newest first
 * @returns {Subject[]}
 */
export function subjectsOf(experiment, presets, runs, sweeps) {
  const preset = presets.find(({ id }) => id === experiment.preset);
  if (!preset) return [];
  const usable = runs.filter(({ status }) => status !== "failed");
  if (Object.keys(preset.grid).length === 0)
    return usable
      .filter(({ spec }) => spec.network?.kind === preset.base.network.kind)
      .sort(best)
      .map((run) => ({ runs: run.id, run, of: [run], title: runName(run) }));
  return sweeps
    .flatMap(({ id, spec }) => {
      const of = usable.filter((run) => run.sweep === id).sort((a, b) => a.number - b.number);
      const nearness = nearnessOf(preset, spec);
      return of.length === 0 || nearness === 0 ? [] : [{ nearness, subject: subjectOf(id, spec, of, nearness === 3) }];
    })
    .sort((a, b) => b.nearness - a.nearness)
    .map(({ subject }) => subject);
}

/** @param {string} id @param {SweepSpec} spec @param {Run[]} of @param {boolean} exactly @returns {Subject} */
export function subjectOf(id, spec, of, exactly) {
  return {
    runs: `sweep ${id}`,
    run: [...of].sort(best)[0],
    of,
    title: sweepTitle(of, true).title,
    seeds: groupBySeed(of).length < of.length,
    exactly,
    values: valuesOf(spec),
  };
}

/**
 * How near a sweep is to a preset: 3 with its values, 2 with its network and data, 1 if it varies the same, 0 if not.
 * @param {Preset} preset
 * @param {SweepSpec} spec
 */
export function nearnessOf({ id, grid, base }, spec) {
  const paths = (/** @type {object} */ of) => Object.keys(of).sort().join();
  if (paths(grid) === "" || paths(spec.grid) !== paths(grid)) return 0;
  const isSet = spec.base.data?.set === base.data.set;
  // Other networks make another experiment; other batch sizes do not.
  if ("network" in grid) {
    const kinds = networksOf(spec);
    const wide = kinds.includes("mlp-wide");
    const deep = kinds.filter((kind) => CONVOLUTIONAL.has(kind));
    if (id === "wide-against-deep" ? !wide || deep.length === 0 : wide || deep.length < 2) return 0;
    return !isSet ? 1 : JSON.stringify(spec.grid) === JSON.stringify(grid) ? 3 : 2;
  }
  if (!isSet || spec.base.network?.kind !== base.network.kind) return 1;
  const isSame = JSON.stringify(settingsIn(spec)) === JSON.stringify(settingsIn({ grid, base }));
  return isSame ? 3 : 2;
}

/** The settings of a sweep without its name. @param {{ grid: object, base: any }} spec */
function settingsIn({ grid, base }) {
  const { name: _, ...rest } = base;
  const { seed: __, threads: ___, ...training } = rest.training ?? {};
  return [grid, sorted({ ...rest, training })];
}

/** A value whose objects have their keys in order. @param {any} value @returns {any} */
function sorted(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}

/** @param {SweepSpec} spec @returns {string[]} */
const networksOf = ({ grid }) =>
  (Array.isArray(grid.network) ? grid.network : []).map((/** @type {any} */ one) => one?.kind ?? "");

/** What a sweep varies, in words: “16, 32 and 64”. @param {SweepSpec} spec */
function valuesOf({ grid, base }) {
  const [[path, values]] = Object.entries(grid);
  if (!Array.isArray(values)) return "";
  const words = values.map((/** @type {any} */ value) =>
    path === "network"
      ? settingValue("network.kind", value?.kind)
      : settingValue(path, /** @type {Json} */ (value), base.network?.kind),
  );
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

/** Finished runs come first, then those of a higher accuracy, then newer ones. @param {Run} a @param {Run} b */
const best = (a, b) =>
  Number(b.status === "finished") - Number(a.status === "finished") ||
  accuracyOf(b) - accuracyOf(a) ||
  b.number - a.number;

/** @param {Run} run */
const accuracyOf = ({ summary }) => summary.test_accuracy ?? summary.best_validation_accuracy ?? -1;
