// The page of a set's labels: a search for mistakes by networks that did not learn them, corrections, and versions.

import { siteUrl } from "../lib/base-path.js";
import { byId, h, pageData } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { announce, attempt, startShell } from "../lib/shell.js";
import { setUrl } from "../data/open-sets.js";
import { checkForm } from "../labels/check-form.js";
import { correctionsCard } from "../labels/corrections.js";
import { issuesCard } from "../labels/issues.js";
import { labelStore } from "../labels/store.js";
import { versionsCard } from "../labels/versions.js";
import { changeWords } from "../labels/words.js";

/** @import { LabelEdit, SeenLabels, SetLabels } from "../lib/types" */

startShell();

/** @type {{ labels: SetLabels, etag: string }} */
const data = pageData();
const store = labelStore({ ...data.labels, etag: data.etag }, show);
const { set, title, classes, checks } = store.labels();
let check = new URLSearchParams(location.search).get("check") ?? checks[0]?.sweep ?? "";

const state = h("p", { class: "muted", role: "status" });
const issues = issuesCard(store, { again: startCheck });
const form = checkForm(store.labels(), { begun: showCheck });
const corrections = correctionsCard(classes, { set, edit });
const versions = versionsCard({ set, use });
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
    h("div", {}, h("h1", {}, "Labels of ", h("a", { href: setUrl(set) }, title)), state),
    choice,
  ),
  form.element,
  issues.element,
  corrections.element,
  versions.element,
);
show(store.labels());
showCheck(check);
// Others may have changed labels meanwhile.
addEventListener("focus", () => attempt(store.refresh));

/** @param {SeenLabels} labels */
function show(labels) {
  const version = labels.versions.find(({ version }) => version === labels.version);
  state.replaceChildren(
    ...(version && labels.version !== "imported"
      ? [
          "Version ",
          h("code", {}, labels.version),
          `: ${changeWords(version)} of ${count(labels.images)} images. `,
          h("a", { href: siteUrl(`/new?data=${encodeURIComponent(set)}`) }, "New runs"),
          " learn from it.",
        ]
      : [`${count(labels.images)} images, labelled as they were imported.`]),
  );
  choice.hidden = labels.checks.length < 2;
  chosen.replaceChildren(
    ...labels.checks.map(({ sweep, name, folds }, at) =>
      h("option", { value: sweep }, `${name || `Search ${labels.checks.length - at}`}, ${folds} folds`),
    ),
  );
  chosen.value = check;
  corrections.show(labels);
  versions.show(labels);
  issues.refresh();
}

/** Shows what a sweep says; without one, the form to begin it. @param {string} sweep */
async function showCheck(sweep) {
  const isNew = sweep !== "" && !store.labels().checks.some((known) => known.sweep === sweep);
  check = sweep;
  form.element.hidden = sweep !== "";
  issues.show(sweep);
  if (isNew) await attempt(store.refresh);
  chosen.value = check;
  const address = sweep === "" ? location.pathname : `?check=${encodeURIComponent(sweep)}`;
  history.replaceState(null, "", address);
}

function startCheck() {
  form.element.hidden = false;
  form.element.scrollIntoView({ block: "nearest" });
  form.focus();
}

/** @param {LabelEdit[]} changes @param {string} words what is announced */
async function edit(changes, words) {
  if (await attempt(() => store.change({ changes }))) announce(words);
}

/** Makes a version the current one. @param {string} version */
async function use(version) {
  if (await attempt(() => store.change({ from: version }))) issues.show(check);
}
