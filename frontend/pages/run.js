// The run page: state, curves, decision boundary or confusion matrix, settings and log, live.

import { getBoundary, getMetricsOf, getRun } from "../lib/api.js";
import { Problem } from "../lib/request.js";
import { byId, h, pageData } from "../lib/dom.js";
import { openStream } from "../lib/live.js";
import { attempt, startShell } from "../lib/shell.js";
import { apiUrl, siteUrl } from "../lib/base-path.js";
import { RunStates } from "../lib/states.js";
import { isActive } from "../lib/status.js";
import { boundaryPanel } from "../run/boundary.js";
import { testPanel } from "../run/confusion.js";
import { curves, importedSeries } from "../run/curves.js";
import { runHeader } from "../run/header.js";
import { hintLine } from "../run/hint-line.js";
import { logPanel } from "../run/log.js";
import { notesPanel } from "../run/notes.js";
import { progressPanel } from "../run/progress.js";
import { settingsPanel } from "../run/settings.js";
import { pointsFor } from "../run/resolution.js";
import { RunStore } from "../run/store.js";
import { experimentCard } from "../runs/experiment.js";

/** @import { Preset, Run, RunEvent } from "../lib/types" */
/** @import { StartRecord } from "../run/settings.js" */

/**
 * The last events of a finished run, such as the test result, are requested again, since the metrics do not contain
 * them.
 */
const LAST_EVENTS = 8;

startShell();

/** @type {{ run: Run, start: StartRecord | null, experiment: Preset | null }} */
const { run: first, start: startRecord, experiment } = pageData();
let run = first;
const states = new RunStates();
states.put(run);
const store = new RunStore(importedSeries(run));
const header = runHeader(run, { onRun: showRun, onRemoved: (ending) => location.assign(siteUrl(`/${ending}`)) });
const progress = progressPanel(run);
// An experiment says itself what to look for.
const hint = experiment ? null : hintLine(run);
const charts = curves(store, () => run);
const test = testPanel();
const settings = settingsPanel(run, startRecord);
const notes = notesPanel();
const log = logPanel(run.id, () => isActive(run));
/** @type {ReturnType<typeof boundaryPanel> | null} */
let boundaryView = null;
const main = h("div", { class: "run-main" }, charts.element);
// What is beside the curves: without it they lie beside each other.
const side = h("div", { class: "run-side" }, test.element);
const columns = h("div", { class: "run-columns" }, main, side);
const lower = h("div", { class: "run-lower wide-matrix" }, settings, ...(run.source ? [] : [log.element]));

byId("page").append(
  header.element,
  progress.element,
  notes.element,
  hint?.element ?? experimentCard(/** @type {Preset} */ (experiment)),
  columns,
  lower,
);
document.documentElement.dataset.lastSeqDrawn = "0";
start();

async function start() {
  await Promise.all([catchUp(), attempt(findBoundary)]);
  let startingAfresh = false;
  const stream = openStream({
    url: () =>
      apiUrl(
        `/events?run=${encodeURIComponent(run.id)}&after=${Math.max(0, store.lastSeq - LAST_EVENTS)}&include=status`,
      ),
    on: {
      message: (/** @type {RunEvent} */ event) => {
        if (startingAfresh || take(event)) return;
        // An event is missing: fetch the curves again rather than draw a gap.
        startingAfresh = true;
        catchUp().then(() => {
          startingAfresh = false;
          stream.reconnect();
        });
      },
      run: showRun,
      removed: () => {
        header.showGone();
        stream.close();
      },
    },
    onReturn: () => states.returned(),
    isOver: isGone,
  });
}

/** Whether the run has been deleted. */
async function isGone() {
  try {
    await getRun(run.id);
    return false;
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) return false;
    header.showGone();
    return true;
  }
}

/** Fetches the curves so far. */
async function catchUp() {
  await attempt(async () => {
    const weight = charts.smoothing();
    const [{ [run.id]: metrics }, latest] = await Promise.all([
      getMetricsOf([run.id], { series: store.names, points: pointsFor(1), smooth: weight }),
      getRun(run.id),
    ]);
    if (metrics) store.load(metrics, weight);
    showRun(latest);
    charts.renew();
  });
}

/** @param {RunEvent} event @returns {boolean} false if an earlier event is missing */
function take(event) {
  if (event.kind === "test") {
    test.show(event, run.summary.classes ?? []);
    // A confusion matrix of several classes needs more width than the side has.
    if (event.confusion.length > 5) lower.prepend(test.element);
    test.element.classList.toggle("many", event.confusion.length > 12);
  }
  if (event.kind === "preparing") progress.prepare(event);
  if (event.kind === "started") progress.prepare(null);
  if (event.kind === "note") notes.add(event.seq, event.message);
  const taken = store.apply(event);
  if (taken === "gap") return false;
  if (taken === "old") return true;
  if (event.kind === "started") {
    // A field that is newer than the log is missing.
    const {
      classes = null,
      train_samples = null,
      steps_per_epoch = null,
      total_steps = null,
      parameters = null,
    } = event;
    run = {
      ...run,
      summary: { ...run.summary, classes, train_samples, steps_per_epoch, steps: total_steps, parameters },
    };
  }
  if (event.kind === "boundary") {
    if (boundaryView) boundaryView.take(event);
    else attempt(findBoundary);
  }
  charts.draw();
  return true;
}

/** @param {Run} next */
function showRun(next) {
  if (!states.put(next)) return;
  const replaced = JSON.stringify(run.source) !== JSON.stringify(next.source);
  run = next;
  // The imported files have grown, or tags are mapped differently: the page must be rebuilt.
  if (replaced) return location.reload();
  header.show(run);
  progress.show(run);
  hint?.show(run);
  log.nudge();
  charts.draw();
}

/** Shows the boundary panel if the run has boundaries. */
async function findBoundary() {
  const known = await getBoundary(run.id, "latest");
  if (boundaryView || !known.boundary) return;
  boundaryView = boundaryPanel(run, known);
  side.prepend(boundaryView.element);
  // The boundary is what the page is opened for.
  columns.prepend(side);
  lower.prepend(test.element);
  header.hideImages();
}
