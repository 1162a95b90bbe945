// The predicted classes as bars, and the attention map.

import { inspectPicture } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { classBars } from "../predict/bars.js";
import { awaited, numbers } from "./cache.js";
import { CONVOLUTIONS } from "./layer-names.js";

/** @import { FrameAbout, Prediction, Scored } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

/** Number of classes shown. */
const MAX_CLASSES = 10;

/** @param {InsideContext} context */
export function predictionsCard(context) {
  const bars = classBars();
  const note = h("p", { class: "muted small" });
  const element = h(
    "section",
    { class: "card predictions", "aria-label": "Prediction" },
    h("header", { class: "card-head" }, h("h2", {}, "Prediction")),
    h("div", { class: "card-body" }, bars.element, note),
  );
  let turnNumber = 0;
  /** The classes of the images that were shown, by their keys; null where one is unknown. @type {Map<string, number | null>} */
  const truths = new Map();

  async function update() {
    const turn = ++turnNumber;
    const one = context.of();
    try {
      const [top, truth] = context.filming ? await ofFrame(one) : await ofNetwork(one);
      if (turn !== turnNumber) return;
      show(top, truth);
    } catch (error) {
      if (turn !== turnNumber) return;
      bars.show([]);
      setText(note, error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {ReturnType<InsideContext["of"]>} one @returns {Promise<[Scored[], number | null]>} */
  async function ofNetwork(one) {
    const { key } = context.pictured();
    /** @type {Prediction} */
    const answer = await numbers(one.run, "predict", one.query, one.stamp);
    const truth = answer.image.truth ?? null;
    truths.set(key, truth);
    return [answer.top, truth];
  }

  /** @param {ReturnType<InsideContext["of"]>} one @returns {Promise<[Scored[], number | null]>} */
  async function ofFrame(one) {
    /** @type {FrameAbout} */
    const frame = await numbers(one.run, `film/${one.query.checkpoint}`, { v: one.query.v }, one.stamp);
    const { image, key } = context.pictured();
    if (image !== null && !truths.has(key)) void askTruth(image, key);
    return [frame.top, truths.get(key) ?? null];
  }

  /**
   * A frame does not tell the class of its image, and a checkpoint does. The film does not wait for it.
   * @param {string} image @param {string} key
   */
  async function askTruth(image, key) {
    const checkpoint = context.inside?.checkpoints[0];
    if (!checkpoint) return;
    truths.set(key, null);
    const one = context.of(checkpoint.name);
    const name = image === "pinned" ? (context.film?.pinned.image ?? image) : image;
    try {
      /** @type {Prediction} */
      const answer = await numbers(one.run, "predict", { ...one.query, image: name }, one.stamp);
      truths.set(key, answer.image.truth ?? null);
      if (context.filming && context.pictured().key === key) void update();
    } catch {
      // The scores are shown without it.
    }
  }

  /** @param {Scored[]} top @param {number | null} truth */
  function show(top, truth) {
    if (top.length > 0 && top.every(({ score }) => !Number.isFinite(score))) {
      bars.show([]);
      setText(note, "The scores are not numbers: the network has diverged.");
      return;
    }
    const told = top.slice(0, MAX_CLASSES);
    const own = top.find((scored) => scored.class === truth);
    if (own && !told.includes(own)) told.push(own);
    bars.show(told, { truth });
    const more = top.length - told.length;
    // A frame has the highest scores alone.
    const name = own?.name ?? context.inside?.classes[truth ?? -1];
    const right =
      truth === null
        ? ""
        : top[0]?.class === truth
          ? "The prediction is correct."
          : name
            ? `The prediction is wrong: the class is ${name}.`
            : "The prediction is wrong.";
    const rest =
      more === 1
        ? "The class with the lowest score is not shown."
        : more > 1
          ? `The ${more} classes with the lowest scores are not shown.`
          : "";
    setText(note, [right, rest].filter(Boolean).join(" "));
  }

  return { element, update };
}

/**
 * The attention map: Grad-CAM, or the gradient of a class score with respect to the image.
 * @param {InsideContext} context
 */
export function attentionCard(context) {
  const image = h("img", { alt: "" });
  const select = (/** @type {string} */ label, /** @type {[string, string][]} */ options) =>
    h(
      "select",
      { class: "select", "aria-label": label, on: { change: () => update() } },
      ...options.map(([value, text]) => h("option", { value }, text)),
    );
  const method = select("Method", [
    ["grad-cam", "Grad-CAM"],
    ["gradient", "Input gradient"],
  ]);
  // Grad-CAM is made of the maps of a convolution.
  const [gradCam] = method.options;
  const of = select("Class", [["", "the predicted class"]]);
  const note = h("p", { class: "muted small" });
  const element = h(
    "section",
    { class: "card attention", "aria-label": "Where it looks" },
    h("header", { class: "card-head" }, h("h2", {}, "Where it looks")),
    h("div", { class: "card-body" }, h("div", { class: "attention-tools" }, method, of), image, note),
  );
  let turnNumber = 0;
  let url = "";

  async function update() {
    const turn = ++turnNumber;
    const classes = context.inside?.classes ?? [];
    if (of.options.length !== classes.length + 1)
      of.replaceChildren(
        h("option", { value: "" }, "the predicted class"),
        ...classes.map((name, i) => h("option", { value: i }, name)),
      );
    const { layers } = context;
    if (layers.length > 0 && !layers.some(({ kind }) => CONVOLUTIONS.has(kind))) gradCam.remove();
    if (context.filming) {
      // The last one stays, faded, so that nothing moves while the film plays.
      image.classList.add("of-before");
      setText(note, "A frame of the film has no weights to compute this with.");
      return;
    }
    const one = context.of();
    try {
      const query = { ...one.query, method: method.value, class: of.value || null };
      const blob = await awaited(inspectPicture(one.run, "attention.png", query));
      if (turn !== turnNumber) return;
      if (url) URL.revokeObjectURL(url);
      url = URL.createObjectURL(blob);
      image.src = url;
      image.classList.remove("of-before");
      image.hidden = false;
      const whose = of.value === "" ? "the predicted class" : `“${classes[Number(of.value)]}”`;
      image.alt = `The image, brighter where it supports ${whose}`;
      setText(
        note,
        method.value === "grad-cam"
          ? `Bright where the last convolution's maps support ${whose}.`
          : `Bright where a small change of a pixel changes the score of ${whose} most.`,
      );
    } catch (error) {
      if (turn !== turnNumber) return;
      image.hidden = true;
      setText(note, error instanceof Error ? error.message : String(error));
    }
  }

  return { element, update };
}
