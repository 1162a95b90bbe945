// The card of the shown image: an upload by button, drop or paste, a sample of the data set, or an earlier upload.

import { deleteImage, getSamples, listImages, pictureUrl, pinImage, uploadImage } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { announce, attempt, toast } from "../lib/shell.js";
import { apiUrl } from "../lib/base-path.js";
import { inTurns } from "./sample-choice.js";
import { thumbnail } from "./thumbnail.js";
import { frameWords } from "./view.js";

/** @import { Sample, UploadedImage } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

const TYPES = "image/png,image/jpeg,image/webp,image/gif,image/bmp,image/tiff";
/** Number of samples to choose from; the confusion matrix leads to all others. */
const SAMPLES = 15;

/** @param {InsideContext} context @param {{ onPinned: () => void }} listeners */
export function imageCard(context, { onPinned }) {
  const { state, run } = context;
  const now = h("img", { alt: "", width: 224, height: 224 });
  const name = h("p", { class: "small" });
  const lost = h("div", { class: "image-lost muted small", hidden: true }, "This image has been deleted.");
  const file = h("input", {
    type: "file",
    accept: TYPES,
    hidden: true,
    on: { change: () => file.files?.[0] && send(file.files[0]) },
  });
  const choose = h(
    "button",
    { class: "button primary small", type: "button", on: { click: () => file.click() } },
    icon("plus", 14),
    "Upload a photo",
  );
  const pinWords = h("span", {}, "Pin for the film");
  const pin = h(
    "button",
    { class: "button small", type: "button", on: { click: setPin } },
    icon("target", 14),
    pinWords,
  );
  const progress = h("div", { class: "bar", hidden: true, data: { tone: "live" } }, h("span"));
  const refused = h("p", { class: "field-error small", role: "alert", hidden: true });
  const uploads = h("div", { class: "thumbs" });
  const uploadsBlock = h("div", { class: "image-more", hidden: true }, h("h3", {}, "Uploaded"), uploads);
  const samples = h("div", { class: "thumbs" });
  const samplesBlock = h(
    "div",
    { class: "image-more", hidden: true },
    h("h3", {}, "Samples of the test split"),
    samples,
  );
  const element = h(
    "section",
    { class: "card image-card", "aria-label": "Image" },
    h("header", { class: "card-head" }, h("h2", {}, "Image")),
    h(
      "div",
      { class: "card-body" },
      h(
        "div",
        { class: "image-side" },
        h("div", { class: "image-now" }, now, lost, name),
        h(
          "div",
          { class: "image-choose" },
          choose,
          h("p", { class: "muted small" }, "or drop or paste one"),
          pin,
          file,
        ),
        progress,
        refused,
      ),
      h("div", { class: "image-samples" }, samplesBlock, uploadsBlock),
    ),
  );
  /** @type {UploadedImage[]} */
  let images = [];
  /** @type {Sample[]} */
  let found = [];
  let isAsked = false;

  /** @param {File} picked */
  async function send(picked) {
    refused.hidden = true;
    progress.hidden = false;
    choose.disabled = true;
    try {
      const made = await uploadImage(picked, {
        signal: new AbortController().signal,
        onProgress: (sent, of) => progress.style.setProperty("--share", String(sent / of)),
      });
      images = [made, ...images];
      use(made.id);
      announce("Image uploaded");
    } catch (error) {
      refused.hidden = false;
      setText(refused, error instanceof Error ? error.message : String(error));
    } finally {
      progress.hidden = true;
      choose.disabled = false;
      file.value = "";
    }
  }

  /**
   * Shows an image. A film has only the pinned image, so another one switches to a checkpoint.
   * @param {string} image
   */
  function use(image) {
    state.set({ image, ...(context.filming && image !== "pinned" ? { checkpoint: null } : {}) });
    update();
  }

  async function setPin() {
    const { image } = state.now;
    const isPinned = image === "pinned" || image === context.film?.pinned.image;
    const answer = await attempt(() => pinImage(run.id, isPinned ? null : image));
    if (!answer) return;
    const done = isPinned ? "No longer pinned." : "Pinned.";
    toast(
      answer.pending
        ? `${done} The film follows ${isPinned ? "its first sample" : "it"} from the next epoch on.`
        : done,
    );
    onPinned();
  }

  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => !event.relatedTarget && document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    const dropped = event.dataTransfer?.files[0];
    if (!dropped) return;
    event.preventDefault();
    send(dropped);
  });
  addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (pasted) send(pasted);
  });

  /** @param {UploadedImage} of */
  async function remove(of) {
    if ((await attempt(() => deleteImage(of.id))) === undefined) return;
    images = images.filter(({ id }) => id !== of.id);
    if (state.now.image === of.id) use("pinned");
    update();
  }

  function update() {
    const image = context.image;
    const pinned = context.film?.pinned;
    const before = context.otherImage();
    lost.hidden = image !== null;
    now.hidden = image === null;
    if (image !== null)
      now.src = pictureUrl(run.id, `images/${encodeURIComponent(image)}.png`, {
        size: 224,
        v: image === "pinned" ? `${pinned?.image}` : null,
      });
    const called = before || image === null ? context.pictured().words : words(image);
    now.alt = `The image as the network sees it: ${called}`;
    setText(
      name,
      before
        ? `The frame “${frameWords(context.checkpoint)}” is of ${called}. ${pinned?.pending ? "It follows the image that is pinned now from the next epoch on." : "Another image is pinned now."}`
        : `${called}${image === "pinned" && pinned?.pending ? "; the film follows it from the next epoch on" : ""}`,
    );
    const isPinned = image === "pinned" || image === pinned?.image;
    const isFirst = pinned === undefined || pinned.image === "test:0";
    // The button stays, so that nothing moves when it is pressed.
    pin.disabled = before !== null || image === null || (isPinned && isFirst);
    pin.setAttribute("aria-pressed", String(isPinned));
    setText(pinWords, isPinned ? "Pinned for the film" : "Pin for the film");
    pin.title = isPinned
      ? isFirst
        ? "The film follows this image, unless another is pinned"
        : "Let the film follow its first sample again"
      : "Let the film follow this image from the next epoch on";
    /** @param {string} id */
    const isShown = (id) => image === id || (image === "pinned" && pinned?.image === id);
    uploadsBlock.hidden = images.length === 0;
    uploads.replaceChildren(
      ...images.map((of) =>
        thumbnail({
          src: apiUrl(`/images/${of.id}.png`),
          title: "Uploaded image",
          pressed: isShown(of.id),
          onClick: () => use(of.id),
          onDelete: () => remove(of),
        }),
      ),
    );
    if (context.inside && context.inside.checkpoints.length > 0 && !isAsked) void loadSamples();
    samplesBlock.hidden = found.length === 0;
    const classes = context.inside?.classes ?? [];
    samples.replaceChildren(
      ...found.map((of) =>
        thumbnail({
          src: pictureUrl(run.id, `images/${of.id}.png`, { size: 64 }),
          title: `${of.id}, ${classes[of.truth] ?? of.truth}`,
          label: classes[of.truth] ?? String(of.truth),
          eager: true,
          pressed: isShown(of.id),
          onClick: () => use(of.id),
        }),
      ),
    );
  }

  /** Samples are told once there are weights that predict them. */
  async function loadSamples() {
    isAsked = true;
    const told = await getSamples(run.id, { split: "test" }).catch(() => null);
    isAsked = told !== null;
    if (told === null) return;
    found = inTurns(told.samples).slice(0, SAMPLES);
    update();
  }

  /** @param {string} image @returns {string} */
  function words(image) {
    if (image === "pinned")
      return `Pinned: ${context.film && context.film.pinned.image !== "pinned" ? words(context.film.pinned.image) : "its first sample"}`;
    if (/^(test|validation|train):/.test(image)) return image.replace(":", " sample ");
    return "Uploaded photo";
  }

  return {
    element,
    update,
    use,
    /** Fetches the images to choose from. */
    async load() {
      images = await listImages().catch(() => []);
      update();
    },
  };
}
