// The confusion matrix of the chosen epoch; a cell opens its images.

import { getSamples, pictureUrl } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { count, percent, plural } from "../lib/format.js";
import { confusionMatrix } from "../lib/confusion-matrix.js";
import { numbers } from "./cache.js";
import { thumbnail } from "./thumbnail.js";

/** @import { FrameAbout, Sample } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

/** Pairs of classes in the list. */
const LISTED = 6;

/** @typedef {{ truth: number, predicted: number, times: number }} Mistake */

/** The mistakes of a confusion matrix, the most frequent first. @param {number[][]} confusion @returns {Mistake[]} */
export function frequentMistakes(confusion) {
  const all = confusion.flatMap((row, truth) => row.map((times, predicted) => ({ truth, predicted, times })));
  const mistakes = all.filter(({ truth, predicted, times }) => truth !== predicted && times > 0);
  return mistakes.sort((a, b) => b.times - a.times);
}

/** @param {InsideContext} context @param {{ onImage: (id: string) => void }} listeners */
export function mistakesCard(context, { onImage }) {
  const about = h("p", { class: "muted small" });
  const frame = h("div", { class: "confusion-frame scrolls" });
  const title = h("h3", {});
  const hint = h(
    "p",
    { class: "muted small" },
    "Click a cell of the matrix to see its images, and an image to look at it.",
  );
  const gallery = h("div", { class: "thumbs" });
  const more = h(
    "button",
    { class: "button small", type: "button", hidden: true, on: { click: () => turnPage(page + 1) } },
    "More",
  );
  const list = h("ol", { class: "frequent" });
  const refused = h("p", { class: "refused", hidden: true });
  const element = h(
    "section",
    { class: "card mistakes-card", "aria-label": "Confusion matrix" },
    h("header", { class: "card-head" }, h("h2", {}, "Confusion matrix"), about),
    h(
      "div",
      { class: "card-body mistakes" },
      h("div", {}, frame, refused),
      h("div", { class: "samples" }, h("div", {}, title, hint), gallery, h("div", {}, more), list),
    ),
  );
  let turnNumber = 0;
  let page = 0;
  /** @type {{ truth: number, predicted: number } | null} */
  let cell = null;
  /** Whether the user chose the cell; else it is that of the most frequent mistake. */
  let isChosen = false;
  /** @type {Sample[]} */
  let samples = [];

  async function update() {
    const turn = ++turnNumber;
    const { frame: of } = context;
    if (!of) {
      refuse(
        context.film && context.film.frames.length > 0
          ? "The film has no frame of this checkpoint's epoch."
          : "The matrix appears after the first epoch with validation.",
      );
      return;
    }
    try {
      /** @type {FrameAbout} */
      const known = await numbers(context.run.id, `film/${of.name}`, { v: of.version }, of.version);
      if (turn !== turnNumber) return;
      if (!known.confusion) {
        refuse(
          known.epoch === 0
            ? "Nothing is evaluated before the end of the first epoch, so there is no matrix yet."
            : "Nothing was set aside for validation, so there is no matrix.",
        );
        return;
      }
      show(known);
    } catch (error) {
      if (turn === turnNumber) refuse(error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {string} words */
  function refuse(words) {
    refused.hidden = false;
    setText(refused, words);
    setText(about, "");
    frame.hidden = true;
    title.hidden = hint.hidden = true;
    gallery.replaceChildren();
    list.replaceChildren();
    more.hidden = true;
  }

  /** @param {FrameAbout} known */
  function show(known) {
    refused.hidden = true;
    frame.hidden = false;
    title.hidden = hint.hidden = false;
    const names = context.inside?.classes ?? [];
    setText(
      about,
      `validation after epoch ${known.epoch}${known.validation_accuracy === null ? "" : `: ${percent(known.validation_accuracy)} right`}`,
    );
    const confusion = known.confusion ?? [];
    const mistakes = frequentMistakes(confusion);
    if (!isChosen) cell = mistakes[0] ?? null;
    list.replaceChildren(...mistakes.slice(0, LISTED).map(pair));
    frame.replaceChildren(
      confusionMatrix(
        confusion,
        confusion.map((_, i) => names[i] ?? String(i)),
        { chosen: cell, onCell: (truth, predicted) => open(truth, predicted) },
      ),
    );
    if (cell) turnPage(0);
    else {
      setText(title, "No mistakes");
      gallery.replaceChildren();
      more.hidden = true;
    }
  }

  /** @param {Mistake} mistake */
  function pair({ truth, predicted, times }) {
    const names = context.inside?.classes ?? [];
    const name = (/** @type {number} */ of) => h("span", {}, names[of] ?? String(of));
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", on: { click: () => open(truth, predicted) } },
        h("span", { class: "pair" }, name(truth), " predicted as ", name(predicted)),
        h("b", {}, count(times)),
      ),
    );
  }

  /** @param {number} truth @param {number} predicted */
  function open(truth, predicted) {
    cell = { truth, predicted };
    isChosen = true;
    for (const td of frame.querySelectorAll("td[aria-current]")) td.removeAttribute("aria-current");
    frame
      .querySelector(`td[data-truth="${truth}"][data-predicted="${predicted}"]`)
      ?.setAttribute("aria-current", "true");
    turnPage(0);
  }

  /** @param {number} to */
  async function turnPage(to) {
    if (!cell) return;
    const asked = cell;
    const names = context.inside?.classes ?? [];
    const of = context.frame?.name ?? null;
    try {
      const found = await getSamples(context.run.id, {
        split: "validation",
        truth: asked.truth,
        predicted: asked.predicted,
        checkpoint: of,
        page: to || null,
      });
      if (cell !== asked || (context.frame?.name ?? null) !== of) return;
      page = to;
      samples = to === 0 ? found.samples : [...samples, ...found.samples];
      setText(
        title,
        `${names[asked.truth] ?? asked.truth} predicted as ${names[asked.predicted] ?? asked.predicted}: ${plural(found.total, "image")}${found.total > 1 ? ", most confident first" : ""}`,
      );
      gallery.replaceChildren(
        ...samples.map((sample) =>
          thumbnail({
            src: pictureUrl(context.run.id, `images/${sample.id}.png`, { size: 64 }),
            title: `${sample.id}: ${names[sample.truth]}${sample.confidence === null ? "" : `, ${percent(sample.confidence)} sure of ${names[sample.predicted ?? 0]}`}. Look at it.`,
            label: sample.confidence === null ? undefined : percent(sample.confidence),
            pressed: context.state.now.image === sample.id,
            eager: true,
            onClick: () => onImage(sample.id),
          }),
        ),
      );
      more.hidden = to + 1 >= found.pages;
      setText(more, `More (${count(samples.length)} of ${count(found.total)})`);
    } catch (error) {
      if (cell !== asked) return;
      samples = [];
      gallery.replaceChildren();
      more.hidden = true;
      setText(title, error instanceof Error ? error.message : String(error));
    }
  }

  return { element, update };
}
