// The page of a network: its text in an editor, and the picture that follows it.

import { deleteNetwork, getNetwork, saveNetwork } from "../lib/api.js";
import { Problem } from "../lib/request.js";
import { siteUrl } from "../lib/base-path.js";
import { byId, download, h, pageData } from "../lib/dom.js";
import { attempt, startShell, toast } from "../lib/shell.js";
import { textChecks } from "../network/checks.js";
import { openComparison } from "../network/compare.js";
import { textEditor } from "../network/editor.js";
import { networkHeader } from "../network/header.js";
import { kindLegend } from "../network/kinds.js";
import { inputShape } from "../network/input-shape.js";
import { mistakeLine } from "../network/mistakes.js";
import { freeName } from "../network/names.js";
import { notices } from "../network/notices.js";
import { optionFields } from "../network/options.js";
import { networkPicture } from "../network/picture.js";
import { findingsOf, mistakeText } from "../network/problems.js";
import { openRename } from "../network/rename-dialog.js";
import { STARTER } from "../network/starter.js";
import { draftKey, isDraftOf, keepDraft, ownKey } from "../network/drafts.js";
import { storedText } from "../network/stored-text.js";
import { networkStages } from "../network/stages.js";
import { networkTotals } from "../network/totals.js";
import { deleteWithDraft, passUndoOn } from "../network/undo.js";

/** @import { CheckedNetwork, NetworkPageData } from "../network/types" */

/** A mistake is shown this long after the last key. */
const QUIET_MS = 300;

startShell();

/** @type {NetworkPageData} */
const { network, networks, language, data_sets: sets } = pageData();
if (network.name === "" && network.source === "") network.source = STARTER;
const taken = new Set(networks.map(({ name }) => name));
let key = draftKey(network.name, location.search);
let title = network.title || "New network";
let lastKey = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let complaint;
let cursorLine = 1;
let isConflictTold = false;
/** The kinds of layers that the stages stand for. @type {string[]} */
let stageKinds = [];
/** Hides the last refusal to save. */
let forgetRefusal = () => {};

const stored = storedText(network, { key, onState: showState });
const isRecovered = !network.built_in && stored.recover();

const head = networkHeader(
  { title, suggested: network.suggested ?? freeName(fromFile() ?? "network", taken), taken },
  { save, start, rename, remove, compare, download: downloadText, discard },
);
const notice = notices();
const shape = inputShape(sets, network, check);
const options = optionFields(check);
const totals = networkTotals();
const legend = kindLegend();
const expand = foldButton("Expand", true, "Show the layers of all parts");
const collapse = foldButton("Collapse", false, "Show only the parts");
const stages = networkStages((line) => {
  picture.light(line, true);
  editor.goTo(line);
});
const picture = networkPicture({
  isRead: network.built_in,
  onPoint: (lines) => editor.light(lines),
  onGo: (line) => line > 0 && editor.goTo(line),
  onDraw: ({ kinds, isAllOpen, isAllClosed }) => {
    legend.show(new Set([...kinds, ...stageKinds]));
    expand.disabled = isAllOpen;
    collapse.disabled = isAllClosed;
  },
});
const mistakes = mistakeLine({ onGo: ({ line, column }) => editor.goTo(line, column) });
const editor = textEditor(stored.text(), {
  language,
  readOnly: network.built_in,
  onChange: (source) => {
    lastKey = performance.now();
    stored.change(source);
    check();
  },
  onLine: (line) => {
    cursorLine = line;
    picture.light(line, true);
  },
  onHover: (line) => picture.light(line ?? cursorLine),
  onRefused: () =>
    toast("A built-in network cannot be changed.", "", {
      label: "Edit a copy",
      act: () => location.assign(siteUrl(`/networks/new?copy=${encodeURIComponent(network.name)}`)),
    }),
});
const checks = textChecks({ onGood: showNetwork, onBad: (error) => complainLater(error) });
const empty = h("p", { class: "picture-empty muted" }, "The picture appears when the text has no mistakes.");
const view = h(
  "section",
  { class: "card picture-pane", "aria-label": "Picture" },
  h("div", { class: "picture-head" }, totals.element, h("div", { class: "picture-tools" }, expand, collapse)),
  empty,
  stages.element,
  h(
    "div",
    { class: "stages-key" },
    legend.element,
    h(
      "p",
      {},
      h(
        "span",
        { class: "of-maps" },
        "Numbers: channels and image size, or values. The larger its image, the higher a block. ",
      ),
      h("span", { class: "of-slices" }, "Slices: branches, within a block the thicker the more channels."),
      h(
        "span",
        { class: "of-skips" },
        "A bar is a convolution, or a separable one; a square is a 1×1 convolution on a skip.",
      ),
      h("span", { class: "of-links" }, "The coloured links lead to one neuron."),
    ),
  ),
  picture.element,
  h(
    "p",
    { class: "picture-note" },
    "Multiply-adds: to classify one sample. Time: estimated share of a training step. Memory: to train on one sample, with parameters, gradients and momentum. ",
    h("span", { class: "of-bars" }, "The longest bar is the largest row."),
  ),
);

byId("page").append(
  head.element,
  notice.element,
  h("section", { class: "card network-settings", "aria-label": "Checked for" }, shape.element, options.element),
  h(
    "div",
    { class: network.built_in ? "network-panes built-in" : "network-panes" },
    h(
      "section",
      { class: "card text-pane", "aria-label": "Text" },
      editor.element,
      h(
        "div",
        { class: "text-foot" },
        mistakes.element,
        h(
          "p",
          { class: "muted small keys", id: "editor-keys" },
          network.built_in
            ? "Read only: edit a copy to change it."
            : "Ctrl Space lists layers. Tab indents. To leave the editor, press Escape, then Tab.",
        ),
      ),
    ),
    view,
  ),
);
head.showKind(kind(), stored.name());
showState();
if (isRecovered) tellRecovered();
check();

addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s") {
    event.preventDefault();
    if (!network.built_in) save();
  }
});
addEventListener("beforeunload", (event) => {
  if (!stored.isKept()) event.preventDefault();
});
document.addEventListener("visibilitychange", () => !document.hidden && refresh());
// Another tab has kept a draft of the same network, or saved it.
addEventListener("storage", (event) => {
  if (event.key === null || !isDraftOf(key, event.key) || network.built_in) return;
  if (event.key === stored.draft()) {
    // Another tab has taken the text over; it is still here.
    if (event.newValue === null) stored.hold();
  } else if (event.newValue === null) refresh();
  else if (stored.state() !== "saved") {
    notice.show(
      "contested",
      "warn",
      "This network is being edited in another tab too. The one that saves last is asked.",
      [],
    );
  }
});

/** The name of the file, or of the deleted network, that a new network begins with. */
function fromFile() {
  return new URLSearchParams(location.search).get("file");
}

/** @returns {import("../network/header.js").Kind} */
function kind() {
  return network.built_in ? "built-in" : stored.isNew() ? "new" : "own";
}

/** @param {string} label @param {boolean} open @param {string} hint */
function foldButton(label, open, hint) {
  return h(
    "button",
    { class: "button quiet small", type: "button", title: hint, on: { click: () => picture.setAll(open) } },
    label,
  );
}

function showState() {
  const state = stored.state();
  head.showState(state, stored.text() !== stored.saved());
  if (state === "saved") {
    notice.hide("recovered");
    notice.hide("contested");
  }
  if (state !== "conflict") notice.hide("conflict");
  else if (!isConflictTold) tellConflict();
  isConflictTold = state === "conflict";
}

function check() {
  checks.later({ source: stored.text(), ...shape.value(), options: options.values() });
}

/** @param {CheckedNetwork} checked */
function showNetwork(checked) {
  clearTimeout(complaint);
  title = checked.title || title;
  head.showTitle(title);
  head.showSummary(stored.text());
  options.show(checked.options);
  options.setErrors(new Map());
  totals.show(checked);
  stageKinds = stages.show(checked);
  picture.show(checked);
  picture.light(cursorLine);
  mistakes.show([], []);
  editor.setMistakes([]);
  empty.hidden = true;
  setStale(false);
}

/** @param {unknown} error */
function complainLater(error) {
  clearTimeout(complaint);
  const pause = lastKey === 0 ? 0 : Math.max(0, lastKey + QUIET_MS - performance.now());
  complaint = setTimeout(complain, pause, error);
}

/** @param {unknown} error */
function complain(error) {
  const findings = findingsOf(error);
  if (options.forget(findings.unknown)) {
    check();
    return;
  }
  const apart = options.setErrors(findings.options);
  mistakes.show(findings.mistakes, [
    ...findings.other,
    ...apart,
    ...(findings.options.size > apart.length ? ["An option has a value that is not allowed."] : []),
  ]);
  editor.setMistakes(findings.mistakes);
  setStale(true);
}

/** @param {boolean} isStale */
function setStale(isStale) {
  view.classList.toggle("stale", isStale);
}

/** Saves the text. @returns {Promise<boolean>} whether it is saved now */
async function save() {
  const wasNew = stored.isNew();
  const name = wasNew ? head.newName() : stored.name();
  if (name === null) return false;
  try {
    if (!(await stored.save(name))) return false;
  } catch (error) {
    if (wasNew && error instanceof Problem && (error.status === 409 || error.status === 412)) {
      taken.add(name);
      head.refuseName(`There is already a network named “${name}”.`);
    } else forgetRefusal = toast(`Not saved: ${reason(error)} Your text is kept in this browser.`, "bad");
    return false;
  }
  forgetRefusal();
  if (wasNew) arrive(name);
  return true;
}

/** Shows a network under its new name. @param {string} name */
function arrive(name) {
  taken.add(name);
  key = draftKey(name, "");
  history.replaceState(history.state, "", siteUrl(`/networks/${encodeURIComponent(name)}`));
  head.showKind("own", name);
  toast(`“${title}” is saved as ${name}.`);
}

/** @param {unknown} error */
function reason(error) {
  const { mistakes: found, other } = findingsOf(error);
  const text = found.length > 0 ? mistakeText(found[0]) : (other[0] ?? "an option has a value that is not allowed");
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

async function start() {
  if (!network.built_in && !(await save())) return;
  const query = new URLSearchParams({ network: stored.name() });
  for (const setting of options.settings()) query.append("set", setting);
  location.assign(siteUrl(`/new?${query}`));
}

function rename() {
  openRename(stored.name(), taken, async (name) => {
    const old = stored.name();
    // What is saved moves; what is not saved yet moves with it as a draft.
    const { etag } = await saveNetwork(name, stored.saved(), null);
    if (stored.text() !== stored.saved()) keepDraft(ownKey(draftKey(name, "")), stored.text(), etag ?? "*");
    stored.discard();
    await attempt(() => deleteNetwork(old));
    location.replace(siteUrl(`/networks/${encodeURIComponent(name)}`));
  });
}

async function remove() {
  const deleted = await attempt(() => deleteWithDraft(stored.name()));
  if (!deleted) return;
  stored.discard();
  passUndoOn(deleted);
  location.assign(siteUrl("/networks"));
}

function compare() {
  const others = networks.filter(({ name }) => name !== stored.name());
  const choices = others.map(({ name, title: label }) => ({
    label,
    read: async () => (await getNetwork(name)).source,
  }));
  const saved = { label: "the saved text", read: async () => stored.saved() };
  openComparison(
    { label: title, source: stored.text() },
    stored.state() === "saved" || stored.isNew() ? choices : [saved, ...choices],
  );
}

function downloadText() {
  download(`${stored.name() || head.newName() || "network"}.py`, new Blob([stored.text()], { type: "text/x-python" }));
}

function discard() {
  const text = stored.text();
  editor.set(stored.discard());
  toast("The changes are discarded.", "", { label: "Undo", act: () => editor.set(text) });
}

async function refresh() {
  // Without an answer there is nothing to tell; saving would say so.
  if (network.built_in || (await stored.refresh().catch(() => "same")) !== "newer") return;
  editor.set(stored.text());
  toast("This network was saved in another tab. Its text is up to date here.");
}

function tellRecovered() {
  if (stored.state() === "conflict") return;
  notice.show("recovered", "", "These are your changes from the last visit. They are not saved yet.", [
    { label: "Discard changes", act: discard },
  ]);
}

async function tellConflict() {
  const mine = title;
  // Without an answer it was changed, as far as is known here.
  const isDeleted = (await stored.other().catch(() => undefined)) === null;
  if (stored.state() !== "conflict") return;
  if (isDeleted) {
    notice.show(
      "conflict",
      "warn",
      "This network was deleted elsewhere since it was opened here. Your text is kept in this browser.",
      [{ label: "Save it again", act: () => attempt(() => settle("mine")) }],
    );
    return;
  }
  notice.show(
    "conflict",
    "warn",
    "This network was changed elsewhere since it was opened here. Nothing was overwritten, and your text is kept.",
    [
      {
        label: "Compare",
        act: () =>
          openComparison({ label: "Your text", source: stored.text() }, [
            { label: `${mine}, as saved elsewhere`, read: async () => (await stored.other())?.source ?? "" },
          ]),
      },
      { label: "Save mine over it", act: () => attempt(() => settle("mine")) },
      { label: "Use the other text", act: () => attempt(() => settle("other")) },
    ],
  );
}

/** @param {"mine" | "other"} which */
async function settle(which) {
  const text = stored.text();
  const now = await stored.other();
  if (now === null) {
    if (which === "mine") await stored.saveAgain();
    else toast("The network was deleted elsewhere, so there is no other text.");
    return;
  }
  const settled = stored.settle(now, which);
  if (which === "mine") {
    await save();
    return;
  }
  editor.set(settled);
  toast("The other text is here now.", "", { label: "Bring mine back", act: () => editor.set(text) });
}
