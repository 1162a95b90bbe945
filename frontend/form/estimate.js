// Asks the server what the run will take. It measures a few steps, so it is asked when the settings have rested for a
// moment, and what is out of date is given up: the server then ends its measurement.

import { estimateSpec } from "../lib/api.js";
import { bytes, plural, roughly } from "../lib/format.js";

/** @import { Estimate, RunSpec } from "../lib/types" */

const PAUSE_MS = 500;

/** What is known: `null` while it is measured. @typedef {Estimate | null} Known */

/** @param {(estimate: Known) => void} onEstimate */
export function estimator(onEstimate) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {AbortController | undefined} */
  let running;

  const cancel = () => {
    clearTimeout(timer);
    running?.abort();
    running = undefined;
  };

  /** @param {RunSpec} spec */
  const ask = async (spec) => {
    const mine = new AbortController();
    running = mine;
    try {
      const estimate = await estimateSpec(spec, mine.signal);
      if (running === mine) onEstimate(estimate);
    } catch (error) {
      const note = error instanceof Error ? error.message : String(error);
      if (running === mine) onEstimate({ measured: null, seconds: null, memory_bytes: null, at_least_seconds: null, note });
    }
  };

  return {
    /** Measures soon; what is under way is out of date. @param {RunSpec} spec */
    later(spec) {
      cancel();
      timer = setTimeout(() => ask(spec), PAUSE_MS);
    },
    cancel,
  };
}

/**
 * The estimate in words: how long, how much memory, and where that comes from.
 * @param {Estimate} estimate @param {number} runs
 */
export function inWords({ measured, seconds, memory_bytes, at_least_seconds, note }, runs) {
  const each = runs > 1 ? " each" : "";
  if (measured && seconds !== null) {
    return {
      time: `${seconds < 1 ? "less than" : "about"} ${roughly(seconds)}${each}`,
      memory: memory_bytes === null ? "" : `${bytes(memory_bytes)}${each}`,
      source: `Measured on ${plural(measured.steps, "step")} with ${plural(measured.threads, "thread")}.`,
    };
  }
  return { time: at_least_seconds === null ? "" : `more than ${roughly(at_least_seconds)}${each}`, memory: "", source: note };
}
