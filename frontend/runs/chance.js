// Whether a run learned anything: one that ended well may still guess. No DOM here.

/** @import { Run } from "../lib/types" */

/** An accuracy so far above that of guessing, as a share of what there is to gain, may be chance or nearly so. */
const NEAR = 0.05;

/** Whether a finished run classifies hardly better than by guessing among its classes. @param {Run} run */
export function isNearChance({ status, reason, summary }) {
  const accuracy = summary.test_accuracy ?? summary.best_validation_accuracy;
  const classes = summary.classes?.length ?? 0;
  if (status !== "finished" || reason === "diverged" || accuracy === null || classes < 2) return false;
  const guessing = 1 / classes;
  return accuracy <= guessing + NEAR * (1 - guessing);
}

/** What is said of such a run. */
export const NEAR_CHANCE = "near chance";

/** @param {Run} run */
export const nearChanceTitle = ({ summary }) =>
  `Guessing among ${summary.classes?.length} classes is right in ${(100 / (summary.classes?.length ?? 1)).toFixed(1)}% of cases`;
