// The columns of settings in which the visible runs differ.

import { differingSettings, settingsOf } from "../lib/settings-diff.js";

/** @import { Run } from "../lib/types" */

/** The default settings, for runs that differ in none or in too many. */
const DEFAULT_PATHS = ["training.batch_size", "training.optimizer.lr", "network.activation", "training.optimizer.kind"];
/** Maximum number of columns. */
const MAX_COLUMNS = 4;

/** The paths of the settings with a column. @param {Run[]} runs the visible ones @returns {string[]} */
export function settingPaths(runs) {
  // These two have their own columns.
  const useful = differingSettings(runs).filter((path) => path !== "network.kind" && path !== "data.set");
  if (useful.length > 0 && useful.length <= MAX_COLUMNS) return useful;
  const candidates =
    useful.length > 0
      ? [...new Set([...DEFAULT_PATHS.filter((path) => useful.includes(path)), ...useful])].slice(0, MAX_COLUMNS)
      : DEFAULT_PATHS;
  return candidates.filter((path) => runs.some((run) => settingsOf(run).has(path)));
}
