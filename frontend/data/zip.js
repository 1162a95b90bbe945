// Several files, or a folder, as one zip to send. Nothing in it is compressed, as images are already.

import { Zip, ZipPassThrough } from "../../static/vendor/fflate/browser.js";

/** @import { FileWithPath } from "../lib/upload.js" */

/** Entries of a zip without the fields for larger ones. */
export const MAX_FILES = 65_535;

/** Bytes that are collected before they become a part of the zip, which the browser may keep on disk. */
const PART = 16 << 20;

/**
 * @param {FileWithPath[]} files
 * @param {{ onProgress: (done: number, of: number) => void, signal: AbortSignal }} options
 * @returns {Promise<Blob>}
 */
export async function zipFiles(files, { onProgress, signal }) {
  const of = files.reduce((sum, { file }) => sum + file.size, 0);
  /** @type {Blob[]} */
  const parts = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  let chunks = [];
  let held = 0;
  let done = 0;
  /** @type {Error | null} */
  let trouble = null;
  const zip = new Zip((error, chunk) => {
    trouble ??= error;
    chunks.push(/** @type {Uint8Array<ArrayBuffer>} */ (chunk));
    held += chunk.length;
    if (held < PART) return;
    parts.push(new Blob(chunks));
    chunks = [];
    held = 0;
  });
  for (const { file, path } of files) {
    const entry = new ZipPassThrough(path);
    zip.add(entry);
    const reader = file.stream().getReader();
    for (;;) {
      signal.throwIfAborted();
      const { done: over, value } = await reader.read();
      entry.push(value ?? new Uint8Array(), over);
      if (trouble) throw trouble;
      if (over) break;
      done += value.length;
      onProgress(done, of);
    }
  }
  zip.end();
  if (trouble) throw trouble;
  return new Blob([...parts, ...chunks], { type: "application/zip" });
}
