// Samples of the data set to try a network on, before one has a photo.

import { h } from "../lib/dom.js";
import { thumbnail } from "../inside/thumbnail.js";

/** A sample to try. @typedef {{ id: string, name: string, label: string, src: string }} TestSample */

/** Samples that are offered at a time. */
const SHOWN = 12;

/**
 * @param {Promise<TestSample[]>} samples
 * @param {(sample: TestSample) => void} onPick
 */
export function samplesPanel(samples, onPick) {
  const tiles = h("div", { class: "thumbs" });
  const others = h(
    "button",
    { class: "button small", type: "button", on: { click: () => show(from + SHOWN) } },
    "Other samples",
  );
  const element = h(
    "div",
    { class: "try-samples", hidden: true },
    h("div", { class: "try-head" }, h("h2", {}, "Try a test sample"), others),
    h("p", { class: "muted small" }, "The network has never trained on these images. Below each is its true class."),
    tiles,
  );
  /** @type {TestSample[]} */
  let all = [];
  let from = 0;
  /** The sample that was tried last. */
  let picked = "";

  /** @param {TestSample} sample */
  function pick(sample) {
    picked = sample.id;
    all
      .slice(from, from + SHOWN)
      .forEach(({ id }, place) => tiles.children[place]?.setAttribute("aria-pressed", String(id === picked)));
    onPick(sample);
  }

  /** @param {number} begin */
  function show(begin) {
    from = begin < all.length ? begin : 0;
    tiles.replaceChildren(
      ...all.slice(from, from + SHOWN).map((sample) =>
        thumbnail({
          src: sample.src,
          title: `Classify ${sample.name}`,
          label: sample.label,
          eager: true,
          pressed: sample.id === picked,
          onClick: () => pick(sample),
        }),
      ),
    );
  }

  samples.then(
    (found) => {
      all = found;
      others.hidden = all.length <= SHOWN;
      element.hidden = all.length === 0;
      show(0);
    },
    // Photos can be classified all the same, and say what is wrong with the run.
    () => {},
  );
  return element;
}
