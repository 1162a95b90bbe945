// The runs page: experiments to start, and the live table of runs.

import { byId, h, pageData } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { openStream } from "../lib/live.js";
import { startShell } from "../lib/shell.js";
import { apiUrl, siteUrl } from "../lib/base-path.js";
import { takePassedUndo } from "../lib/trash.js";
import { openTensorboardImport } from "../runs/tensorboard-import.js";
import { presetCards } from "../runs/presets.js";
import { runsTable } from "../runs/table.js";

/** @import { Preset, Run, Runs } from "../lib/types" */

startShell();

/**
 * @type {{
 *   first: Runs | null,
 *   changes: string,
 *   unreadable: { id: string | null, message: string }[],
 *   presets: Preset[],
 *   upload_limit: number,
 * }}
 */
const { first, changes, unreadable, presets, upload_limit: uploadLimit } = pageData();
const sweep = new URLSearchParams(location.search).get("sweep");

const experiments = presetCards(presets);
const table = runsTable({
  empty: sweep ? noSweep() : invitation(),
  uploadLimit,
  changes,
  first,
  onCount: (all) => experiments.show(all > 0),
});
byId("page").append(...unreadable.map(missing), ...(sweep ? [] : [experiments.element]), table.element);
experiments.show(true);
table.draw();
takePassedUndo();

openStream({
  url: () => apiUrl(`/events?changes=${changes}`),
  on: {
    run: (/** @type {Run} */ run) => table.put(run),
    removed: (/** @type {{ id: string }} */ { id }) => table.drop(id),
    many: () => table.many(),
  },
  // Runs may have been removed while disconnected.
  onReturn: () => table.returned(),
});

/** A notice for a run that cannot be shown. @param {{ id: string | null, message: string }} run */
function missing({ id, message }) {
  return h(
    "p",
    { class: "notice warn" },
    icon("warning", 16),
    h("span", {}, `${id === null ? "A run" : `Run ${id}`} cannot be shown: ${message}.`),
  );
}

function invitation() {
  const [first] = presets;
  const start = () => document.querySelector(/** @type {"button"} */ (".preset button"))?.click();
  return h(
    "div",
    { class: "card empty" },
    icon("layers", 28),
    h("h2", {}, "No runs yet"),
    h(
      "p",
      {},
      "Start an experiment and watch it learn: the curves, the decision boundary, the mistakes. It takes a few seconds on this machine.",
    ),
    first &&
      h(
        "button",
        { class: "button primary", type: "button", on: { click: start } },
        icon("play", 14),
        `Start “${first.title}”`,
      ),
    h("a", { href: siteUrl("/new") }, "or set up your own run"),
    h(
      "button",
      { class: "button quiet small", type: "button", on: { click: () => openTensorboardImport(uploadLimit) } },
      "Import TensorBoard files…",
    ),
  );
}

function noSweep() {
  return h(
    "div",
    { class: "card empty" },
    h("h2", {}, "No runs in this sweep"),
    h("p", {}, "They may have been deleted."),
    h("a", { class: "button", href: siteUrl("/") }, "All runs"),
  );
}
