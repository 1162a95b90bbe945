// The parts of every upload: progress bar, error notice; `files.js` has the drop zone.

import { Problem } from "./request.js";
import { h, setText } from "./dom.js";
import { bytes } from "./format.js";
import { icon } from "./icons.js";

export { acceptDrops, droppedFiles, filesWithPaths } from "./files.js";

/** At most this many errors are shown. */
const MAX_ERRORS = 20;

/** @typedef {import("./files.js").FileWithPath} FileWithPath */

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
