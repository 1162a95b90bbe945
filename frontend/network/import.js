// The import of trained networks on the list of networks: progress, what was refused, and notes.

import { importNetwork } from "../lib/api.js";
import { siteUrl } from "../lib/base-path.js";
import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { errorsOf, refusedNotice, uploadProgress } from "../lib/upload.js";

/** @param {string} name */
export const isImported = (name) => /\.(onnx|safetensors)$/i.test(name);

/** @param {HTMLElement} place where progress and messages are shown */
export function importer(place) {
  return {
    /** Imports a file. @param {File} file @returns {Promise<string | null>} its network's name; null if it stays here */
    async add(file) {
      const stop = new AbortController();
      const progress = uploadProgress(file.name, { after: "Reading the network…", onCancel: () => stop.abort() });
      place.append(progress.element);
      try {
        const { name, notes } = await importNetwork(file, { onProgress: progress.show, signal: stop.signal });
        if (notes.length === 0) return name;
        place.append(notesOf(file.name, name, notes));
      } catch (error) {
        if (!stop.signal.aborted) place.append(refusedNotice(file.name, errorsOf(error)));
      } finally {
        progress.element.remove();
      }
      return null;
    },
  };
}

/** @param {string} file @param {string} name @param {string[]} notes */
const notesOf = (file, name, notes) =>
  h(
    "div",
    { class: "notice", role: "status" },
    icon("check", 16),
    h(
      "div",
      {},
      h("strong", {}, `${file} is the network `, h("a", { href: siteUrl(`/networks/${name}`) }, name), " now."),
      h("ul", { class: "faults" }, ...notes.map((note) => h("li", {}, note))),
    ),
  );
