// Files that users drop or choose.

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
 * @param {(path: string) => void} [onUnreadable] is told of each file that the browser cannot open, such as one whose name
 *   is not UTF-8
 * @returns {Promise<FileWithPath[]>}
 */
export async function droppedFiles(data, onUnreadable = () => {}) {
  // Read at once, since the dropped items are only available during the event.
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return filesWithPaths(data.files);
  return (await Promise.all(entries.map((entry) => filesBelow(entry, onUnreadable)))).flat();
}

/**
 * @param {FileSystemEntry} entry
 * @param {(path: string) => void} onUnreadable
 * @returns {Promise<FileWithPath[]>}
 */
async function filesBelow(entry, onUnreadable) {
  if (entry.isFile) {
    const path = entry.fullPath.replace(/^\//, "");
    const file = await new Promise((/** @type {(file: File | null) => void} */ resolve) =>
      /** @type {FileSystemFileEntry} */ (entry).file(resolve, () => resolve(null)),
    );
    if (file) return [{ file, path }];
    onUnreadable(path);
    return [];
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
    for (const each of some) for (const file of await filesBelow(each, onUnreadable)) found.push(file);
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
