// Asks the server to estimate time and memory. The server measures a few steps, so the request waits until the settings
// have been stable for a moment, and an outdated request is aborted, which ends its measurement.

import { estimateSpec, estimateSweep } from "../lib/api.js";
import { bytes, plural, roughDuration } from "../lib/format.js";

/** @import { Estimate, RunSpec, SweepEstimate, SweepSpec } from "../lib/types" */

const PAUSE_MS = 500;

/** The estimate of a run or of a whole sweep. @typedef {{ run: Estimate } | { sweep: SweepEstimate }} Known */

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

  /** @param {RunSpec} spec @param {SweepSpec | null} sweep */
  const ask = async (spec, sweep) => {
    const mine = new AbortController();
    running = mine;
    try {
      const known = sweep
        ? { sweep: await estimateSweep(sweep, mine.signal) }
        : { run: await estimateSpec(spec, mine.signal) };
      if (running === mine) onEstimate(known);
    } catch (error) {
      const note = error instanceof Error ? error.message : String(error);
      if (running === mine)
        onEstimate({ run: { measured: null, seconds: null, memory_bytes: null, at_least_seconds: null, note } });
    }
  };

  return {
    /** Schedules a measurement and aborts the current one. @param {RunSpec} spec @param {SweepSpec | null} sweep */
    later(spec, sweep) {
      cancel();
      timer = setTimeout(() => ask(spec, sweep), PAUSE_MS);
    },
    cancel,
  };
}

/** The estimate in words: time, memory, and how it was measured. @param {Known} known */
export function estimateText(known) {
  return "sweep" in known ? sweepInWords(known.sweep) : runInWords(known.run);
}

/** @param {Estimate} estimate */
function runInWords({ measured, seconds, memory_bytes, at_least_seconds, note }) {
  if (measured && seconds !== null) {
    return {
      time: `${seconds < 1 ? "less than" : "about"} ${roughDuration(seconds)}`,
      memory: memory_bytes === null ? "" : bytes(memory_bytes),
      source: `Measured on ${plural(measured.steps, "step")} with ${plural(measured.threads, "thread")}.`,
    };
  }
  return {
    time: at_least_seconds === null ? "" : `more than ${roughDuration(at_least_seconds)}`,
    memory: "",
    source: note,
  };
}

/** @param {SweepEstimate} estimate */
function sweepInWords({ runs, seconds, memory_bytes, measured, kinds, note }) {
  const source =
    kinds > measured
      ? `Measured on training steps of ${measured} of ${kinds} kinds of run.`
      : `Measured on training steps of ${measured === 1 ? "one of the runs, which are alike in this" : "all runs"}.`;
  return {
    time: seconds === null ? "" : `${seconds < 1 ? "less than" : "about"} ${roughDuration(seconds)} for all ${runs}`,
    memory: memory_bytes === null ? "" : `${bytes(memory_bytes)}${runs > 1 ? " for the largest" : ""}`,
    source: note || source,
  };
}
