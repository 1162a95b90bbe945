// The report page: the text in an editor, and its preview with figures.

import { createReport, getReport, listImages } from "../lib/api.js";
import { byId, h, pageData, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { attempt, startShell, toast } from "../lib/shell.js";
import { isActive } from "../lib/status.js";
import { kindOf, readBlock, writeBlock } from "../report/block.js";
import { aboutFields } from "../report/about-fields.js";
import { editor } from "../report/editor.js";
import { exportMenu } from "../report/export/menu.js";
import { promptFigure } from "../report/figure-dialog.js";
import { autosave } from "../report/autosave.js";
import { beginning, isBare } from "../report/beginning.js";
import { readFrontMatter, rememberFrontMatter, writeFrontMatter } from "../report/front-matter.js";
import { partsOf } from "../report/markdown.js";
import { onNarrow } from "../report/narrow.js";
import { promptNumber } from "../report/number-dialog.js";
import { promptReference } from "../report/reference-dialog.js";
import { freeName, referenceTo } from "../report/references.js";
import { reportView } from "../report/report-view.js";
import { Sources } from "../report/sources.js";

/** @import { Report } from "../lib/types" */
/** @import { Part } from "../report/markdown.js" */

/** The preview is updated this long after the last key. */
const SHOW_AFTER_MS = 120;
/** Figures of active runs are redrawn this often. */
const REFRESH_EVERY_MS = 5000;
const VIEWS = /** @type {const} */ ({ write: "Write", both: "Both", read: "Read" });
const STATES = { saved: "Saved", saving: "Saving…", changed: "Not saved yet", conflict: "Saved elsewhere too" };

startShell();

/** @type {{ report: Report, version: string }} */
const { report, version } = pageData();
const sources = new Sources();
const page = byId("page");

const title = h("h1", {}, report.title);
const state = h("span", { class: "save-state small", role: "status" }, "Saved");
const bar = h("div", { class: "conflict-bar", role: "alert", hidden: true });
const preview = reportView(sources, {
  onPart: ({ from }) => page.dataset.view === "both" && text.goTo(from),
  onFigure: (part) => attempt(() => change(part)),
  onShown: () => text.refer(preview.parts().flatMap(({ placed }) => placed.filter(({ name }) => name !== ""))),
});
const empty = beginning({ onFigure: () => attempt(insert), onNumber: () => attempt(insertNumber) });
const reading = h("div", { class: "report-read" }, preview.element);
const draft = autosave(report, {
  onState: (now) => {
    setText(state, now.kind === "away" ? `Not saved: ${now.why}` : STATES[now.kind]);
    state.dataset.state = now.kind;
    bar.hidden = now.kind !== "conflict";
  },
  onTitle: (now) => {
    setText(title, now);
    document.title = `${now} · Vivarium`;
  },
});
const opened = readFrontMatter(draft.recover() ?? report.text);
/** Author, course and date, which the text in the editor is without. */
let about = opened.about;
const fields = aboutFields(about, (now) => {
  about = now;
  rememberFrontMatter(about);
  draft.change(whole());
  preview.showAbout(about);
});
const text = editor(opened.body, sources, {
  onChange: (now) => {
    draft.change(whole());
    clearTimeout(showing);
    showing = setTimeout(() => show(now), SHOW_AFTER_MS);
  },
  onLine: (line) => page.dataset.view === "both" && preview.reveal(line),
  onFigure: (line) => attempt(() => changeAt(line)),
  onSave: () => draft.save(),
});
/** @type {ReturnType<typeof setTimeout> | undefined} */
let showing;

const views = h(
  "div",
  { class: "segments", role: "radiogroup", "aria-label": "View" },
  ...Object.entries(VIEWS).map(([name, label]) =>
    h(
      "label",
      {},
      h("input", { type: "radio", name: "view", value: name, on: { change: () => view(name) } }),
      h("span", {}, label),
    ),
  ),
);
const plain = h(
  "button",
  {
    class: "button quiet small",
    type: "button",
    "aria-pressed": "false",
    title: "The text as it is saved, with figures as blocks and runs by their ids",
    on: { click: () => showPlain(plain.getAttribute("aria-pressed") !== "true") },
  },
  "Source",
);
const writing = h(
  "div",
  { class: "report-write" },
  fields.element,
  h(
    "div",
    { class: "report-tools-bar", role: "toolbar", "aria-label": "Writing" },
    h(
      "button",
      { class: "button primary small", type: "button", on: { click: () => attempt(insert) } },
      icon("chart", 14),
      "Figure",
    ),
    h("button", { class: "button small", type: "button", on: { click: () => attempt(insertNumber) } }, "Number"),
    h("button", { class: "button small", type: "button", on: { click: () => attempt(insertReference) } }, "Reference"),
    ...text.tools,
    plain,
  ),
  text.element,
);
page.append(
  h(
    "header",
    { class: "report-head" },
    h("div", { class: "report-title" }, title, state),
    h(
      "div",
      { class: "run-actions" },
      views,
      exportMenu(preview, {
        sources,
        version,
        title: () => title.textContent ?? "Report",
        about: () => about,
      }),
    ),
  ),
  bar,
  h("div", { class: "report-panes" }, writing, reading),
);
bar.append(
  h("span", {}, "This report was saved elsewhere since it was opened here. Nothing was overwritten."),
  h(
    "button",
    { class: "button small", type: "button", on: { click: () => attempt(() => settle("mine")) } },
    "Keep mine",
  ),
  h(
    "button",
    { class: "button small", type: "button", on: { click: () => attempt(() => settle("other")) } },
    "Use the other version",
  ),
  h("button", { class: "button small", type: "button", on: { click: () => attempt(asNew) } }, "Mine as a new report"),
);
view(matchMedia("(max-width: 900px)").matches ? (report.text.trim().length > 20 ? "read" : "write") : "both");
preview.showAbout(about);
show(text.value());
setTimeout(refresh, REFRESH_EVERY_MS);

onNarrow(() => preview.redraw());
addEventListener("beforeunload", (event) => {
  if (!draft.isSaved()) event.preventDefault();
});
// A run may have been started or resumed on another page.
document.addEventListener("visibilitychange", () => (document.hidden ? draft.save() : renew()));

/** The report as it is saved. */
function whole() {
  return writeFrontMatter(about, text.value());
}

/** Shows a text, once the runs are known whose numbers are in it. @param {string} now */
async function show(now) {
  await sources.loadNumbers(now);
  text.renew();
  empty.hidden = !isBare(now);
  if (text.value() === now) preview.show(now);
}

/** @param {string} name */
function view(name) {
  page.dataset.view = name;
  (name === "write" ? writing : reading).append(empty);
  for (const input of views.querySelectorAll("input")) input.checked = input.value === name;
}

/** Redraws changed figures while a run is active or a figure waits for a run. */
async function refresh() {
  if (
    !document.hidden &&
    (preview.faults().length > 0 || preview.runs().some((run) => isActive(sources.runs.get(run.id) ?? run)))
  )
    await renew();
  setTimeout(refresh, REFRESH_EVERY_MS);
}

async function renew() {
  try {
    if (await sources.refresh()) await preview.redraw();
  } catch {
    // The server cannot be reached; the next refresh tries again.
  }
}

async function insert() {
  await sources.refresh();
  await sources.offer();
  const images = await listImages().catch(() => []);
  const block = await promptFigure(sources, { suggestion: lastRuns(), uploads: images.map(({ id }) => id) });
  if (block === null) return;
  if (page.dataset.view === "read") view("both");
  text.insertBlock(block);
}

/** The runs of the last figure are the suggestion for the next one. */
function lastRuns() {
  const found = [...text.value().matchAll(/^runs?: (.+)$/gm)];
  return found.length > 0 ? found[found.length - 1][1] : undefined;
}

async function insertNumber() {
  await sources.refresh();
  await sources.offer();
  const words = await promptNumber(sources, lastRuns());
  if (words === null) return;
  if (page.dataset.view === "read") view("both");
  text.insert(words);
}

/** Refers to a figure, which gets a name if it has none. */
async function insertReference() {
  // The preview follows the text after a pause.
  await preview.show(text.value());
  const figures = preview
    .parts()
    .flatMap(({ part, placed }) => (placed.length === 1 ? [{ part, placed: placed[0] }] : []));
  const chosen = await promptReference(figures);
  if (!chosen) return;
  if (page.dataset.view === "read") view("both");
  const { token, from, to } = chosen.part;
  let { name } = chosen.placed;
  if (name === "" && token.type === "code") {
    const { kind, settings } = readBlock(kindOf(token.lang) ?? "", token.text);
    name = freeName(
      kind,
      figures.map(({ placed }) => placed.name),
    );
    // The reference has no line break, so the lines of the block stay where they are.
    text.insert(referenceTo(name));
    text.replaceLines(from, to, writeBlock({ kind, settings: new Map([...settings, ["name", name]]) }), { stay: true });
  } else text.insert(referenceTo(name));
}

/** @param {boolean} is */
function showPlain(is) {
  plain.setAttribute("aria-pressed", String(is));
  text.setPlain(is);
}

/** Changes the figure that begins in a line of the text. @param {number} line */
async function changeAt(line) {
  const part = partsOf(text.value()).find(({ from }) => from === line);
  if (part) await change(part);
}

/** @param {Part} part */
async function change({ token, from, to }) {
  if (token.type !== "code") return;
  const kind = kindOf(token.lang) ?? "";
  await sources.refresh();
  await sources.offer();
  const block = await promptFigure(sources, { block: readBlock(kind, token.text) });
  if (block !== null) text.replaceLines(from, to, block);
}

/** @param {"mine" | "other"} which */
async function settle(which) {
  const now = draft.settle(await getReport(report.id), which);
  if (now === whole()) return;
  const read = readFrontMatter(now);
  about = read.about;
  fields.set(about);
  preview.showAbout(about);
  text.set(read.body);
  show(read.body);
}

async function asNew() {
  const { url } = await createReport(whole());
  draft.settle(await getReport(report.id), "other");
  toast("Your text has been saved as a new report.");
  location.assign(url);
}
