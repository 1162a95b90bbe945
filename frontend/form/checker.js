// Has the server check the settings shortly after typing stops.

import { checkSpec, checkSweep } from "../lib/api.js";
import { Problem } from "../lib/request.js";

/** @import { FieldError, Plan, RunSpec, Schedule, SweepSpec } from "../lib/types" */

const PAUSE_MS = 200;

/**
 * @typedef {{ plan: Plan | null, schedule: Schedule | null, errors: FieldError[], trouble: string }} CheckResult `trouble`
 *   is an error that belongs to no field.
 */

/** @param {(result: CheckResult) => void} onResult */
export function checker(onResult) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {AbortController | undefined} */
  let running;

  /** @param {RunSpec} spec @param {SweepSpec | null} sweep */
  const check = async (spec, sweep) => {
    const mine = new AbortController();
    running = mine;
    try {
      const { plan, schedule } = await checkSpec(spec, mine.signal);
      if (sweep) await checkSweep(sweep, mine.signal);
      if (running === mine) onResult({ plan, schedule, errors: [], trouble: "" });
    } catch (error) {
      if (running === mine) onResult(checkResultOf(error));
    }
  };

  return {
    /** Schedules a check and abandons the current one. @param {RunSpec} spec @param {SweepSpec | null} sweep */
    later(spec, sweep) {
      clearTimeout(timer);
      running?.abort();
      running = undefined;
      timer = setTimeout(() => check(spec, sweep), PAUSE_MS);
    },
    /** Abandons the current check. */
    cancel() {
      clearTimeout(timer);
      running?.abort();
      running = undefined;
    },
  };
}

/** @param {unknown} error @returns {CheckResult} */
export function checkResultOf(error) {
  if (error instanceof Problem)
    return { plan: null, schedule: null, errors: error.errors, trouble: error.errors.length > 0 ? "" : error.message };
  return { plan: null, schedule: null, errors: [], trouble: error instanceof Error ? error.message : String(error) };
}
