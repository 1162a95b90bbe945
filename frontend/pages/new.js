// The form for a new run. Settings are checked while typing, and typed values are kept.

import { experimentCard, variant } from "../runs/experiment.js";
import { createRun, createSweep } from "../lib/api.js";
import { siteUrl } from "../lib/base-path.js";
import { byId, h, pageData } from "../lib/dom.js";
import { announce, startShell } from "../lib/shell.js";
import { checker, checkResultOf } from "../form/checker.js";
import { formatGridValues } from "../form/grid-values.js";
import { comparePart } from "../form/compare.js";
import { draftOf, emptyDraft, runCount, specOf, startingWith, sweepOf } from "../form/draft.js";
import { placeErrors } from "../form/errors.js";
import { estimator } from "../form/estimate.js";
import { draftOfLink } from "../form/link.js";
import { sections } from "../form/sections.js";
import { summaryPart } from "../form/summary.js";
import { offerSources } from "../form/transfer.js";
import { NETWORK, fieldsOf, labelAt } from "../form/table.js";
import { setFromUrl } from "../form/url-settings.js";
import { safeSessionStorage } from "../lib/storage.js";

/** @import { FormTable, Preset, RunSpec } from "../lib/types" */
/** @import { Draft } from "../form/draft.js" */
/** @import { CheckResult } from "../form/checker.js" */
/** @import { TransferSource } from "../form/transfer.js" */

startShell();

/** @type {{ form: FormTable, presets: Preset[], copy: RunSpec | null, sources: TransferSource[], transfers: boolean }} */
const { form: table, presets, copy, sources, transfers } = pageData();
offerSources(table, sources, copy?.training?.transfer?.from);
const query = new URLSearchParams(location.search);
const preset = presets.find(({ id }) => id === query.get("preset"));
/** The preset's settings, or those of what its card says to try. */
const asked = preset && variant(preset, query.has("try") ? Number(query.get("try")) : null);
/** What the link asks for: a RunSpec, as from the playground. */
const linked = query.has("spec") ? draftOfLink(table, query.get("spec") ?? "") : null;
const KEPT = `vivarium.draft${location.search}`;

/** Paths in the address that are no settings of this form. @type {string[]} */
let unknown = [];
const draft = kept() ?? first();
const parts = sections(table, draft, startFrom(), changed);
const compare = comparePart(table, draft, changed);
const summary = summaryPart();
const checks = checker(showCheckResult);
const estimates = estimator((known) => summary.showEstimate(known));
/** The settings that are wrong. */
let toFix = 0;
/** @type {CheckResult} */
let checkResult = { plan: null, schedule: null, errors: [], trouble: "" };

// What an experiment compares is what it is about.
if (Object.keys(draft.grid).length > 0) parts.element.prepend(compare.element);
else parts.element.append(compare.element);
const form = h(
  "form",
  { class: "new-run", novalidate: true, autocomplete: "off", on: { submit } },
  parts.element,
  summary.element,
);
const from = asked
  ? `From the experiment “${asked.title}”`
  : copy
    ? `${transfers ? "With the weights and settings of" : "From"} the run “${copy.name}”`
    : linked?.draft
      ? "With the settings of the link"
      : "Choose data and a network; the rest has sensible values.";
byId("page").append(
  h("header", { class: "page-head" }, h("div", {}, h("h1", {}, "New run"), h("p", { class: "muted" }, from))),
  ...(preset ? [experimentCard(preset)] : []),
  ...unknown.map((path) =>
    h("p", { class: "notice warn" }, `“${path}” is not a setting of this form and was left out.`),
  ),
  ...(linked?.fault
    ? [h("p", { class: "notice warn", role: "status" }, `The link’s “spec” ${linked.fault}. These are the defaults.`)]
    : []),
  form,
);
changed();

function changed() {
  parts.show();
  compare.show();
  const spec = specOf(table, draft);
  summary.showSpec(spec);
  summary.showPlan(checkResult.plan, runCount(table, draft), toFix);
  keep();
  estimates.cancel();
  summary.showEstimate(null);
  checks.later(spec, sweepOf(table, draft));
}

/** @param {CheckResult} next */
function showCheckResult(next) {
  checkResult = next;
  summary.showNetwork(specOf(table, draft), next.plan);
  parts.showSchedule(next.schedule);
  parts.showPlan(next.plan);
  const controls = parts.visible();
  const { placed, apart } = placeErrors(next.errors, new Set(controls.map((made) => made.field.path)));
  for (const made of controls) made.setError(placed.get(made.field.path)?.join("; ") ?? "");
  parts.showErrors();
  // A list with two wrong items is one setting.
  toFix = placed.size + apart.length;
  summary.showPlan(next.plan, runCount(table, draft), toFix);
  if (next.plan) estimates.later(specOf(table, draft), sweepOf(table, draft));
  else summary.hideEstimate();
  summary.showTrouble([
    ...apart.map(({ path, message }) => `${labelAt(table, path)}: ${message}`),
    ...(next.trouble ? [next.trouble] : []),
  ]);
}

form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit();
});

/** @param {SubmitEvent} event */
async function submit(event) {
  event.preventDefault();
  if (summary.button.disabled) return;
  summary.button.disabled = true;
  checks.cancel();
  estimates.cancel();
  const sweep = sweepOf(table, draft);
  try {
    const { url } = await (sweep ? createSweep(sweep) : createRun(specOf(table, draft)));
    safeSessionStorage.removeItem(KEPT);
    location.assign(url);
  } catch (error) {
    showCheckResult(checkResultOf(error));
    announce(`Not started: ${error instanceof Error ? error.message : error}`);
    const wrong = parts.visible().find((made) => made.element.classList.contains("invalid"));
    if (wrong) parts.reveal(wrong);
  } finally {
    summary.button.disabled = false;
  }
}

/** A menu of the finished runs, whose weights and settings the form then has; none where it is of a run already. */
function startFrom() {
  if (sources.length === 0 || (copy && !transfers)) return null;
  const options = sources.map(({ id, name, network, data }) =>
    h("option", { value: id }, `${name} (${network}, ${data})`),
  );
  const menu = h(
    "select",
    {
      class: "input",
      id: "start-from",
      on: { change: () => menu.value && location.assign(siteUrl(`/new?transfer=${menu.value}`)) },
    },
    h("option", { value: "" }, "Nothing: random weights"),
    ...options,
  );
  menu.value = transfers ? (query.get("transfer") ?? "") : "";
  return h(
    "div",
    { class: "field" },
    h("div", { class: "field-head" }, h("label", { class: "label", for: menu.id }, "Start from a finished run")),
    menu,
    h("p", { class: "hint" }, "Its weights and settings; the last layer is new where the classes differ."),
  );
}

/** @returns {Draft} */
function first() {
  if (copy) {
    const made = draftOf(table, copy);
    unknown = setFromUrl(table, made, query.getAll("set"));
    if (transfers) {
      // The new run has a name of its own.
      delete made.typed.name;
    }
    return made;
  }
  if (linked?.draft) return linked.draft;
  if (!asked || !preset) {
    const made = emptyDraft(table);
    made.set = table.data_sets.find(({ set }) => set === query.get("data"))?.set ?? made.set;
    startingWith(table, made, query.get("network"));
    unknown = setFromUrl(table, made, query.getAll("set"));
    return made;
  }
  const made = draftOf(table, asked.base);
  const fields = new Set(fieldsOf(table, made).map(({ path }) => path));
  for (const [path, axis] of Object.entries(asked.grid)) {
    const isTyped = path === NETWORK ? isOfKinds(axis) : fields.has(path);
    if (isTyped) made.grid[path] = formatGridValues(axis);
    else made.fixed[path] = axis;
  }
  made.repeats = String(preset.repeats);
  return made;
}

/** Whether all values are networks with their defaults. @param {unknown} axis */
function isOfKinds(axis) {
  return Array.isArray(axis) && axis.every((value) => Object.keys(value).join() === "kind");
}

/** The draft from before a reload or navigation. @returns {Draft | null} */
function kept() {
  const [navigation] = performance.getEntriesByType("navigation");
  const type = /** @type {PerformanceNavigationTiming | undefined} */ (navigation)?.type;
  if (type !== "reload" && type !== "back_forward") return null;
  try {
    return JSON.parse(safeSessionStorage.getItem(KEPT) ?? "null");
  } catch {
    return null;
  }
}

function keep() {
  safeSessionStorage.setItem(KEPT, JSON.stringify(draft));
}
