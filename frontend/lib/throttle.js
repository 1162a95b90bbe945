// Calls a function at most so often.

/**
 * A function that runs at once, or where it ran a moment ago, when that moment is over: the last call is never lost.
 * @param {number} ms
 * @param {() => void} act
 * @returns {() => void}
 */
export function throttled(ms, act) {
  let waiting = false;
  let last = Number.NEGATIVE_INFINITY;
  const run = () => {
    waiting = false;
    last = performance.now();
    act();
  };
  return () => {
    if (waiting) return;
    const wait = last + ms - performance.now();
    if (wait <= 0) {
      run();
      return;
    }
    waiting = true;
    setTimeout(run, wait);
  };
}
