// The confusion matrix with the images of its cells, and the mistakes of which the network is most certain.

import { getSamples, pictureUrl } from "../lib/api.js";
import { confusionMatrix } from "../lib/confusion-matrix.js";
import { siteUrl } from "../lib/base-path.js";
import { h, setText } from "../lib/dom.js";
import { count, formatNumber, percent, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { thumbnail } from "../inside/thumbnail.js";
import { gallery } from "./gallery.js";

/** @import { Run, RunEvaluation } from "../lib/types" */

const SIZE = 64;
/** Frequent mistakes in the list. */
const LISTED = 8;

/** A link to a sample inside the network. @param {Run} run @param {string} sample */
const insideLink = (run, sample) => `${run.url}/inside?image=${encodeURIComponent(sample)}`;

/** @param {Run} run @param {RunEvaluation} evaluation @param {string} split @param {boolean} isImages */
export function confusionCard(run, evaluation, split, isImages) {
  const { classes, confusion, confusions } = evaluation;
  const title = h("h3", {}, "The most frequent mistakes");
  const images = gallery("div", "thumbs");
  const frame = h("div", { class: "confusion-frame scrolls" });
  // The samples of the training split are not listed by their predictions.
  const onCell = isImages && split !== "train" ? open : undefined;
  if (confusion) frame.append(confusionMatrix(confusion, classes, { onCell }));
  else
    frame.append(h("p", { class: "refused" }, `A matrix of ${count(classes.length)} classes would not be readable.`));
  let turn = 0;

  /** @param {number} truth @param {number} predicted */
  async function open(truth, predicted) {
    const mine = ++turn;
    for (const td of frame.querySelectorAll("td[aria-current]")) td.removeAttribute("aria-current");
    frame
      .querySelector(`td[data-truth="${truth}"][data-predicted="${predicted}"]`)
      ?.setAttribute("aria-current", "true");
    try {
      const found = await getSamples(run.id, { split, truth, predicted, checkpoint: evaluation.checkpoint.name });
      if (mine !== turn) return;
      const shown = found.total > found.samples.length ? `, the ${found.samples.length} most confident` : "";
      setText(title, `${classes[truth]} predicted as ${classes[predicted]}: ${plural(found.total, "image")}${shown}`);
      images.show(
        found.samples.map(({ id, confidence }) =>
          picture(run, id, `${classes[truth]} predicted as ${classes[predicted]}`, percent(confidence)),
        ),
      );
    } catch (error) {
      if (mine !== turn) return;
      images.show([]);
      setText(title, error instanceof Error ? error.message : String(error));
    }
  }

  const list = confusions.slice(0, LISTED).map(({ truth, predicted, count: times }) => {
    const words = [
      h("span", { class: "pair" }, h("span", {}, classes[truth]), " predicted as ", h("span", {}, classes[predicted])),
      h("b", {}, count(times)),
    ];
    return h(
      "li",
      {},
      onCell
        ? h("button", { type: "button", on: { click: () => open(truth, predicted) } }, ...words)
        : h("p", {}, ...words),
    );
  });
  if (onCell && confusions.length > 0) void open(confusions[0].truth, confusions[0].predicted);
  return h(
    "section",
    { class: "card confusion-card wide-matrix", "aria-label": "Confusion matrix" },
    h(
      "header",
      { class: "card-head" },
      h(
        "div",
        {},
        h("h2", {}, "What is taken for what"),
        h(
          "p",
          { class: "muted small" },
          `Rows are the true classes, columns the predicted ones; the diagonal is right.${onCell ? " Press a cell to see its images." : ""}`,
        ),
      ),
    ),
    h(
      "div",
      { class: "card-body confusion-columns" },
      frame,
      h(
        "div",
        { class: "samples" },
        title,
        images.element,
        list.length > 0 ? h("ol", { class: "frequent" }, ...list) : h("p", { class: "muted" }, "No mistakes."),
      ),
    ),
  );
}

/** @param {Run} run @param {RunEvaluation} evaluation @param {string} split @param {boolean} isImages */
export function mistakesCard(run, evaluation, split, isImages) {
  const { classes, mistakes, scores } = evaluation;
  const sure = (/** @type {number} */ value) => (scores === "margins" ? formatNumber(value) : percent(value));
  const all = mistakes.map(({ index, truth, predicted, confidence }) => {
    const words = `${classes[truth]} predicted as ${classes[predicted]}`;
    if (isImages)
      return picture(
        run,
        `${split}:${index}`,
        `${words}, ${sure(confidence)} sure`,
        `${classes[truth]} → ${classes[predicted]}`,
      );
    return h("li", {}, `Sample ${count(index)}: ${words}, ${sure(confidence)}`);
  });
  const list = gallery(isImages ? "div" : "ul", isImages ? "thumbs" : "point-mistakes");
  list.show(all);
  return h(
    "section",
    { class: "card confident-card", "aria-label": "Most confident mistakes" },
    h(
      "header",
      { class: "card-head" },
      h(
        "div",
        {},
        h("h2", {}, "Most confident mistakes"),
        h(
          "p",
          { class: "muted small" },
          isImages
            ? "The network was surest here, and wrong. Often it is the label that is wrong. Press an image to see what the network makes of it."
            : "The network was surest here, and wrong.",
        ),
      ),
      // Sets that can be corrected have versions.
      run.spec.data?.version !== undefined &&
        h(
          "a",
          { class: "button small", href: siteUrl(`/data/${encodeURIComponent(run.spec.data.set)}/labels`) },
          icon("tag", 14),
          "Look for wrong labels",
        ),
    ),
    h("div", { class: "card-body" }, all.length === 0 ? h("p", { class: "muted" }, "No mistakes.") : list.element),
  );
}

/** @param {Run} run @param {string} sample @param {string} title @param {string} label */
function picture(run, sample, title, label) {
  return thumbnail({
    src: pictureUrl(run.id, `images/${sample}.png`, { size: SIZE }),
    title: `${title} (${sample}). Look inside.`,
    label,
    href: insideLink(run, sample),
    eager: true,
  });
}
