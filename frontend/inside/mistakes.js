// The confusion matrix of the chosen epoch; a cell opens its images.

import { getSamples, pictureUrl } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { count, percent, plural } from "../lib/format.js";
import { confusionMatrix } from "../lib/confusion-matrix.js";
import { numbers } from "./cache.js";
import { thumbnail } from "./thumbnail.js";

/** @import { FrameAbout, Sample } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

/** @param {InsideContext} context @param {{ onImage: (id: string) => void }} listeners */
export function mistakesCard(context, { onImage }) {
  const about = h("p", { class: "muted small" });
  const frame = h("div", { class: "confusion-frame" });
  const title = h("h3", {}, "Click a cell to see its images");
  const gallery = h("div", { class: "thumbs" });
  const more = h(
    "button",
    { class: "button small", type: "button", hidden: true, on: { click: () => turnPage(page + 1) } },
    "More",
  );
  const refused = h("p", { class: "refused", hidden: true });
  const element = h(
    "section",
    { class: "card mistakes-card", "aria-label": "Confusion matrix" },
    h("header", { class: "card-head" }, h("h2", {}, "Confusion matrix"), about),
    h(
      "div",
      { class: "card-body mistakes" },
      h("div", {}, frame, refused),
      h("div", { class: "samples" }, title, gallery, h("div", {}, more)),
    ),
  );
  let turnNumber = 0;
  let page = 0;
  /** @type {{ truth: number, predicted: number } | null} */
  let cell = null;
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
    title.hidden = true;
    gallery.replaceChildren();
    more.hidden = true;
  }

  /** @param {FrameAbout} known */
  function show(known) {
    refused.hidden = true;
    frame.hidden = false;
    title.hidden = false;
    const names = context.inside?.classes ?? [];
    setText(
      about,
      `validation after epoch ${known.epoch}${known.validation_accuracy === null ? "" : `: ${percent(known.validation_accuracy)} right`}`,
    );
    const confusion = known.confusion ?? [];
    frame.replaceChildren(
      confusionMatrix(
        confusion,
        confusion.map((_, i) => names[i] ?? String(i)),
        { chosen: cell, onCell: (truth, predicted) => open(truth, predicted) },
      ),
    );
    if (cell) turnPage(0);
  }

  /** @param {number} truth @param {number} predicted */
  function open(truth, predicted) {
    cell = { truth, predicted };
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
