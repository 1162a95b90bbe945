// Photos and the webcam before a network: what the page of a run and the page that a user takes away have in common.

import { h, setText } from "../lib/dom.js";
import { acceptDrops, droppedFiles, filesWithPaths } from "../lib/files.js";
import { icon } from "../lib/icons.js";
import { announce } from "../lib/shell.js";
import { drawingPanel } from "./drawing.js";
import { resultsPanel } from "./results.js";
import { samplesPanel } from "./samples.js";
import { webcamPanel } from "./webcam.js";

/** @import { FileWithPath } from "../lib/files.js" */
/** @import { TestSample } from "./samples.js" */

/** A class with its score. @typedef {{ class: number, name: string, probability: number | null, score: number }} ClassScore */

/** What a network makes of a photo. @typedef {{ path: string, top: ClassScore[], error: string | null }} PhotoPrediction */

/**
 * A network that classifies images of a `size` into classes with `names`. `classify` gives a row for each photo, in their order; `classifyFrame` the classes of the
 * present frame of a video; `samples` are the data set's own images, where they can be had, and `classifySample` what the
 * network makes of one; `classifyDrawing` gives the classes of a drawing, and `insideOf` the address of the page that shows
 * how the network comes to them; `batch` the photos of a call at most, and `batchBytes` their bytes; `fit` how a photo becomes
 * square.
 * @typedef {{
 *   classes: number,
 *   size?: [height: number, width: number],
 *   names: string[],
 *   batch: number,
 *   batchBytes: number,
 *   fit: string,
 *   classify: (photos: FileWithPath[], signal: AbortSignal) => Promise<PhotoPrediction[]>,
 *   classifyFrame: (video: HTMLVideoElement, signal: AbortSignal) => Promise<ClassScore[]>,
 *   classifyDrawing?: (file: File) => Promise<ClassScore[]>,
 *   insideOf?: (file: File) => Promise<string>,
 *   samples?: () => Promise<TestSample[]>,
 *   classifySample?: (sample: TestSample) => Promise<PhotoPrediction & { file: Blob, truth: number | null, truthName?: string, inside?: string }>,
 * }} Network
 */

/** Files that operating systems leave in folders. */
const IGNORED = /(^|\/)(\.[^/]*|__MACOSX\/.*|Thumbs\.db|desktop\.ini)$/;

/** @param {Network} network @param {string} hint a sentence below the invitation */
export function predictView(network, hint) {
  const results = resultsPanel(() => stop?.abort());
  const webcam = webcamPanel(network);
  const samples = network.samples?.();
  const drawing = samples && network.classifyDrawing && drawingPanel(network, samples);
  const input = h("input", {
    type: "file",
    multiple: true,
    accept: "image/*",
    class: "visually-hidden",
    id: "photos",
    on: { change: () => take(filesWithPaths(input.files)) },
  });
  const folder = h("input", {
    type: "file",
    webkitdirectory: true,
    class: "visually-hidden",
    id: "photo-folder",
    tabindex: -1,
    "aria-label": "A folder of photos",
    on: { change: () => take(filesWithPaths(folder.files)) },
  });
  const zone = h(
    "label",
    { class: "drop photo-drop", for: "photos" },
    icon("photo", 24),
    h(
      "span",
      {},
      h("strong", {}, "Drop photos or a folder, paste, or choose photos"),
      h("span", { class: "muted" }, hint),
    ),
  );
  const bar = h(
    "div",
    {
      class: "bar",
      data: { tone: "live" },
      role: "progressbar",
      "aria-label": "Classifying photos",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    h("span"),
  );
  const words = h("span", { class: "muted" });
  const cancel = h("button", { class: "button small", type: "button", on: { click: () => stop?.abort() } }, "Cancel");
  const progress = h(
    "div",
    { class: "upload-progress photo-progress", hidden: true },
    bar,
    h("div", { class: "upload-line" }, words, cancel),
  );
  const failure = h("div", { class: "notice bad", role: "alert", hidden: true });
  const card = h(
    "section",
    { class: "card photo-source", "aria-label": "Photos" },
    input,
    folder,
    h("h2", {}, "Your photos"),
    zone,
    h(
      "div",
      { class: "photo-buttons" },
      h(
        "button",
        { class: "button", type: "button", on: { click: () => folder.click() } },
        icon("layers", 14),
        "Choose a folder",
      ),
      webcam.button,
    ),
    samples && samplesPanel(samples, tryOut),
    progress,
    failure,
  );
  /** @type {AbortController | null} */
  let stop = null;
  /** Photos that wait for their turn. @type {FileWithPath[]} */
  let waiting = [];
  let done = 0;
  let pasted = 0;

  // Photos may be dropped anywhere on the page.
  acceptDrops(document.body, zone, async (data) => take(await droppedFiles(data)));
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    take(files.map((file) => ({ file, path: `pasted-${++pasted}.${file.type.split("/")[1] ?? "png"}` })));
  });

  /** @param {FileWithPath[]} files */
  function take(files) {
    const chosen = files.filter(({ path }) => !IGNORED.test(path));
    // Choosing the same files again must fire a change event.
    input.value = folder.value = "";
    if (chosen.length === 0) {
      if (files.length > 0) fail("There are no photos in this folder.");
      return;
    }
    waiting.push(...chosen);
    if (!stop) void run();
  }

  /** Classifies a sample of the data set. @param {TestSample} sample */
  async function tryOut(sample) {
    failure.hidden = true;
    try {
      const row = await network.classifySample?.(sample);
      if (row) results.addFirst(row);
      announce("The sample is classified");
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
    }
  }

  /** Classifies what waits, a batch at a time. */
  async function run() {
    stop = new AbortController();
    const { signal } = stop;
    done = 0;
    failure.hidden = true;
    progress.hidden = false;
    try {
      while (waiting.length > 0) {
        showProgress();
        const batch = next();
        const rows = await network.classify(batch, signal);
        const isFirst = results.add(rows.map((row, at) => ({ ...row, path: batch[at].path, file: batch[at].file })));
        // The pad that appears above would push them out of sight.
        if (isFirst) void drawing?.measured.then(results.reveal);
        done += batch.length;
      }
      announce(done === 1 ? "The photo is classified" : `${done} photos are classified`);
    } catch (error) {
      if (!signal.aborted) fail(error instanceof Error ? error.message : String(error));
      waiting = [];
    }
    progress.hidden = true;
    stop = null;
  }

  /** The next photos that fit into a batch; at least one. */
  function next() {
    let bytes = 0;
    let length = 0;
    while (length < Math.min(network.batch, waiting.length)) {
      bytes += waiting[length].file.size;
      if (length > 0 && bytes > network.batchBytes) break;
      length += 1;
    }
    return waiting.splice(0, length);
  }

  function showProgress() {
    const of = done + waiting.length;
    bar.style.setProperty("--share", String(done / of));
    bar.setAttribute("aria-valuenow", String(Math.round((100 * done) / of)));
    setText(
      words,
      of === 1 ? "Classifying…" : `${done.toLocaleString("en-US")} of ${of.toLocaleString("en-US")} photos`,
    );
  }

  /** @param {string} text */
  function fail(text) {
    failure.replaceChildren(icon("warning"), h("p", {}, text));
    failure.hidden = false;
  }

  return h(
    "div",
    { class: "predict" },
    card,
    h("div", { class: "predict-side" }, drawing?.element, webcam.element, results.empty, results.element),
  );
}
