// What to look at while a run trains, and what its curves say when it has ended. No DOM here.

import { count, percent } from "../lib/format.js";
import { settingsOf } from "../lib/settings-diff.js";
import { isActive } from "../lib/status.js";
import { isNearChance } from "../runs/chance.js";
import { formWith } from "./advice.js";
import { isOfImages } from "./pages.js";

/** @import { Json, Run } from "../lib/types" */
/** @import { Advice } from "./advice.js" */

/** Training that is so much more accurate than validation is more than chance among a few hundred samples. */
const GAP = 0.05;
/** Where the validation loss is so many times the training loss, the curves have parted. */
const APART = 5;
/** The curves of fewer epochs say little. */
const FEW_EPOCHS = 3;
/** The last part of the epochs: a best epoch in it says that the run was still improving. */
const LATE = 0.9;
/** Up to this part of the epochs, the best one was early. */
const EARLY = 0.5;

/** What works against overfitting, where a run has none of it, with usual values. @type {[string, Json, string][]} */
const AGAINST_OVERFITTING = [
  ["network.dropout", 0.5, "dropout 0.5"],
  ["training.optimizer.weight_decay", 0.0005, "weight decay 0.0005"],
];

/** @param {Run} run @returns {Advice | null} */
export function hintFor(run) {
  if (run.source) return null;
  if (isActive(run)) return { text: whileTraining(run), steps: [] };
  return run.status === "finished" && run.reason === "completed" ? ended(run) : null;
}

/** What to look for. @param {Run} run */
function whileTraining(run) {
  const leave = "Training goes on when this page is closed.";
  if (run.spec.network?.kind === "perceptron")
    return `the line: only a point on its wrong side moves it, and it rests once there is none. ${leave}`;
  if (!isOfImages(run))
    return `the line between the colours: it bends until it divides the classes. Where it winds around single points, the network learns noise. ${leave}`;
  const { train_accuracy: train, validation_accuracy: validation } = run.summary;
  const { train_loss: loss, validation_loss: lossOfNew } = run.summary;
  if (train !== null && validation !== null && train - validation > GAP)
    return `whether the gap grows: it knows its training samples (${percent(train)}) better than those of the validation (${percent(validation)}), which is overfitting. ${leave}`;
  if (!settingsOf(run).get("data.validation"))
    return `a loss that falls. Without validation samples, only the test at the end says how well the network does on new ones. ${leave}`;
  if (loss !== null && lossOfNew !== null && lossOfNew > APART * loss)
    return `whether the validation loss turns and rises: the training loss is far below it, so that what the network still learns is mostly by heart. ${leave}`;
  return `losses that fall together. When the validation loss rises and the training loss does not, the network learns by heart. ${leave}`;
}

/** @param {Run} run @returns {Advice | null} */
function ended(run) {
  // Its film of mistakes says how it ended.
  if (run.spec.network?.kind === "perceptron") return null;
  const { epoch, best_epoch: best, train_accuracy: train, validation_accuracy: validation } = run.summary;
  const settings = settingsOf(run);
  if (isNearChance(run))
    return {
      text: "It hardly does better than guessing: the learning rate may be too high or too low, or the epochs too few.",
      steps: [],
    };
  const isTold = epoch !== null && epoch >= FEW_EPOCHS;
  if (isTold && train !== null && validation !== null && train - validation > GAP) {
    const against = AGAINST_OVERFITTING.find(([path]) => settings.get(path) === 0);
    return {
      text: `It knows its training samples (${percent(train)}) better than those of the validation (${percent(validation)}): it overfits. Dropout, weight decay, augmentation or more samples work against that.`,
      steps: against
        ? [{ label: `New run with ${against[2]}`, href: formWith(run, { [against[0]]: against[1] }) }]
        : [],
    };
  }
  if (best === null || !isTold || train === null) return null;
  if (best <= epoch * EARLY)
    return {
      text: `Its best validation accuracy came with epoch ${count(best)} of ${count(epoch)}; the epochs after it gained nothing.`,
      steps: [],
    };
  if (best < epoch * LATE || train === 1) return null;
  const more = epoch * 2;
  return {
    text: "Its last epochs were still among the best: more of them may gain more.",
    steps: [{ label: `New run with ${count(more)} epochs`, href: formWith(run, { "training.epochs": more }) }],
  };
}
