// What to try after a run did not end as planned, by its cause. No DOM here.

import { siteUrl } from "../lib/base-path.js";
import { exactNumber, plural, roughDuration } from "../lib/format.js";
import { settingsOf } from "../lib/settings-diff.js";

/** @import { Json, Run } from "../lib/types" */

/**
 * What to do: `text` says it, and each step leads to a form that has it. Resume has its button above.
 * @typedef {{ text: string, steps: { label: string, href: string }[] }} Advice
 */

/**
 * The form with a run's settings, some of them changed.
 * @param {Run} run
 * @param {{ [path: string]: Json }} changes
 */
export function formWith({ id }, changes) {
  const set = Object.entries(changes).map(([path, value]) => `&set=${encodeURIComponent(`${path}:${value}`)}`);
  return siteUrl(`/new?copy=${encodeURIComponent(id)}${set.join("")}`);
}

/** @param {Run} run @param {string} path @returns {number | null} */
function numberAt(run, path) {
  const value = settingsOf(run).get(path);
  return typeof value === "number" ? value : null;
}

/** What to try; `null` for a run that needs nothing. @param {Run} run @returns {Advice | null} */
export function adviceFor(run) {
  if (run.source) return null;
  if (run.reason === "diverged") return diverged(run);
  if (run.status === "failed") return failed(run);
  if (run.status === "interrupted")
    return { text: "Resume goes on from its last checkpoint, as if nothing had happened.", steps: [] };
  if (run.status === "stopped") return stopped(run);
  if (run.reason === "early_stopped") return stoppedEarly(run);
  return null;
}

/** The form's defaults, by optimizer: a tenth of a rate that is far too high is too high as well. @type {{ [kind: string]: number }} */
const DEFAULT_LR = { sgd: 0.01, adamw: 0.001 };

/** @param {Run} run @returns {Advice} */
function diverged(run) {
  const lr = numberAt(run, "training.optimizer.lr");
  const clip = settingsOf(run).get("training.clip");
  const usual = DEFAULT_LR[String(settingsOf(run).get("training.optimizer.kind"))] ?? DEFAULT_LR.sgd;
  const tenth = lr === null ? null : Number((lr / 10).toPrecision(3));
  const lower = tenth === null ? null : exactNumber(Math.min(tenth, usual));
  // A clipped step is as long as the rate says: at one that is far too high it leaps as well.
  const isNear = tenth !== null && tenth <= usual;
  const clips = isNear && (clip === null || clip === undefined);
  const tries = [
    lower !== null && `a learning rate of ${lower}, ${isNear ? "a tenth of this one" : "the form's default"}`,
    clips && "gradient clipping at a norm of 1",
  ].filter(Boolean);
  return {
    text: `Steps that are too long${lr === null ? "" : `, here at a learning rate of ${exactNumber(lr)},`} leap over the minimum, each farther than the last, until the loss is too large for a number. ${
      tries.length > 0 ? `Try ${tries.join(", or ")}.` : "Try a longer warm-up or another network."
    }`,
    steps: [
      ...(lower === null
        ? []
        : [{ label: `New run with learning rate ${lower}`, href: formWith(run, { "training.optimizer.lr": lower }) }]),
      ...(clips ? [{ label: "New run with clipped gradients", href: formWith(run, { "training.clip": 1 }) }] : []),
    ],
  };
}

/** Causes of failures by what their messages say, the first that matches. @type {[RegExp, (run: Run) => Advice][]} */
const FAILURES = [
  [/is not on this machine|data fetch/i, missingData],
  [/no space left|disk is full|disk quota/i, fullDisk],
  [/exceeded its memory|out of memory|cannot allocate|memory allocation/i, outOfMemory],
  [/reached its time limit|ask for more time/i, outOfTime],
  [/refused the job/i, refused],
  [/killed by signal|disappeared without|node of the job failed|cancelled|preempted/i, killed],
];

/** @param {Run} run @returns {Advice} */
function failed(run) {
  const found = FAILURES.find(([pattern]) => pattern.test(run.message));
  if (found) return found[1](run);
  return {
    text: "The log on this page says more. When its cause is gone, Resume goes on from the last checkpoint.",
    steps: [{ label: "Change the settings", href: formWith(run, {}) }],
  };
}

/** @returns {Advice} */
function missingData() {
  return {
    text: "Get the data set on the page Data; then Resume goes on.",
    steps: [{ label: "Data sets", href: siteUrl("/data") }],
  };
}

/** @returns {Advice} */
function fullDisk() {
  return {
    text: `Make room on the server's disk: deleted runs take theirs until they leave the trash. Then Resume goes on from its last checkpoint.`,
    steps: [],
  };
}

/** @param {Run} run @returns {Advice} */
function outOfMemory(run) {
  // The message of a kill only guesses that it was the memory.
  const guess = /killed by signal/i.test(run.message);
  const batch = numberAt(run, "training.batch_size");
  const half = batch !== null && batch > 1 ? Math.floor(batch / 2) : null;
  const smaller = half === null ? "A smaller network needs less memory" : `A batch of ${half} needs less memory`;
  return {
    text: guess
      ? `If someone ended it, Resume goes on from its last checkpoint. ${smaller}.`
      : `${smaller}; fewer runs at a time leave more for each.`,
    steps: [
      ...(half === null
        ? [{ label: "Change the settings", href: formWith(run, {}) }]
        : [{ label: `New run with batch size ${half}`, href: formWith(run, { "training.batch_size": half }) }]),
    ],
  };
}

/** @param {Run} run @returns {Advice} */
function outOfTime(run) {
  const time = numberAt(run, "resources.time");
  const double = time === null ? null : time * 2;
  return {
    text: `Resume goes on from its last checkpoint in another job.${double === null ? "" : ` A new run can ask for ${plural(double, "minute")}, twice as long.`}`,
    steps: [
      ...(double === null
        ? []
        : [{ label: `New run with ${plural(double, "minute")}`, href: formWith(run, { "resources.time": double }) }]),
    ],
  };
}

/** @param {Run} run @returns {Advice} */
function refused(run) {
  return {
    text: "Ask the cluster for less: cores, memory, GPUs and time are among the form's settings.",
    steps: [{ label: "Change the settings", href: formWith(run, {}) }],
  };
}

/** @returns {Advice} */
function killed() {
  return { text: `Nothing that it had saved is lost: Resume goes on from its last checkpoint.`, steps: [] };
}

/** @param {Run} run @returns {Advice} */
function stopped(run) {
  const { step, steps, seconds } = run.summary;
  const left = step && steps && seconds ? (seconds / step) * (steps - step) : null;
  return {
    text: `Resume goes on exactly where it stopped${left === null ? "" : `; about ${roughDuration(left)} of training are left`}.`,
    steps: [],
  };
}

/** @param {Run} run @returns {Advice} */
function stoppedEarly(run) {
  const patience = numberAt(run, "training.early_stopping.patience");
  const kept =
    run.summary.best_epoch === null ? "" : ` Its best weights, of epoch ${run.summary.best_epoch}, are kept.`;
  return {
    text: `${kept}${patience === null ? "" : ` A patience of ${patience * 2} epochs lets it train for longer.`}`.trim(),
    steps:
      patience === null
        ? []
        : [
            {
              label: `New run with patience ${patience * 2}`,
              href: formWith(run, { "training.early_stopping.patience": patience * 2 }),
            },
          ],
  };
}
