// The dialog that imports TensorBoard files, and its report.

import { runsQuery, uploadTensorboard } from "../lib/api.js";
import { openComparison } from "../lib/open-comparison.js";
import { h } from "../lib/dom.js";
import { bytes, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { announce } from "../lib/shell.js";
import { siteUrl } from "../lib/base-path.js";
import { openTagMapping } from "../run/tag-mapping.js";
import { droppedFiles, errorsOf, filesWithPaths, refusedNotice, acceptDrops, uploadProgress } from "../lib/upload.js";

/** @import { ImportedRun, ImportOutcome } from "../lib/types" */
/** @import { FileWithPath } from "../lib/upload.js" */

/** @param {number} limit the maximum upload in bytes */
export function openTensorboardImport(limit) {
  let stop = new AbortController();
  const files = h("input", {
    type: "file",
    multiple: true,
    class: "visually-hidden",
    id: "tensorboard-files",
    on: { change: () => send(filesWithPaths(files.files), "") },
  });
  const folder = h("input", {
    type: "file",
    webkitdirectory: true,
    class: "visually-hidden",
    tabindex: -1,
    "aria-label": "A log directory",
    on: { change: () => send(onlyEvents(filesWithPaths(folder.files)), folderName(filesWithPaths(folder.files))) },
  });
  const zone = h(
    "label",
    { class: "drop", for: "tensorboard-files" },
    icon("layers", 24),
    h(
      "span",
      {},
      h("strong", {}, "Drop event files, a folder or a zip here, or choose files"),
      h("span", { class: "muted" }, `At most ${bytes(limit)}.`),
    ),
  );
  const name = h("input", {
    class: "input",
    id: "tensorboard-name",
    maxlength: 200,
    autocomplete: "off",
    placeholder: "named after their folders",
  });
  const body = h("div", { class: "upload-body", "aria-live": "polite" });
  const dialog = h(
    "dialog",
    { "aria-labelledby": "tensorboard-title", class: "tensorboard-dialog" },
    h("h2", { id: "tensorboard-title" }, "Import TensorBoard files"),
    h(
      "p",
      { class: "muted small" },
      "Imports curves that other programs logged, to view and to compare. Each folder with event files becomes a run.",
    ),
    h("label", { class: "label", for: "tensorboard-name" }, "Name of the runs"),
    name,
    files,
    zone,
    body,
    h(
      "div",
      { class: "actions" },
      folder,
      h("button", { class: "button", type: "button", on: { click: () => folder.click() } }, "Choose a folder"),
      h("button", { class: "button", type: "button", on: { click: () => dialog.close() } }, "Close"),
    ),
  );
  acceptDrops(dialog, zone, async (data) => {
    const dropped = await droppedFiles(data);
    const fromFolder = dropped.some(({ path }) => path.includes("/"));
    send(fromFolder ? onlyEvents(dropped) : dropped, fromFolder ? folderName(dropped) : "");
  });
  dialog.addEventListener("close", () => {
    stop.abort();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();

  /** @param {FileWithPath[]} chosen @param {string} from the folder of the files, if any */
  async function send(chosen, from) {
    if (zone.hidden) return;
    const called = from || (chosen.length === 1 ? chosen[0].path : plural(chosen.length, "file"));
    files.value = folder.value = "";
    if (chosen.length === 0)
      return from ? fail(called, ["holds no event files, which have “tfevents” in their names"]) : undefined;
    const size = chosen.reduce((sum, { file }) => sum + file.size, 0);
    if (size > limit) return fail(called, [`has ${bytes(size)}; at most ${bytes(limit)} can be uploaded`]);
    stop = new AbortController();
    const progress = uploadProgress(called, { after: "All sent; reading the curves…", onCancel: () => stop.abort() });
    zone.hidden = true;
    body.replaceChildren(progress.element);
    try {
      show(await uploadTensorboard(chosen, name.value, { onProgress: progress.show, signal: stop.signal }));
    } catch (error) {
      if (stop.signal.aborted) body.replaceChildren();
      else fail(called, errorsOf(error));
    }
    zone.hidden = false;
  }

  /** @param {string} called @param {string[]} faults */
  function fail(called, faults) {
    body.replaceChildren(refusedNotice(called, faults));
  }

  /** @param {ImportOutcome} outcome */
  function show({ runs, replaced, already, newer, skipped }) {
    const done = [
      runs.length > 0 && `Imported ${plural(runs.length, "run")}.`,
      replaced.length > 0 && `Replaced the curves of ${plural(replaced.length, "run")}.`,
    ]
      .filter(Boolean)
      .join(" ");
    announce(done || "Nothing is new");
    const link = (/** @type {ImportedRun} */ run) => h("a", { href: run.url }, run.name);
    const tags = (/** @type {ImportedRun} */ run) =>
      h(
        "button",
        {
          class: "button small quiet",
          type: "button",
          title: "Map its tags to curves",
          on: { click: () => openTagMapping(run) },
        },
        "Tags…",
      );
    const remarks = (/** @type {ImportedRun} */ run) =>
      run.remarks.map((remark) => h("div", { class: "muted small" }, remark));
    const ids = runs.map(({ id }) => id);
    const compare = h(
      "a",
      {
        class: "button small primary",
        href: siteUrl(`/compare?${runsQuery(ids)}`),
        on: { click: (/** @type {MouseEvent} */ event) => openComparison(event, ids) },
      },
      icon("layers", 14),
      "Compare them",
    );
    body.replaceChildren(
      h(
        "div",
        { class: `notice ${done ? "good" : ""}` },
        icon(done ? "check" : "warning", 16),
        h(
          "div",
          {},
          h("strong", {}, done || "Nothing is new."),
          h(
            "ul",
            { class: "faults" },
            ...runs.map((run) => h("li", {}, link(run), " ", tags(run), ...remarks(run))),
            ...replaced.map((run) => h("li", {}, link(run), " has grown ", tags(run), ...remarks(run))),
            ...already.map((run) => h("li", {}, link(run), " already exists")),
            ...newer.map((run) => h("li", {}, link(run), " already exists, with more data than these files")),
            ...skipped.map(({ file, message }) => h("li", {}, `${file}: ${message}`)),
          ),
          runs.length > 1 && compare,
        ),
      ),
    );
  }
}

/**
 * The event files of a folder, as TensorBoard would read it; other files are not uploaded.
 * @param {FileWithPath[]} files
 */
const onlyEvents = (files) => files.filter(({ path }) => /tfevents[^/]*$/.test(path));

/** @param {FileWithPath[]} files */
const folderName = (files) => files[0]?.path.split("/")[0] ?? "";
