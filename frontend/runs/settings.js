// The columns of settings: one for each in which the runs in sight differ.

import { differingSettings, settingsOf, shortName } from "../lib/settings-diff.js";

/** @import { Run } from "../lib/types" */

/** The settings that people compare where the runs in sight differ in none or in too many. */
const PLAIN = ["training.batch_size", "training.optimizer.lr", "network.activation", "training.optimizer.kind"];
/** More columns than this leave no room for the others. */
const MOST = 5;

/** The paths of the settings that get a column. @param {Run[]} runs those in sight @returns {string[]} */
export function settingPaths(runs) {
  // These two have columns of their own.
  const useful = differingSettings(runs).filter((path) => path !== "network.kind" && path !== "data.set");
  if (useful.length > 0 && useful.length <= MOST) return useful;
  const candidates =
    useful.length > 0
      ? [...new Set([...PLAIN.filter((path) => useful.includes(path)), ...useful])].slice(0, MOST)
      : PLAIN;
  return candidates.filter((path) => runs.some((run) => settingsOf(run).has(path)));
}

/** What a column of a setting is called. @param {string} path */
export function settingTitle(path) {
  const name = shortName(path).replace("batch size", "batch");
  return name.length > 2 ? name.charAt(0).toLocaleUpperCase() + name.slice(1) : name;
}
