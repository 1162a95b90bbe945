// Which runs may be called the best: one that diverged or failed has good figures by accident, such as the shortest time.

import { plural } from "../lib/format.js";

/** @import { Run } from "../lib/types" */
/** @import { Member } from "./members.js" */

/** Whether a run neither diverged nor failed. @param {Pick<Run, "status" | "reason">} run */
export const isSound = ({ status, reason }) => status !== "failed" && reason !== "diverged";

/** Whether all runs of a member are sound. @param {Member} member */
export const isSoundMember = ({ runs }) => runs.every(isSound);

/** What happened to a member that is not sound: “Diverged”, “Failed”, “2 of 5 seeds diverged”. @param {Member} member */
export function faultText({ runs }) {
  const bad = runs.filter((run) => !isSound(run));
  const word = bad.every(({ reason }) => reason === "diverged") ? "diverged" : "failed";
  if (runs.length === 1) return word.charAt(0).toUpperCase() + word.slice(1);
  return `${bad.length} of ${plural(runs.length, "seed")} ${word}`;
}
