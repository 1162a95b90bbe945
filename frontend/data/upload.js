// One's own images: a zip is dropped or chosen, sent, read by the server, reported, and accepted or not.

import { acceptDraft, discardDraft, uploadDataSet } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { bytes } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { announce, attempt } from "../lib/shell.js";
import { faultsOf, refusedNotice, takeDrops, uploadProgress } from "../lib/upload.js";
import { reportPart } from "./report.js";

/**
 * @param {number} limit the most bytes the server takes
 * @param {(set: string) => void} accepted
 */
export function uploadPart(limit, accepted) {
  const input = h("input", { type: "file", accept: ".zip,application/zip", class: "visually-hidden", id: "upload-file", on: { change: () => choose(input.files) } });
  const zone = h(
    "label",
    { class: "drop", for: "upload-file" },
    icon("layers", 24),
    h("span", {}, h("strong", {}, "Drop a zip here, or choose one"), h("span", { class: "muted" }, `A folder of PNG, JPEG or WebP images for each class; at most ${bytes(limit)}.`)),
  );
  const body = h("div", { class: "upload-body", "aria-live": "polite" });
  const card = h("section", { class: "card upload", "aria-label": "Your own images" }, input, zone, body);

  takeDrops(card, zone, (data) => choose(data.files));

  /** @param {FileList | null} files */
  function choose(files) {
    const [file] = files ?? [];
    if (!file || zone.hidden) return;
    if (file.size > limit) return fail(file.name, [`has ${bytes(file.size)}; at most ${bytes(limit)} can be uploaded`]);
    void send(file);
  }

  /** @param {File} file */
  async function send(file) {
    const stop = new AbortController();
    const progress = uploadProgress(file.name, { after: "All sent; reading the images…", onCancel: () => stop.abort() });
    zone.hidden = true;
    body.replaceChildren(progress.element);
    try {
      const draft = await uploadDataSet(file, { onProgress: progress.show, signal: stop.signal });
      announce("The report is there");
      const discard = () => {
        void attempt(() => discardDraft(draft.id));
        reset();
      };
      const accept = async (/** @type {{ set: string, title: string, skip_unreadable: boolean }} */ wish) => {
        const { set } = await acceptDraft(draft.id, wish);
        reset();
        accepted(set);
      };
      body.replaceChildren(reportPart(draft, accept, discard));
    } catch (error) {
      if (stop.signal.aborted) return reset();
      fail(file.name, faultsOf(error));
    }
  }

  /** @param {string} name @param {string[]} faults */
  function fail(name, faults) {
    zone.hidden = false;
    input.value = "";
    body.replaceChildren(refusedNotice(name, faults));
  }

  function reset() {
    zone.hidden = false;
    input.value = "";
    body.replaceChildren();
  }

  return card;
}
