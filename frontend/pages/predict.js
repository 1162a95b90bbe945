// The page on which a run's network classifies photos, folders of photos and the webcam.

import {
  getInside,
  getRun,
  getSamples,
  inspect,
  inspectPicture,
  pictureUrl,
  predictPhotos,
  uploadImage,
} from "../lib/api.js";
import { apiUrl, siteUrl } from "../lib/base-path.js";
import { byId, h, pageData } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { openStream } from "../lib/live.js";
import { Problem } from "../lib/request.js";
import { startShell } from "../lib/shell.js";
import { badge } from "../lib/status.js";
import { inTurns } from "../inside/sample-choice.js";
import { predictView } from "../predict/view.js";
import { withoutCheckpoint } from "../run/no-checkpoint.js";
import { isOfImages, pageLinks } from "../run/pages.js";
import { takeAwayMenu } from "../run/take-away.js";

/** @import { Prediction, Run, RunEvent } from "../lib/types" */

/** Photos of a request, so that progress shows; the server takes more. */
const BATCH = 32;

/** Bytes of a request. */
const BATCH_BYTES = 24 << 20;

/** The classes of a photo. */
const TOP = 5;

/** Characters of the classes' names that are told. */
const MOST_NAMES = 120;

/** The longer side of a frame of the webcam that is sent. */
const FRAME = 640;

/** The signal of requests that are never cancelled. */
const always = new AbortController().signal;

startShell();

/** @type {{ run: Run, most_photos: number }} */
const data = pageData();
let { run } = data;
const page = byId("page");
const status = badge();
status.show(run);
const links = pageLinks(run, "predict");
if (!isOfImages(run)) links.hideImages();
const away = takeAwayMenu(run);
away.show(run);
/** What is below the heading: the network, or why there is none. */
const content = h("div", {}, h("div", { class: "card empty" }, h("p", { class: "muted" }, "Opening the network…")));
let isReady = false;

page.append(
  h(
    "header",
    { class: "predict-head" },
    h("h1", {}, "Predict with ", h("a", { href: run.url }, run.name)),
    status.element,
    h("div", { class: "run-actions" }, ...links.elements, away.element),
  ),
  content,
);

if (isOfImages(run)) {
  await show();
  follow();
} else explain("No photos", "This run was trained on points in the plane, and there are no photos of them.");

/** Shows the network once it has a checkpoint. */
async function show() {
  const classes = run.summary.classes ?? [];
  // What cannot be asked now is told when a photo is classified.
  const inside = isWaiting(run)
    ? null
    : await getInside(run.id).catch((error) => (isConflict(error) ? null : undefined));
  const hasNone = inside === null || inside?.checkpoints.length === 0 || classes.length === 0;
  if (hasNone) {
    const { title, words } = withoutCheckpoint(run);
    explain(title, words);
  } else if (!isReady) {
    isReady = true;
    const [, height, width] = inside?.input ?? [];
    content.replaceChildren(networkView(classes, height === undefined ? undefined : [height, width]));
  }
}

/** Whether a run has not begun: nothing can be asked of its network. @param {Run} run */
function isWaiting({ status, summary }) {
  return status === "queued" && !summary.step;
}

/** @param {unknown} error */
function isConflict(error) {
  return error instanceof Problem && error.status === 409;
}

/** @param {string} title @param {string} words @param {{ label: string, href: string }} [link] */
function explain(title, words, link = { label: "Back to the run", href: run.url }) {
  content.replaceChildren(
    h(
      "div",
      { class: "card empty" },
      icon("photo", 28),
      h("h2", {}, title),
      h("p", {}, words),
      h("a", { class: "button", href: link.href }, link.label),
    ),
  );
}

/** @param {string[]} classes @param {[height: number, width: number]} [size] of the network's input */
function networkView(classes, size) {
  const canvas = h("canvas");
  return predictView(
    {
      classes: classes.length,
      names: classes,
      size,
      batch: Math.min(BATCH, data.most_photos),
      batchBytes: BATCH_BYTES,
      fit: String(Object(run.spec.data).fit ?? "crop"),
      classify: async (photos, signal) => (await predictPhotos(run.id, photos, TOP, signal)).images,
      async classifyFrame(video, signal) {
        const file = await frameOf(video, canvas);
        const { images } = await predictPhotos(
          run.id,
          [{ file, path: "webcam" }],
          Math.min(classes.length, 100),
          signal,
        );
        const [{ top, error }] = images;
        if (error !== null) throw new Error(`The frame ${error}.`);
        return top;
      },
      async classifyDrawing(file) {
        const photo = { file, path: "drawing" };
        const { images } = await predictPhotos(run.id, [photo], Math.min(classes.length, 100), always);
        const [{ top, error }] = images;
        if (error !== null) throw new Error(`The drawing ${error}.`);
        return top;
      },
      async insideOf(file) {
        const { id } = await uploadImage(file, { onProgress: () => {}, signal: always });
        return insideUrl(id);
      },
      async samples() {
        const { samples } = await getSamples(run.id, { split: "test" });
        return inTurns(samples).map(({ id, truth }) => ({
          id,
          name: id.replace(":", " sample "),
          label: classes[truth] ?? String(truth),
          src: pictureUrl(run.id, `images/${id}.png`, { size: 64 }),
        }));
      },
      async classifySample({ id, name }) {
        /** @type {[Prediction, Blob]} */
        const [{ top, image }, file] = await Promise.all([
          inspect(run.id, "predict", { image: id }),
          inspectPicture(run.id, `images/${id}.png`, { size: 128 }),
        ]);
        const truth = image.truth ?? null;
        const truthName = truth === null ? undefined : classes[truth];
        return { path: name, top: top.slice(0, TOP), error: null, file, truth, truthName, inside: insideUrl(id) };
      },
    },
    `${classesInWords(classes)} Photos are prepared as in training, and nothing of them is kept.`,
  );
}

/** The page that shows how the network comes to its answer. @param {string} image */
function insideUrl(image) {
  return `${run.url}/inside?image=${encodeURIComponent(image)}`;
}

/** The classes that a photo may be put into, by their names where those are few. @param {string[]} classes */
function classesInWords(classes) {
  const names = classes.join(", ");
  const whole = `Each is put into one of ${plural(classes.length, "class", "classes")}`;
  return names.length <= MOST_NAMES ? `${whole}: ${names}.` : `${whole}.`;
}

/** The present frame, as a photo. @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas */
async function frameOf(video, canvas) {
  const scale = Math.min(1, FRAME / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.max(1, Math.round(video.videoWidth * scale));
  canvas.height = Math.max(1, Math.round(video.videoHeight * scale));
  canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) =>
    canvas.toBlob(resolve, "image/jpeg", 0.95),
  );
  if (!blob) throw new Error("The webcam has no picture.");
  return new File([blob], "webcam.jpg", { type: "image/jpeg" });
}

/** Follows the run's state, and shows the network at the first checkpoint. */
function follow() {
  openStream({
    url: () => apiUrl(`/events?run=${encodeURIComponent(run.id)}&after=${run.summary.events}&include=status`),
    on: {
      message: (/** @type {RunEvent} */ event) => event.kind === "checkpoint" && !isReady && void show(),
      run: (/** @type {Run} */ next) => {
        run = next;
        status.show(run);
        away.show(run);
        if (!isReady) void show();
      },
      removed: () =>
        explain("This run has been deleted", "It can be restored under “Deleted runs” on the runs page.", {
          label: "All runs",
          href: siteUrl("/"),
        }),
    },
    onReturn: () => {},
    isOver: () =>
      getRun(run.id).then(
        () => false,
        (error) => error instanceof Problem && error.status === 404,
      ),
  });
}
