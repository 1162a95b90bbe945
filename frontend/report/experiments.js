// The experiments of a course as a report tells them: the question, figures and tables, and what to look for. The text asks
// questions and leaves the answers to the author.

import { writeBlock } from "./block.js";

/** @import { Preset, Run } from "../lib/types" */

/**
 * The runs of an experiment: `runs` as a report names them, `of` all of them, `run` the one to inspect and `image` what it
 * is shown; `title` their name; `seeds`: whether some differ by their seed alone; `exactly`: whether they have the settings
 * of the preset; `values`: what a sweep varies, in words.
 * @typedef {{
 *   runs: string, run: Run, of?: Run[], title?: string, image?: string, seeds?: boolean, exactly?: boolean, values?: string,
 * }} Subject
 */

/**
 * `preset`: the preset that starts it, whose title and question it has, unless it is about a part of it and has its own;
 * `ask`: the question about other values than the preset's; `looksInside`: it is about one network's inside, not about
 * its accuracy.
 * @typedef {{
 *   id: string,
 *   number: number,
 *   preset: string,
 *   title?: string,
 *   question?: string,
 *   ask?: (values: string) => string,
 *   looksInside?: boolean,
 *   body: (subject: Subject) => string[],
 *   look: string[],
 * }} Experiment
 */

/** @param {string} kind @param {{ [name: string]: string | number }} settings */
export const figure = (kind, settings) =>
  writeBlock({ kind, settings: new Map(Object.entries(settings).map(([name, value]) => [name, String(value)])) });

/** The image of a figure, unless it is the pinned one, which is the default. @param {Subject} subject @returns {{ [name: string]: string }} */
const imageOf = ({ image }) => (image && image !== "pinned" ? { image } : {});

/** Training and validation, of loss and of accuracy. */
const ALL_SERIES = "train_loss, train_accuracy, validation_loss, validation_accuracy";

/** @param {Subject} subject */
export const setUp = ({ runs }) => ["### Set-up", figure("settings", { runs })];

/** Loss beside accuracy, training with validation. @param {Subject} subject @param {{ [name: string]: string }} [more] */
export const curves = ({ runs }, more = {}) => [
  "### While they train",
  figure("curve", { runs, series: ALL_SERIES, ...more }),
];

/** @param {Subject} subject */
const outcome = ({ runs, seeds }) => [
  "### Results",
  figure("results", { runs, columns: "outcome" }),
  // A ranking says something where several seeds tell how far chance goes.
  ...(seeds ? [figure("ranking", { runs })] : []),
];

/** With the means and deviations over epochs. @param {Subject} subject */
export const results = ({ runs, seeds }) => {
  const [heading, ...tables] = outcome({ runs, seeds, run: /** @type {any} */ (null) });
  return [heading, figure("results", { runs, columns: "epochs" }), ...tables];
};

/**
 * What an experiment is called and asks: the same on every page.
 * @param {Experiment} experiment
 * @param {Preset[]} presets
 */
export function wordsOf({ id, title, preset, question }, presets) {
  const from = presets.find((known) => known.id === preset);
  return { title: title ?? from?.title ?? id, question: question ?? from?.question ?? "" };
}

/** @type {Experiment[]} */
export const EXPERIMENTS = [
  {
    id: "perceptron",
    number: 1,
    preset: "perceptron-on-blobs",
    body: (subject) => [
      ...setUp(subject),
      "### The boundary, epoch by epoch",
      figure("boundary", { run: subject.run.id, epoch: "0, 1, 2, 3", name: "boundary" }),
      "### While it trains",
      figure("curve", { series: "train_loss, train_accuracy", runs: subject.run.id, smoothing: 0 }),
    ],
    look: [
      "Where does the line of {{ref boundary}} lie before training, and which points move it first?",
      "Does it still move once every point is on its side?",
    ],
  },
  {
    id: "batch-size",
    number: 2,
    preset: "batch-size",
    ask: (values) => `The same network on batches of ${values}. Where is the noise, and what does a step cost?`,
    body: (subject) => [
      ...setUp(subject),
      "### The noise",
      figure("curve", { series: "train_loss, train_accuracy", runs: subject.runs, smoothing: 0, name: "noise" }),
      ...curves(subject),
      ...outcome(subject),
    ],
    look: [
      "Which batch size has the noisiest loss in {{ref noise}}, and why would an average over more samples be calmer?",
      "After the same number of samples, which has learnt most? How many steps did each take for it?",
      "What does a small batch cost in time?",
    ],
  },
  {
    id: "learning-rate",
    number: 3,
    preset: "learning-rate",
    ask: (values) => `Learning rates of ${values}. Which one is stuck, which one crawls, which one learns?`,
    body: (subject) => [...setUp(subject), ...curves(subject), ...outcome(subject)],
    look: [
      "What does the largest rate do in the first steps: does the loss rise before it falls, or stay high?",
      "How far does the smallest one come in the same time?",
      "Would more epochs change the order?",
    ],
  },
  {
    id: "activation",
    number: 4,
    preset: "activation",
    ask: (values) => `${values} in the same network. Which one leaves the ground first, and why?`,
    body: (subject) => [...setUp(subject), ...curves(subject), ...outcome(subject)],
    look: [
      "Which one is slow at the start? How steep is its function at most, and what does a product of such slopes do to a gradient?",
      "Does it catch up?",
    ],
  },
  {
    id: "convolution",
    number: 5,
    title: "A convolution by hand",
    preset: "vgg16-inside",
    looksInside: true,
    question:
      "Each output of a convolution is a sum of products, and so is each gradient. Do the numbers agree with what is computed by hand?",
    // A sample has something in the middle, whose value is shown.
    body: ({ run }) => [
      "### Forward",
      figure("photo", { run: run.id }),
      figure("arithmetic", { run: run.id, layer: "first convolution" }),
      "### Backward",
      figure("arithmetic", { run: run.id, layer: "first convolution", way: "backward" }),
    ],
    look: [
      "Take one product and check it by hand; then add up a row.",
      "Which pixels does the gradient reach, and through how many kernels does it come back to one?",
    ],
  },
  {
    id: "convolutional-networks",
    number: 6,
    preset: "convolutional-networks",
    ask: (values) => `${values} on the same images. Which learns most in the same epochs, and what does it weigh?`,
    body: (subject) => [
      ...setUp(subject),
      ...curves(subject, { panels: "runs", x: "epoch", name: "networks" }),
      ...results(subject),
      figure("scatter", { runs: subject.runs, cost: "seconds, parameters" }),
    ],
    look: [
      "Where do training and validation part in {{ref networks}}, and in which network first?",
      "How much accuracy does each million of parameters bring?",
      "What do the skips of the deep residual network make possible?",
    ],
  },
  {
    id: "wide-against-deep",
    number: 7,
    preset: "wide-against-deep",
    ask: (values) => `${values} on the same images. Which learns more, in what time and memory?`,
    body: (subject) => [...setUp(subject), ...curves(subject, { x: "epoch" }), ...results(subject)],
    look: [
      "Which has the smaller deviation over epochs?",
      "Where do the parameters of each lie, and how often is each one used for an image?",
    ],
  },
  {
    id: "filters",
    number: 8,
    title: "Filters",
    preset: "vgg16-inside",
    looksInside: true,
    question: "What have the first and the last convolution of VGG16 learnt to look for?",
    body: ({ run }) => [
      "### The first convolution",
      figure("filters", { run: run.id, layer: "first convolution" }),
      "### The last convolution",
      figure("filters", { run: run.id, layer: "last convolution" }),
    ],
    look: [
      "Which filters of the first layer look for edges, which for colours?",
      "Can a filter of the last layer be read at all? What would one have to know to read it?",
    ],
  },
  {
    id: "feature-maps",
    number: 9,
    title: "Feature maps",
    preset: "vgg16-inside",
    looksInside: true,
    question: "What do the first and the last convolution of VGG16 make of one image?",
    body: (subject) => {
      const of = { run: subject.run.id, ...imageOf(subject) };
      return [
        figure("photo", of),
        "### The first convolution",
        figure("features", { ...of, layer: "first convolution" }),
        "### The last convolution",
        figure("features", { ...of, layer: "last convolution" }),
      ];
    },
    look: [
      "What of the image can still be recognised in the first maps, and what in the last?",
      "How many maps of the last layer are silent?",
    ],
  },
];
