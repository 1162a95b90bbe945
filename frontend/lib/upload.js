// What every upload has: a place to drop files, a bar while they are sent, a notice when they are refused.

import { Problem } from "./api.js";
import { h, setText } from "./dom.js";
import { bytes } from "./format.js";
import { icon } from "./icons.js";

/** Faults that are shown; files can have thousands. */
const SHOWN = 20;

/** A file and where it lay. @typedef {{ file: File, path: string }} FileWithPath */

/**
 * Lets files be dropped on `element`, and `zone` in it say so.
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
 * The files of a drop, those in folders with their paths.
 * @param {DataTransfer} data
 * @returns {Promise<FileWithPath[]>}
 */
export async function droppedFiles(data) {
  // Asked for at once: what was dropped is gone after the event.
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return filesWithPaths(data.files);
  return (await Promise.all(entries.map(below))).flat();
}

/** @param {FileSystemEntry} entry @returns {Promise<FileWithPath[]>} */
async function below(entry) {
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
    // A reader gives some at a time, and none at the end.
    const some = await new Promise((/** @type {(entries: FileSystemEntry[]) => void} */ resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return found;
    for (const each of some) found.push(...(await below(each)));
  }
}

/**
 * The files of a field, those of a folder with their paths.
 * @param {Iterable<File> | null} files
 * @returns {FileWithPath[]}
 */
export function filesWithPaths(files) {
  return [...(files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/**
 * A bar that says how far an upload is.
 * @param {string} name
 * @param {{ after: string, onCancel: () => void }} wiring `after`: what happens when all is sent
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

/** What is wrong, fault by fault. @param {unknown} error */
export function errorsOf(error) {
  if (error instanceof Problem && error.errors.length > 0)
    return error.errors.map(({ path, message }) => `${path}: ${message}`);
  return [error instanceof Error ? error.message : String(error)];
}

/** @param {string} name @param {string[]} faults */
export function refusedNotice(name, faults) {
  const more = faults.length > SHOWN ? [h("li", {}, `and ${faults.length - SHOWN} more`)] : [];
  return h(
    "div",
    { class: "notice bad", role: "alert" },
    icon("warning", 16),
    h(
      "div",
      {},
      h("strong", {}, `${name} was refused.`),
      h("ul", { class: "faults" }, ...faults.slice(0, SHOWN).map((fault) => h("li", {}, fault)), ...more),
    ),
  );
}
