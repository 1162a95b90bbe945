// The choice between the steps of the film: every mistake, or every epoch.

import { h } from "../lib/dom.js";

const MODES = [
  { value: "mistakes", label: "Mistake by mistake" },
  { value: "epochs", label: "After each epoch" },
];

/** @param {string} chosen @param {(mode: string) => void} choose */
export const modeChoice = (chosen, choose) =>
  h(
    "div",
    { class: "segments boundary-modes", role: "radiogroup", "aria-label": "Steps of the film" },
    ...MODES.map(({ value, label }) => {
      const input = h("input", { type: "radio", name: "boundary-mode", value, on: { change: () => choose(value) } });
      input.checked = value === chosen;
      return h("label", {}, input, h("span", {}, label));
    }),
  );
