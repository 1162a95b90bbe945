// Lessons: settings, and what to look for.

import { DEFAULTS } from "./settings.js";
import { SETS } from "./data.js";

/** @import { Settings } from "./settings.js" */

/** @typedef {{ id: string, title: string, look: string, settings: Settings }} Lesson */

/** @param {string} id @param {string} title @param {Partial<Settings>} settings @param {string} look @returns {Lesson} */
function lesson(id, title, settings, look) {
  const set = settings.set ?? DEFAULTS.set;
  return { id, title, look, settings: { ...DEFAULTS, noise: SETS[set].noise, ...settings } };
}

/** @type {Lesson[]} */
export const LESSONS = [
  lesson(
    "xor",
    "A perceptron cannot do exclusive or",
    { set: "xor", hidden: [] },
    "One straight line leaves more than a third of the points wrong, however long it trains; add a hidden layer of four neurons and watch them being told apart.",
  ),
  lesson(
    "sigmoid",
    "Sigmoid hardly leaves the ground",
    { set: "circles", hidden: [8, 8, 8, 8], activation: "sigmoid" },
    "Look at the bars under the layers: the gradient of the first is hundreds of times smaller than that of the last, so the loss stays where it began; choose Tanh, and it falls within a few epochs.",
  ),
  lesson(
    "rate",
    "Too large a rate",
    { set: "moons", hidden: [8, 8], lr: 3 },
    "The loss leaps instead of falling, and the boundary jumps from batch to batch; a tenth of the learning rate still trembles, a hundredth settles.",
  ),
  lesson(
    "neurons",
    "More neurons, rounder boundaries",
    { set: "circles", hidden: [3], activation: "relu", seed: 3 },
    "Three neurons with ReLU fold the plane along three lines, so the inner circle gets a fence of few corners; add neurons one by one, and it gets rounder.",
  ),
  lesson(
    "noise",
    "Noise and overfitting",
    { set: "circles", noise: 0.25, samples: 100, hidden: [8, 8, 8], activation: "relu", optimizer: "adamw", lr: 0.01 },
    "The training loss goes on falling while the test loss turns and rises, as the boundary bends around single points; more points or fewer neurons bring the two together.",
  ),
];
