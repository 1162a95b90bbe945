// The settings: of the data, of the training, and of the network.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { ACTIVATIONS } from "./activations.js";
import { SETS } from "./data.js";
import { counter, menu, segments, slider, wholeNumber } from "./fields.js";
import { CLASSES, MAX_LAYERS, OFFERED, SAMPLES } from "./settings.js";
import { setChoice } from "./set-choice.js";

/** @import { ActivationName } from "./activations.js" */
/** @import { Playground } from "./playground.js" */

/** The width of a layer that is added. */
const NEW_WIDTH = 4;

/** @param {readonly number[]} values @param {(value: number) => string} [text] */
const offers = (values, text = String) => values.map((value) => ({ value, label: text(value) }));

/** The cards of data and training. @param {Playground} playground */
export function settingsCards(playground) {
  const set = setChoice((value) => playground.change({ set: value, noise: SETS[value].noise }));
  const noise = slider("Noise", { min: 0, max: 2, step: 0.01 }, (value, more) =>
    playground.change({ noise: value }, { more }),
  );
  const samples = slider("Samples", { min: SAMPLES.min, max: SAMPLES.max, step: 20 }, (value, more) =>
    playground.change({ samples: value }, { more }),
  );
  const classes = slider("Classes", { min: CLASSES.min, max: CLASSES.max, step: 1 }, (value, more) =>
    playground.change({ classes: value }, { more }),
  );
  const lr = menu("Learning rate", offers(OFFERED.lr), (value) => playground.change({ lr: value }));
  const batch = menu(
    "Batch size",
    offers(OFFERED.batch, (value) => (value === SAMPLES.max ? "All" : String(value))),
    (value) => playground.change({ batch: value }),
  );
  const optimizer = segments(
    "Optimizer",
    [
      { value: "sgd", label: "SGD" },
      { value: "adamw", label: "AdamW" },
    ],
    (value) => playground.change({ optimizer: value }),
  );
  const momentum = menu("Momentum", offers(OFFERED.momentum), (value) => playground.change({ momentum: value }));
  const decay = menu("Weight decay", offers(OFFERED.decay), (value) => playground.change({ decay: value }));
  const another = h(
    "button",
    {
      class: "button icon small",
      type: "button",
      "aria-label": "Another seed",
      title: "Another seed",
      on: { click: () => playground.change({ seed: playground.settings.seed + 1 }) },
    },
    icon("refresh", 14),
  );
  const seed = wholeNumber("Seed", (value) => playground.change({ seed: value }), another);
  const element = h(
    "div",
    { class: "pg-settings" },
    h(
      "section",
      { class: "card pg-card", "aria-label": "Data" },
      h("h2", {}, "Data"),
      set.element,
      noise.element,
      samples.element,
      classes.element,
    ),
    h(
      "section",
      { class: "card pg-card", "aria-label": "Training" },
      h("h2", {}, "Training"),
      lr.element,
      batch.element,
      optimizer.element,
      momentum.element,
      decay.element,
      seed.element,
    ),
  );

  function show() {
    const now = playground.settings;
    const { most, several } = SETS[now.set];
    set.show(now.set);
    noise.setMax(Math.max(most, now.noise));
    noise.show(now.noise);
    samples.show(now.samples);
    classes.show(now.classes);
    classes.element.hidden = !several;
    lr.show(now.lr);
    batch.show(now.batch);
    optimizer.show(now.optimizer);
    momentum.show(now.momentum);
    momentum.element.hidden = now.optimizer !== "sgd";
    decay.show(now.decay);
    seed.show(now.seed);
  }

  return { element, show };
}

/** The number of hidden layers, and their activation. @param {Playground} playground */
export function networkControls(playground) {
  const layers = counter(
    "Hidden layers",
    { less: "Remove the last hidden layer", more: "Add a hidden layer", min: 0, max: MAX_LAYERS },
    (by) => {
      const { hidden } = playground.settings;
      playground.change({ hidden: by > 0 ? [...hidden, hidden.at(-1) ?? NEW_WIDTH] : hidden.slice(0, -1) });
    },
  );
  const activation = segments(
    "Activation",
    Object.entries(ACTIVATIONS).map(([value, { label }]) => ({ value: /** @type {ActivationName} */ (value), label })),
    (value) => playground.change({ activation: value }),
    { visible: false },
  );
  return {
    element: h("div", { class: "net-controls" }, layers.element, activation.element),
    show() {
      const { hidden, activation: now } = playground.settings;
      layers.show(hidden.length);
      activation.show(now);
      activation.element.hidden = hidden.length === 0;
    },
  };
}
