// Checks a text at each change, one request at a time: a change during a request is checked after it, and only the
// newest text is. A slow request is given up for a newer text.

import { checkNetwork } from "../lib/api.js";
import { Problem } from "../lib/request.js";

/** @import { CheckedNetwork, NetworkCheck } from "./types" */

const SLOW_MS = 250;
const RETRY_AFTER_MS = 3000;

/**
 * @param {{
 *   onGood: (network: CheckedNetwork, check: NetworkCheck) => void,
 *   onBad: (error: unknown, check: NetworkCheck) => void,
 *   ask?: (check: NetworkCheck, signal: AbortSignal) => Promise<CheckedNetwork>,
 * }} options
 */
export function textChecks({ onGood, onBad, ask = checkNetwork }) {
  /** @type {NetworkCheck | null} */
  let next = null;
  /** @type {AbortController | null} */
  let running = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;

  async function run() {
    while (next) {
      const check = next;
      next = null;
      const own = new AbortController();
      running = own;
      try {
        const network = await ask(check, own.signal);
        onGood(network, check);
      } catch (error) {
        if (own.signal.aborted) continue;
        onBad(error, check);
        // Without an answer, the same text is worth another try.
        if (!next && error instanceof Problem && error.status === 0) waiting = setTimeout(later, RETRY_AFTER_MS, check);
      }
    }
    running = null;
  }

  /** @param {NetworkCheck} check */
  function later(check) {
    clearTimeout(waiting);
    next = check;
    if (!running) {
      run();
      return;
    }
    const slow = running;
    waiting = setTimeout(() => {
      if (running === slow && next) slow.abort();
    }, SLOW_MS);
  }

  return { later };
}
