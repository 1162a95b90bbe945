// Runs the training, frame by frame of the screen. It stands still while the tab is hidden, as no frames come then.

import { reducedMotion } from "../lib/motion.js";

/** @typedef {"slow" | "normal" | "fast"} Speed */

/** Steps a second; epochs a second; as many steps as a frame has time for. */
const STEPS = 5;
const EPOCHS = 5;
/** The time that training may take of a frame, in ms. */
const BUDGET = 6;
/** The longest time between two frames that is made up for. */
const LONGEST = 100;
/** The time between two pictures for those who want no motion. */
const CALM = 500;

/** @param {{ step: () => boolean, stepsPerEpoch: () => number, draw: () => void, stopped: () => void }} training `step` tells whether
 *   training can go on */
export function createLoop({ step, stepsPerEpoch, draw, stopped }) {
  /** @type {Speed} */
  let speed = "normal";
  let frame = 0;
  let before = 0;
  let drawn = 0;
  /** The steps that are due. */
  let due = 0;

  /** @param {number} now */
  function next(now) {
    const passed = Math.min(LONGEST, now - before) / 1000;
    before = now;
    due =
      speed === "fast"
        ? Number.POSITIVE_INFINITY
        : due + passed * (speed === "slow" ? STEPS : EPOCHS * stepsPerEpoch());
    const end = performance.now() + BUDGET;
    let goes = true;
    while (goes && due >= 1 && performance.now() < end) {
      goes = step();
      due -= 1;
    }
    // What a frame has no time for is left out.
    due = Math.min(due, 1);
    if (!goes || !reducedMotion() || now - drawn >= CALM) {
      drawn = now;
      draw();
    }
    if (goes) frame = requestAnimationFrame(next);
    else pause();
  }

  function pause() {
    if (frame === 0) return;
    cancelAnimationFrame(frame);
    frame = 0;
    stopped();
  }

  return {
    start() {
      if (frame !== 0) return;
      before = performance.now();
      due = 0;
      frame = requestAnimationFrame(next);
    },
    pause,
    /** @param {Speed} to */
    setSpeed(to) {
      speed = to;
      due = 0;
    },
    get running() {
      return frame !== 0;
    },
  };
}
