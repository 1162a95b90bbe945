// What one can do with a run, from any page: the same words, the same question before deleting.

import * as api from "./api.js";
import { confirm } from "./dialog.js";
import { attempt } from "./shell.js";
import { isActive } from "./status.js";

/** @import { Run } from "./types" */

/** @param {Run} run */
export const stop = (run) => attempt(() => api.stopRun(run.id));

/** @param {Run} run */
export const resume = (run) => attempt(() => api.resumeRun(run.id));

/** Asks first. @param {Run} run @returns {Promise<boolean>} whether the run is gone */
export async function remove(run) {
  const sure = await confirm({
    title: "Delete this run?",
    text: `“${run.name}” goes with its curves, checkpoints and log. ${isActive(run) ? "It is stopped first. " : ""}This cannot be undone.`,
    yes: "Delete run",
    no: "Keep it",
  });
  if (!sure) return false;
  return (await attempt(() => api.deleteRun(run.id))) !== undefined;
}
