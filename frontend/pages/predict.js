// The page on which a run's network classifies photos, folders of photos and the webcam.

import { predictPhotos } from "../lib/api.js";
import { byId, h, pageData } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { startShell } from "../lib/shell.js";
import { badge } from "../lib/status.js";
import { predictView } from "../predict/view.js";
import { isOfImages, pageLinks } from "../run/pages.js";
import { takeAwayMenu } from "../run/take-away.js";

/** @import { Run } from "../lib/types" */

/** Photos of a request, so that progress shows; the server takes more. */
const BATCH = 32;

/** Bytes of a request. */
const BATCH_BYTES = 24 << 20;

/** The classes of a photo. */
const TOP = 5;

/** The longer side of a frame of the webcam that is sent. */
const FRAME = 640;

startShell();

/** @type {{ run: Run, most_photos: number }} */
const { run, most_photos: mostPhotos } = pageData();
const classes = run.summary.classes ?? [];
const page = byId("page");
const status = badge();
status.show(run);
const away = takeAwayMenu(run);
away.show(run);

page.append(
  h(
    "header",
    { class: "predict-head" },
    h("h1", {}, "Predict with ", h("a", { href: run.url }, run.name)),
    status.element,
    h("div", { class: "run-actions" }, ...pageLinks(run, "predict").elements, away.element),
  ),
);

if (!isOfImages(run)) {
  page.append(
    h(
      "div",
      { class: "card empty" },
      icon("photo", 24),
      h("p", {}, "This run was trained on points in the plane, and there are no photos of them."),
      h("a", { class: "button", href: run.url }, "Back to the run"),
    ),
  );
} else if (Number(run.summary.epoch) >= 1 && classes.length > 0) {
  const canvas = h("canvas");
  page.append(
    predictView(
      {
        classes: classes.length,
        batch: Math.min(BATCH, mostPhotos),
        batchBytes: BATCH_BYTES,
        fit: String(Object(run.spec.data).fit ?? "crop"),
        classify: async (photos, signal) => (await predictPhotos(run.id, photos, TOP, signal)).images,
        async classifyFrame(video, signal) {
          const file = await frameOf(video);
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
      },
      `${plural(classes.length, "class", "classes")}. Photos are prepared as in training, and nothing of them is kept.`,
    ),
  );

  /** The present frame, as a photo. @param {HTMLVideoElement} video */
  async function frameOf(video) {
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
} else {
  page.append(
    h(
      "div",
      { class: "card empty" },
      icon("photo", 24),
      h("p", {}, "The run has no checkpoint yet. Photos can be classified after its first epoch."),
      h("a", { class: "button", href: run.url }, "Watch the run"),
    ),
  );
}
