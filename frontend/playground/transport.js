// The buttons that train, the figures of now, and sentences of what is seen.

import { h, setText } from "../lib/dom.js";
import { count, formatNumber, percent } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { segments } from "./fields.js";

/** @import { Evaluation } from "./train.js" */
/** @import { Speed } from "./loop.js" */

/**
 * @param {{ toggle: () => void, step: () => void, epoch: () => void, reset: () => void, speed: (speed: Speed) => void }} on
 */
export function transport(on) {
  const word = h("span", {}, "Run");
  const sign = h("span", { class: "transport-sign" }, icon("play", 14));
  const play = h(
    "button",
    { class: "button primary transport-play", type: "button", title: "Space", on: { click: on.toggle } },
    sign,
    word,
  );
  const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ click) =>
    h("button", { class: "button", type: "button", title, on: { click } }, text);
  const step = button("Step", "Train on one batch", on.step);
  const epoch = button("Epoch", "Train on every training point once", on.epoch);
  const reset = button("Reset", "Begin with the first weights again", on.reset);
  const speed = segments(
    "Speed",
    [
      { value: "slow", label: "Slow", title: "5 steps a second" },
      { value: "normal", label: "Normal", title: "5 epochs a second" },
      { value: "fast", label: "Fast", title: "As many steps as the browser has time for" },
    ],
    on.speed,
    { visible: false },
  );
  speed.show("normal");
  const figures = ["Epoch", "Step", "Training loss", "Test loss", "Training accuracy", "Test accuracy"].map((label) => {
    const value = h("dd", {});
    return { value, element: h("div", {}, h("dt", {}, label), value) };
  });
  const sentences = h("p", { class: "findings" });
  const element = h(
    "section",
    { class: "card transport", "aria-label": "Steps and figures" },
    h("div", { class: "transport-buttons" }, play, step, epoch, reset, speed.element),
    h("dl", { class: "transport-figures" }, ...figures.map((one) => one.element)),
    sentences,
  );

  return {
    element,
    /** @param {boolean} running */
    setRunning(running) {
      setText(word, running ? "Pause" : "Run");
      sign.replaceChildren(icon(running ? "pause" : "play", 14));
    },
    /** @param {boolean} possible whether training can go on */
    setPossible(possible) {
      for (const one of [play, step, epoch]) one.disabled = !possible;
    },
    /** @param {string[]} found */
    say(found) {
      setText(sentences, found.join(" "));
    },
    /** @param {Evaluation} now @param {number} epochs @param {number} steps */
    show({ train, test }, epochs, steps) {
      const texts = [
        count(epochs),
        count(steps),
        formatNumber(train.loss),
        formatNumber(test.loss),
        percent(train.accuracy),
        percent(test.accuracy),
      ];
      for (const [i, { value }] of figures.entries()) setText(value, texts[i]);
    },
  };
}
