// Why a run has no checkpoint: it comes, or never will.

import { isActive } from "../lib/status.js";

/** @import { Run } from "../lib/types" */

/**
 * Says why a run has no checkpoint, and what to do.
 * @param {Run} run
 * @returns {{ title: string, words: string }} `title` says whether there is hope
 */
export function withoutCheckpoint(run) {
  if (isActive(run))
    return {
      title: "No checkpoint yet",
      words: "The first checkpoint is written after the first epoch, or within half a minute.",
    };
  const title = "There is no checkpoint";
  if (run.reason === "diverged")
    return {
      title,
      words: `The run diverged before its first checkpoint${cause(run)} Start it again with a lower learning rate.`,
    };
  if (run.status === "failed") return { title, words: `The run failed before its first checkpoint${cause(run)}` };
  return { title, words: "The run ended before its first checkpoint. Resume it on its page to go on." };
}

/** Within an epoch a checkpoint is written after so many seconds. */
const FIRST_AFTER = 30;

/** Whether a run has ended before its first checkpoint and will never have one. @param {Run} run */
export function hasNoCheckpoint(run) {
  if (isActive(run) || (run.status !== "failed" && run.reason !== "diverged")) return false;
  const { step, steps_per_epoch: epoch, seconds } = run.summary;
  return step === null || (epoch !== null && step < epoch && (seconds ?? 0) < FIRST_AFTER);
}

/** @param {Run} run */
const cause = ({ message }) => (message ? `: ${message[0].toLowerCase()}${message.slice(1)}` : ".");
