// The page of a set's labels: a search for mistakes by networks that did not learn them, corrections, and versions.

import { siteUrl } from "../lib/base-path.js";
import { changeLabels, getLabels } from "../lib/api.js";
import { byId, h, pageData } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { attempt, announce, startShell } from "../lib/shell.js";
import { checkForm } from "../labels/check-form.js";
import { correctionsCard } from "../labels/corrections.js";
import { issuesCard } from "../labels/issues.js";
import { versionsCard } from "../labels/versions.js";
import { changeWords } from "../labels/words.js";

/** @import { SetLabels, LabelEdit } from "../lib/types" */

startShell();

/** @type {{ labels: SetLabels }} */
const data = pageData();
let labels = data.labels;
let check = new URLSearchParams(location.search).get("check") ?? labels.checks[0]?.sweep ?? "";

const state = h("p", { class: "muted", role: "status" });
const issues = issuesCard(labels.classes, { set: labels.set, edit, again: startCheck });
const form = checkForm(labels, { begun: showCheck });
const corrections = correctionsCard(labels.classes, { set: labels.set, edit });
const versions = versionsCard({ set: labels.set, use });
const chosen = h("select", {
  class: "select",
  "aria-label": "Search",
  on: { change: () => showCheck(chosen.value) },
});
const choice = h("label", { class: "labels-choice" }, h("span", { class: "small" }, "Search"), chosen);

byId("page").append(
  h(
    "header",
    { class: "labels-head" },
    h("div", {}, h("h1", {}, "Labels of ", h("a", { href: siteUrl("/data") }, labels.title)), state),
    choice,
  ),
  form.element,
  issues.element,
  corrections.element,
  versions.element,
);
show(labels);
showCheck(check);

/** @param {SetLabels} next */
function show(next) {
  labels = next;
  const version = labels.versions.find(({ version }) => version === labels.version);
  state.replaceChildren(
    ...(version && labels.version !== "imported"
      ? [
          "Version ",
          h("code", {}, labels.version),
          `: ${changeWords(version)} of ${count(labels.images)} images. New runs learn from it.`,
        ]
      : [`${count(labels.images)} images, labelled as they were imported.`]),
  );
  choice.hidden = labels.checks.length < 2;
  chosen.replaceChildren(
    ...labels.checks.map(({ sweep, name, folds }) => h("option", { value: sweep }, `${name || sweep}, ${folds} folds`)),
  );
  chosen.value = check;
  corrections.show(labels);
  versions.show(labels);
}

/** Shows what a sweep says; without one, the form to begin it. @param {string} sweep */
async function showCheck(sweep) {
  const isNew = sweep !== "" && !labels.checks.some((known) => known.sweep === sweep);
  check = sweep;
  form.element.hidden = sweep !== "";
  issues.show(sweep);
  if (isNew) await attempt(async () => show(await getLabels(labels.set)));
  chosen.value = check;
  const address = sweep === "" ? location.pathname : `?check=${encodeURIComponent(sweep)}`;
  history.replaceState(null, "", address);
}

function startCheck() {
  form.element.hidden = false;
  form.element.scrollIntoView({ block: "nearest" });
  form.focus();
}

/**
 * Changes labels; the promise is `false` when that failed.
 * @param {LabelEdit[]} changes
 * @param {string} words what is announced
 */
async function edit(changes, words) {
  const next = await attempt(() => changeLabels(labels.set, { changes }));
  if (!next) return false;
  show(next);
  announce(words);
  return true;
}

/** Makes a version the current one. @param {string} version */
async function use(version) {
  const next = await attempt(() => changeLabels(labels.set, { from: version }));
  if (!next) return;
  show(next);
  issues.show(check);
}
