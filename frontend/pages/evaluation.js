// The page of a run's evaluation: figures with intervals, each class, curves, reliability, thresholds and mistakes; alone
// or beside another run on the same samples.

import { getEvaluation, getEvaluationComparison, getInside, getRun, listRuns } from "../lib/api.js";
import { Problem } from "../lib/request.js";
import { byId, download, h, pageData } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { openStream } from "../lib/live.js";
import { menu } from "../lib/menu.js";
import { attempt, startShell } from "../lib/shell.js";
import { apiUrl } from "../lib/base-path.js";
import { badge, isActive } from "../lib/status.js";
import { classTable } from "../evaluation/class-table.js";
import { comparisonCard } from "../evaluation/comparison.js";
import { curvesCard } from "../evaluation/curves.js";
import { headline } from "../evaluation/headline.js";
import { confusionCard, mistakesCard } from "../evaluation/mistakes.js";
import { reliabilityCard } from "../evaluation/reliability.js";
import { contents } from "../evaluation/summary.js";
import { classesCsv } from "../evaluation/table-file.js";
import { thresholdCard } from "../evaluation/threshold.js";
import { progressCard, untilReady, versionOf, WAIT } from "../evaluation/wait.js";
import { withoutCheckpoint } from "../run/no-checkpoint.js";
import { isOfImages, pageLinks } from "../run/pages.js";

/** @import { EvaluationComparison, Run, RunEvaluation, RunEvent } from "../lib/types" */

const SPLITS = [
  ["test", "Test", "Samples that the network never saw: what to expect of the next photo"],
  ["validation", "Validation", "Samples that chose the best epoch, and so look a little too good"],
  ["train", "Training", "Samples that the network learnt from: how much it can remember"],
];

startShell();

/** @type {{ run: Run }} */
const data = pageData();
let run = data.run;
const query = new URLSearchParams(location.search);
let split = SPLITS.find(([name]) => name === query.get("split"))?.[0] ?? "test";
let beside = query.get("with") ?? "";
/** @type {RunEvaluation | null} */
let shown = null;
/** Whether the page says that there is no checkpoint yet. */
let isWithoutCheckpoint = false;
/** The evaluation that is being loaded. @type {AbortController | null} */
let loading = null;
/** Whether the other runs were listed. */
let listed = false;

const status = badge();
const links = pageLinks(run, "evaluation");
const splits = h(
  "div",
  { class: "segments", role: "radiogroup", "aria-label": "Split" },
  ...SPLITS.map(([value, label, title]) =>
    h(
      "label",
      { title },
      h("input", {
        type: "radio",
        name: "split",
        value,
        checked: value === split,
        on: { change: () => choose({ split: value }) },
      }),
      h("span", {}, label),
    ),
  ),
);
const others = h("select", {
  class: "select",
  "aria-label": "Compare with",
  on: { change: () => choose({ beside: others.value }), focus: listOthers, pointerdown: listOthers },
});
const files = menu({ label: "Download", title: "Download", icon: "download", look: "" }, [
  { label: "Classes, CSV", act: saveCsv },
  { label: "Everything, JSON", act: saveJson },
]);
const content = h("div", { class: "evaluation" });
byId("page").append(
  h(
    "header",
    { class: "evaluation-head" },
    h(
      "div",
      { class: "evaluation-title" },
      h("h1", {}, "Evaluation of ", h("a", { href: run.url }, run.name)),
      status.element,
    ),
    h("div", { class: "run-actions" }, ...links.elements, files),
  ),
  h(
    "div",
    { class: "evaluation-tools" },
    splits,
    h("label", { class: "beside" }, h("span", { class: "small" }, "Compare with"), others),
  ),
  content,
);
files.hidden = true;
status.show(run);
others.append(h("option", { value: "" }, "no other run"));
load();
follow();

/** @param {{ split?: string, beside?: string }} next */
function choose(next) {
  split = next.split ?? split;
  beside = next.beside ?? beside;
  const address = new URLSearchParams();
  if (split !== "test") address.set("split", split);
  if (beside) address.set("with", beside);
  const search = address.toString();
  history.replaceState(null, "", `${location.pathname}${search && `?${search}`}`);
  load();
}

async function load() {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  shown = null;
  isWithoutCheckpoint = false;
  files.hidden = true;
  const waiting = progressCard();
  content.replaceChildren(waiting.element);
  const ask = (/** @type {string} */ id) =>
    untilReady(() => getEvaluation(id, { split, wait: WAIT }, signal), waiting.show);
  try {
    if (await hasNoCheckpoint()) {
      if (!signal.aborted) explain(null);
      return;
    }
    const evaluation = await ask(run.id);
    if (signal.aborted) return;
    shown = evaluation;
    files.hidden = false;
    const other = beside === "" ? null : await loadBeside(evaluation, ask, signal);
    if (signal.aborted) return;
    show(evaluation, other);
  } catch (error) {
    if (!signal.aborted) explain(error);
  }
}

/** Whether the run is known to have no checkpoint, so that nothing is asked that is refused. */
async function hasNoCheckpoint() {
  // What is known of a run that trains may be older than its first checkpoint.
  if (!run.summary.step && run.status !== "running") return true;
  if (run.summary.best_epoch !== null || !isOfImages(run)) return false;
  const inside = await getInside(run.id).catch(() => null);
  return inside?.checkpoints.length === 0;
}

/**
 * The other run with its evaluation and the test; or why there is none.
 * @param {RunEvaluation} evaluation
 * @param {(id: string) => Promise<RunEvaluation>} ask
 * @param {AbortSignal} signal
 * @returns {Promise<Beside>}
 */
async function loadBeside(evaluation, ask, signal) {
  try {
    const { name } = await getRun(beside);
    addOther(beside, name);
    const asked = { split, with: beside, wait: WAIT, ...versionOf(evaluation) };
    const compare = () => getEvaluationComparison(run.id, asked, signal);
    const compared = await untilReady(compare);
    return { name, evaluation: await ask(beside), compared, refused: "" };
  } catch (error) {
    if (signal.aborted) throw error;
    return {
      name: "",
      evaluation: null,
      compared: null,
      refused: error instanceof Error ? error.message : String(error),
    };
  }
}

/**
 * @typedef {{ name: string, evaluation: RunEvaluation, compared: EvaluationComparison, refused: "" }
 *   | { name: "", evaluation: null, compared: null, refused: string }} Beside
 */

/** @param {RunEvaluation} evaluation @param {Beside | null} beside */
function show(evaluation, beside) {
  const other = beside?.evaluation ? beside : null;
  const isImages = isOfImages(run);
  if (!isImages) links.hideImages();
  const { epoch, name } = evaluation.checkpoint;
  const classes = classTable(evaluation, other, other?.compared ?? null);
  const confusion = confusionCard(run, evaluation, split, isImages);
  const curves = curvesCard(run.id, evaluation, split);
  const reliability = reliabilityCard(evaluation.calibration);
  const threshold = thresholdCard(evaluation);
  const mistakes = mistakesCard(run, evaluation, split, isImages);
  const comparison = other && comparisonCard(other.compared, run.name, other.name);
  content.replaceChildren(
    ...(beside?.refused ? [h("div", { class: "notice warn" }, icon("warning"), h("p", {}, beside.refused))] : []),
    headline(evaluation, other, split),
    contents([
      ...(comparison
        ? [/** @type {[string, string, HTMLElement]} */ (["comparison", "Side by side", comparison])]
        : []),
      ["classes", "Each class", classes],
      ["confusion", "What is taken for what", confusion],
      ["curves", "One class against the rest", curves],
      ["probabilities", "Can its probabilities be believed?", reliability],
      ["none-of-these", "“None of these”", threshold],
      ["mistakes", "Most confident mistakes", mistakes],
    ]),
    ...(comparison ? [comparison] : []),
    classes,
    confusion,
    curves,
    h("div", { class: "evaluation-pair" }, reliability, threshold),
    mistakes,
    h(
      "p",
      { class: "muted small" },
      `Of the ${name} checkpoint${epoch === null ? "" : `, after epoch ${epoch}`}. Intervals hold the true figure in 95 of 100 such splits: Wilson's for shares of samples, else the percentiles of ${evaluation.resamples} bootstrap resamples.`,
    ),
  );
}

/** Says why there is no evaluation. @param {unknown} error `null` without a checkpoint */
function explain(error) {
  const conflict = error instanceof Problem && error.status === 409;
  const isWithout = error === null || (conflict && /no checkpoint yet/.test(error.message));
  isWithoutCheckpoint = isWithout;
  const none = isWithout ? withoutCheckpoint(run) : null;
  const words = none?.words ?? (error instanceof Error ? error.message : String(error));
  content.replaceChildren(
    h(
      "div",
      { class: "card empty" },
      icon("target", 28),
      h("h2", {}, none?.title ?? (conflict ? "Nothing to evaluate yet" : "The evaluation failed")),
      h("p", {}, words),
      h(
        "div",
        { class: "run-actions" },
        h("a", { class: "button", href: run.url }, "Back to the run"),
        isActive(run) && split === "test"
          ? h("button", { class: "button", type: "button", on: { click: chooseValidation } }, "Validation split")
          : none && !isActive(run)
            ? null
            : h("button", { class: "button", type: "button", on: { click: load } }, "Try again"),
      ),
    ),
  );
}

function chooseValidation() {
  const input = splits.querySelector("input[value=validation]");
  if (input instanceof HTMLInputElement) input.checked = true;
  choose({ split: "validation" });
}

function saveCsv() {
  if (shown) save(classesCsv(shown), "csv", "text/csv");
}

function saveJson() {
  if (shown) save(JSON.stringify(shown, null, 2), "json", "application/json");
}

/** @param {string} text @param {string} extension @param {string} type */
function save(text, extension, type) {
  const name = run.name.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60);
  download(`${name}-${split}.${extension}`, new Blob([text], { type }));
}

/** Lists the runs on the same data. */
async function listOthers() {
  if (listed) return;
  listed = true;
  const search = `source=vivarium data="${run.spec.data?.set}" epoch>=0`;
  const page = await attempt(() => listRuns({ search }));
  for (const { id, name } of page?.runs ?? []) addOther(id, name);
}

/** @param {string} id @param {string} name */
function addOther(id, name) {
  const known = [...others.options].some(({ value }) => value === id);
  if (!known && id !== run.id) others.append(h("option", { value: id }, name));
  others.value = beside;
}

/** Follows the state of the run, and evaluates it at its first checkpoint and when it is over. */
function follow() {
  openStream({
    url: () => apiUrl(`/events?run=${encodeURIComponent(run.id)}&after=${run.summary.events}&include=status`),
    on: {
      message: (/** @type {RunEvent} */ event) => {
        if (event.kind === "checkpoint" && isWithoutCheckpoint) load();
      },
      run: (/** @type {Run} */ next) => {
        const ended = isActive(run) && !isActive(next);
        run = next;
        status.show(run);
        if (ended && shown === null) load();
      },
      removed: () =>
        explain(new Error("This run has been deleted. It can be restored under “Deleted runs” on the runs page.")),
    },
    onReturn: () => {},
    isOver: () =>
      getRun(run.id).then(
        () => false,
        (error) => error instanceof Problem && error.status === 404,
      ),
  });
}
