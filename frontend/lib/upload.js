// The parts of every upload: drop zone, progress bar, error notice.

import { Problem } from "./api.js";
import { h, setText } from "./dom.js";
import { bytes } from "./format.js";
import { icon } from "./icons.js";

/** At most this many errors are shown. */
const MAX_ERRORS = 20;

/** A file and its path. @typedef {{ file: File, path: string }} FileWithPath */

/**
 * Accepts drops on `element` and highlights `zone`.
 * @param {HTMLElement} element
 * @param {HTMLElement} zone
 * @param {(data: DataTransfer) => void} onDrop
 */
export function acceptDrops(element, zone, onDrop) {
  let depth = 0;
  const over = (/** @type {boolean} */ on) => zone.classList.toggle("over", on);
  element.addEventListener("dragenter", (event) => {
    event.preventDefault();
    depth += 1;
    over(true);
  });
  element.addEventListener("dragover", (event) => event.preventDefault());
  element.addEventListener("dragleave", () => {
    depth -= 1;
    over(depth > 0);
  });
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(false);
    if (event.dataTransfer) onDrop(event.dataTransfer);
  });
}

/**
 * The files of a drop, with their paths inside folders.
 * @param {DataTransfer} data
 * @returns {Promise<FileWithPath[]>}
 */
export async function droppedFiles(data) {
  // Read at once, since the dropped items are only available during the event.
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return filesWithPaths(data.files);
  return (await Promise.all(entries.map(filesBelow))).flat();
}

/** @param {FileSystemEntry} entry @returns {Promise<FileWithPath[]>} */
async function filesBelow(entry) {
  if (entry.isFile) {
    const file = await new Promise((/** @type {(file: File) => void} */ resolve, reject) =>
      /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject),
    );
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileWithPath[]} */
  const found = [];
  for (;;) {
    // A directory reader returns entries in batches, and an empty one at the end.
    const some = await new Promise((/** @type {(entries: FileSystemEntry[]) => void} */ resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return found;
    for (const each of some) for (const file of await filesBelow(each)) found.push(file);
  }
}

/**
 * The files of an input, with their paths inside folders.
 * @param {Iterable<File> | null} files
 * @returns {FileWithPath[]}
 */
export function filesWithPaths(files) {
  return [...(files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/**
 * The progress bar of an upload.
 * @param {string} name
 * @param {{ after: string, onCancel: () => void }} options `after`: the text when everything is sent
 */
export function uploadProgress(name, { after, onCancel }) {
  const bar = h(
    "div",
    {
      class: "bar",
      data: { tone: "live" },
      role: "progressbar",
      "aria-label": `Uploading ${name}`,
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    h("span"),
  );
  const words = h("span", { class: "muted" }, "Sending…");
  return {
    element: h(
      "div",
      { class: "upload-progress" },
      h("strong", {}, name),
      bar,
      h(
        "div",
        { class: "upload-line" },
        words,
        h("button", { class: "button small", type: "button", on: { click: onCancel } }, "Cancel"),
      ),
    ),
    /** @param {number} sent @param {number} of */
    show(sent, of) {
      const share = of > 0 ? sent / of : 0;
      bar.style.setProperty("--share", String(share));
      bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
      setText(words, share < 1 ? `${bytes(sent)} of ${bytes(of)}` : after);
    },
  };
}

/** The messages of an error, one per field. @param {unknown} error */
export function errorsOf(error) {
  if (error instanceof Problem && error.errors.length > 0)
    return error.errors.map(({ path, message }) => `${path}: ${message}`);
  return [error instanceof Error ? error.message : String(error)];
}

/** @param {string} name @param {string[]} faults */
export function refusedNotice(name, faults) {
  const more = faults.length > MAX_ERRORS ? [h("li", {}, `and ${faults.length - MAX_ERRORS} more`)] : [];
  return h(
    "div",
    { class: "notice bad", role: "alert" },
    icon("warning", 16),
    h(
      "div",
      {},
      h("strong", {}, `${name} was refused.`),
      h("ul", { class: "faults" }, ...faults.slice(0, MAX_ERRORS).map((fault) => h("li", {}, fault)), ...more),
    ),
  );
}
