// Training step by step: batches in the order of a run, evaluations, the curves so far. No DOM here.

import { backward, createNetwork, createWorkspace, crossEntropy, forward, parameters } from "./network.js";
import { createState, update } from "./optimizer.js";
import { Generator } from "./random.js";

/** @import { Data, Samples } from "./data.js" */
/** @import { Settings } from "./settings.js" */

/** @typedef {{ loss: number, accuracy: number }} Scores */

/**
 * What is known after some steps; `epoch` counts parts of an epoch too.
 * @typedef {{ epoch: number, train: Scores, test: Scores }} Evaluation
 */

/** Beyond this many evaluations, every second one is dropped. */
const MOST_EVALUATIONS = 1200;

/** @typedef {ReturnType<typeof createTrainer>} Trainer */

/** @param {Data} data @param {Settings} settings those of the network and its seed are fixed */
export function createTrainer(data, { hidden, activation, seed, optimizer: kind }) {
  const { train, test, classes } = data;
  const network = createNetwork({ hidden, activation, classes, seed });
  const tensors = parameters(network);
  const workspace = createWorkspace(network, Math.max(train.count, test.count));
  let state = createState(tensors);
  let optimizer = kind;
  /** Complete epochs, and steps of all. */
  let epochs = 0;
  let steps = 0;
  let order = orderOf(1);
  /** Samples of this epoch that were trained on. */
  let given = 0;
  /** @type {Evaluation[]} */
  let history = [];
  /** How many epochs lie between two evaluations that are kept. */
  let spacing = 1;
  history.push(evaluate());

  /** @param {number} epoch from 1 */
  function orderOf(epoch) {
    return new Generator(seed, `order ${epoch}`).shuffle([...train.labels.keys()]);
  }

  /** Trains on one batch. @param {Settings} settings */
  function step(settings) {
    if (settings.optimizer !== optimizer) {
      state = createState(tensors);
      optimizer = settings.optimizer;
    }
    const batch = take(train, order.slice(given, given + settings.batch));
    const { loss } = backward(network, workspace, batch);
    update(tensors, state, settings);
    steps += 1;
    given += batch.count;
    if (given < train.count) return loss;
    epochs += 1;
    given = 0;
    order = orderOf(epochs + 1);
    if (epochs % spacing === 0) keep();
    return loss;
  }

  /** Trains to the end of the epoch. @param {Settings} settings */
  function epoch(settings) {
    const from = epochs;
    while (epochs === from) step(settings);
  }

  function keep() {
    history.push(evaluate());
    if (history.length <= MOST_EVALUATIONS) return;
    spacing *= 2;
    history = history.filter((one) => one.epoch % spacing === 0);
  }

  /** @returns {Evaluation} */
  function evaluate() {
    return { epoch: epochs + given / train.count, train: scores(train), test: scores(test) };
  }

  /** @param {Samples} samples @returns {Scores} */
  function scores({ values, labels, count }) {
    const { loss, correct } = crossEntropy(forward(network, workspace, values, count), labels, count, classes);
    return { loss, accuracy: correct / count };
  }

  /** The mean magnitude of the gradient of each layer's weights, over all training points. */
  function gradients() {
    backward(network, workspace, train);
    return network.layers.map(({ weightGradient }) => {
      let sum = 0;
      for (const one of weightGradient) sum += Math.abs(one);
      return sum / weightGradient.length;
    });
  }

  return {
    network,
    step,
    epoch,
    evaluate,
    gradients,
    /** Whether all parameters are finite. */
    isFinite: () => tensors.every(([values]) => values.every(Number.isFinite)),
    get history() {
      return history;
    },
    get epochs() {
      return epochs;
    },
    get steps() {
      return steps;
    },
  };
}

/** Some of the samples. @param {Samples} samples @param {number[]} indices @returns {Samples} */
function take({ values, labels }, indices) {
  const batch = {
    values: new Float64Array(2 * indices.length),
    labels: new Uint8Array(indices.length),
    count: indices.length,
  };
  for (const [i, index] of indices.entries()) {
    batch.values[2 * i] = values[2 * index];
    batch.values[2 * i + 1] = values[2 * index + 1];
    batch.labels[i] = labels[index];
  }
  return batch;
}
