// The run that the playground's settings describe.

import { SETS } from "./data.js";

/** @import { Settings } from "./settings.js" */

/** The epochs of a run where none was trained here. */
const EPOCHS = 100;

/**
 * The RunSpec with these settings. Validation is left out, so that the run has the same training points; a network
 * without hidden layers is the run's perceptron.
 * @param {Settings} settings
 * @param {number} epochs those that were trained here
 */
export function runSpec(settings, epochs) {
  const { set, noise, samples, classes, hidden, activation, lr, batch, optimizer, momentum, decay, seed } = settings;
  return {
    data: { set, samples, noise, ...(SETS[set].several ? { classes } : {}), validation: 0 },
    network: hidden.length > 0 ? { kind: "mlp", hidden, activation } : { kind: "perceptron" },
    training: {
      epochs: epochs > 0 ? epochs : EPOCHS,
      batch_size: batch,
      optimizer: { kind: optimizer, lr, ...(optimizer === "sgd" ? { momentum } : {}), weight_decay: decay },
      seed,
    },
  };
}

/** The query of the form with a RunSpec. @param {ReturnType<typeof runSpec>} spec */
export const formQuery = (spec) => `?spec=${encodeURIComponent(JSON.stringify(spec))}`;
