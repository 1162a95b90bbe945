// One's own images: a zip is dropped or chosen, sent, read by the server, reported, and accepted or not.

import { acceptDraft, discardDraft, Problem, uploadDataSet } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { bytes } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { announce, attempt } from "../lib/shell.js";
import { reportPart } from "./report.js";

/** Faults that are shown; files can have thousands. */
const SHOWN = 20;

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

  let depth = 0;
  const over = (/** @type {boolean} */ on) => zone.classList.toggle("over", on);
  card.addEventListener("dragenter", (event) => {
    event.preventDefault();
    depth += 1;
    over(true);
  });
  card.addEventListener("dragover", (event) => event.preventDefault());
  card.addEventListener("dragleave", () => {
    depth -= 1;
    over(depth > 0);
  });
  card.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(false);
    choose(event.dataTransfer?.files ?? null);
  });

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
    const bar = h("div", { class: "bar", data: { tone: "live" }, role: "progressbar", "aria-label": `Uploading ${file.name}`, "aria-valuemin": 0, "aria-valuemax": 100 }, h("span"));
    const words = h("span", { class: "muted" }, "Sending…");
    zone.hidden = true;
    body.replaceChildren(
      h("div", { class: "upload-progress" }, h("strong", {}, file.name), bar, h("div", { class: "upload-line" }, words, h("button", { class: "button small", type: "button", on: { click: () => stop.abort() } }, "Cancel"))),
    );
    const onProgress = (/** @type {number} */ sent, /** @type {number} */ of) => {
      const share = of > 0 ? sent / of : 0;
      bar.style.setProperty("--share", String(share));
      bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
      setText(words, share < 1 ? `${bytes(sent)} of ${bytes(of)}` : "All sent; reading the images…");
    };
    try {
      const draft = await uploadDataSet(file, { onProgress, signal: stop.signal });
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
      const faults = error instanceof Problem && error.errors.length > 0 ? error.errors.map(({ path, message }) => `${path}: ${message}`) : [error instanceof Error ? error.message : String(error)];
      fail(file.name, faults);
    }
  }

  /** @param {string} name @param {string[]} faults */
  function fail(name, faults) {
    zone.hidden = false;
    input.value = "";
    const more = faults.length > SHOWN ? [h("li", {}, `and ${faults.length - SHOWN} more`)] : [];
    body.replaceChildren(
      h("div", { class: "notice bad", role: "alert" }, icon("warning", 16), h("div", {}, h("strong", {}, `${name} was refused.`), h("ul", { class: "faults" }, ...faults.slice(0, SHOWN).map((fault) => h("li", {}, fault)), ...more))),
    );
  }

  function reset() {
    zone.hidden = false;
    input.value = "";
    body.replaceChildren();
  }

  return card;
}
