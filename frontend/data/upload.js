// Uploads of the user's own images: an archive, a folder, several files or what the webcam recorded are sent, read by
// the server, reported on, and accepted or discarded.

import { acceptDraft, discardDraft, uploadDataSet } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { bytes, count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { announce, attempt, toast } from "../lib/shell.js";
import { droppedFiles, errorsOf, filesWithPaths, refusedNotice, acceptDrops, uploadProgress } from "../lib/upload.js";
import { MAX_FILES, zipFiles } from "./zip.js";
import { reportPart } from "./report.js";
import { webcamPart } from "./webcam.js";

/** @import { FileWithPath } from "../lib/upload.js" */

/** Archives by name: each is a data set of its own. MNIST's files are compressed one by one and do not count. */
const ARCHIVE = /\.(zip|tar|tgz|tbz2?|txz|rar|7z|tar\.(gz|bz2|xz))$/i;

/** Files that operating systems leave in folders; they are not uploaded. */
const IGNORED = /(^|\/)(\.[^/]*|__MACOSX\/.*|Thumbs\.db|desktop\.ini)$/;

/**
 * @param {{ limit: number, titleOf: (set: string) => string, accepted: (set: string) => void }} options `limit`: the
 *   maximum upload in bytes; `titleOf`: the title of a known set
 */
export function uploadPart({ limit, titleOf, accepted }) {
  const input = h("input", {
    type: "file",
    multiple: true,
    class: "visually-hidden",
    id: "upload-file",
    on: { change: () => choose(filesWithPaths(input.files)) },
  });
  const folder = h("input", {
    type: "file",
    webkitdirectory: true,
    class: "visually-hidden",
    id: "upload-folder",
    tabindex: -1,
    "aria-label": "A folder of images",
    on: { change: () => choose(filesWithPaths(folder.files)) },
  });
  const zone = h(
    "label",
    { class: "drop", for: "upload-file" },
    icon("layers", 24),
    h(
      "span",
      {},
      h("strong", {}, "Drop a folder, an archive or files here, or choose files"),
      h(
        "span",
        { class: "muted" },
        `One folder of images per class, as a folder or as a zip or tar archive; or the files of MNIST or CIFAR. At most ${bytes(limit)}.`,
      ),
    ),
  );
  const folderButton = h(
    "button",
    { class: "button small", type: "button", on: { click: () => folder.click() } },
    icon("layers", 14),
    "Choose a folder",
  );
  const webcamButton = h(
    "button",
    { class: "button small", type: "button", on: { click: openWebcam } },
    icon("camera", 14),
    "Use the webcam",
  );
  const more = h("div", { class: "upload-more" }, folderButton, webcamButton);
  /** The webcam, with what it recorded. @type {ReturnType<typeof webcamPart> | null} */
  let webcam = null;
  const webcamPlace = h("div", { class: "upload-body" });
  const body = h("div", { class: "upload-body", "aria-live": "polite" });
  const card = h(
    "section",
    { class: "card upload", "aria-label": "Your own images" },
    input,
    folder,
    zone,
    more,
    webcamPlace,
    body,
  );

  const leftOut = (/** @type {string} */ path) =>
    toast(`${path} cannot be read by the browser, and was left out.`, "bad");
  acceptDrops(card, zone, async (data) => choose(await droppedFiles(data, leftOut)));

  /** @param {FileWithPath[]} files */
  function choose(files) {
    const chosen = files.filter(({ path }) => !IGNORED.test(path));
    // Choosing the same files again must fire a change event.
    input.value = folder.value = "";
    if (chosen.length === 0 || zone.hidden) return;
    accept(chosen);
  }

  function openWebcam() {
    body.replaceChildren();
    webcam = webcamPart({ done: accept, cancel: closeWebcam });
    webcamPlace.replaceChildren(webcam.element);
    showStart();
  }

  function closeWebcam() {
    webcam?.close();
    webcam = null;
    webcamPlace.replaceChildren();
    showStart();
    webcamButton.focus();
  }

  /** Shows what an upload begins with: the webcam if it is open, else the drop zone. */
  function showStart() {
    zone.hidden = more.hidden = webcam !== null;
    webcamPlace.hidden = webcam === null;
  }

  /** @param {FileWithPath[]} chosen */
  function accept(chosen) {
    const name = nameOf(chosen);
    const size = chosen.reduce((sum, { file }) => sum + file.size, 0);
    if (size > limit) return fail(name, [`has ${bytes(size)}; at most ${bytes(limit)} can be uploaded`]);
    if (chosen.length > MAX_FILES)
      return fail(name, [
        `has ${count(chosen.length)} files; at most ${count(MAX_FILES)} can be sent one by one. Pack them as a zip or tar first.`,
      ]);
    const archive = chosen.find(({ path }) => !path.includes("/") && ARCHIVE.test(path));
    if (archive && chosen.length > 1)
      return fail(name, [`holds an archive, ${archive.path}; upload one archive at a time`]);
    void send(chosen, name);
  }

  /** @param {FileWithPath[]} files @param {string} name */
  async function send(files, name) {
    const stop = new AbortController();
    const progress = uploadProgress(name, { after: "All sent; reading the images…", onCancel: () => stop.abort() });
    const packing = uploadProgress(name, { after: "Sending…", onCancel: () => stop.abort() });
    zone.hidden = more.hidden = webcamPlace.hidden = true;
    try {
      let [{ file, path }] = files;
      if (files.length > 1 || path.includes("/")) {
        body.replaceChildren(packing.element);
        file = new File([await zipFiles(files, { onProgress: packing.show, signal: stop.signal })], name, {
          type: "application/zip",
        });
      }
      body.replaceChildren(progress.element);
      const draft = await uploadDataSet(file, { onProgress: progress.show, signal: stop.signal });
      announce("The report is ready");
      const discard = () => {
        void attempt(() => discardDraft(draft.id));
        reset();
      };
      const publish = async (/** @type {{ set: string, title: string, skip_unreadable: boolean }} */ wish) => {
        const { set } = await acceptDraft(draft.id, wish);
        if (webcam) closeWebcam();
        reset();
        accepted(set);
      };
      body.replaceChildren(reportPart(draft, titleOf, publish, discard));
    } catch (error) {
      if (stop.signal.aborted) return reset();
      fail(name, errorsOf(error));
    }
  }

  /** @param {string} name @param {string[]} faults */
  function fail(name, faults) {
    showStart();
    webcam?.open();
    body.replaceChildren(refusedNotice(name, faults));
  }

  function reset() {
    showStart();
    webcam?.open();
    body.replaceChildren();
  }

  return card;
}

/** A name for the chosen files: that of the only file, or of the common folder. @param {FileWithPath[]} files */
function nameOf(files) {
  const [first] = files;
  const [top] = first.path.split("/");
  if (files.length === 1 || (first.path.includes("/") && files.every(({ path }) => path.startsWith(`${top}/`))))
    return top;
  return plural(files.length, "file");
}
