// The form that begins a search for wrong labels: a sweep over the folds of a set, with the settings of a run.

import { siteUrl } from "../lib/base-path.js";
import { createSweep, listRuns } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { dateTime, percent } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt } from "../lib/shell.js";

/** @import { Run, SetLabels } from "../lib/types" */

const FOLDS = [3, 5, 10];
const USUAL_FOLDS = 5;
/** Runs that are offered. */
const OFFERED = 50;

/**
 * @param {SetLabels} labels
 * @param {{ begun: (sweep: string) => void }} of
 */
export function checkForm(labels, { begun }) {
  /** @type {Run[]} */
  let runs = [];
  const run = h("select", { class: "select", id: "check-run", required: true });
  const folds = h(
    "select",
    { class: "select", id: "check-folds" },
    ...FOLDS.map((value) => h("option", { value, selected: value === USUAL_FOLDS }, String(value))),
  );
  const start = h("button", { class: "button primary", type: "submit" }, icon("play", 14), "Find mistakes");
  const none = h(
    "p",
    { class: "notice", hidden: true },
    icon("info"),
    h(
      "span",
      {},
      "No run on this set is finished yet. ",
      h("a", { href: siteUrl(`/new?data=${encodeURIComponent(labels.set)}`) }, "Train one"),
      " that is good at it: the same settings then look for mistakes.",
    ),
  );
  const waiting = h("p", { class: "muted" }, "Looking for runs on this set…");
  const fields = h(
    "form",
    { class: "check-fields", hidden: true, on: { submit: begin } },
    h("label", { for: "check-run" }, h("span", { class: "small" }, "With the settings of"), run),
    h("label", { for: "check-folds" }, h("span", { class: "small" }, "Networks, one for each fold"), folds),
    start,
  );
  const element = h(
    "section",
    { class: "card check-form", "aria-label": "Find mistakes" },
    h(
      "header",
      { class: "card-head" },
      h(
        "div",
        {},
        h("h2", {}, "Find mistakes"),
        h(
          "p",
          { class: "muted small" },
          "The images are divided into folds. Each network learns all folds but one and judges that one, so no image is judged by a network that learnt its label. Where they are sure of another class, the label may be wrong.",
        ),
      ),
    ),
    h("div", { class: "card-body" }, waiting, none, fields),
  );
  offer();

  async function offer() {
    const page = await attempt(() =>
      listRuns({ search: `source=vivarium status=finished data="${labels.set}"`, sort: "-created", limit: OFFERED }),
    );
    waiting.hidden = true;
    const accuracy = (/** @type {Run} */ { summary }) => summary.best_validation_accuracy ?? 0;
    runs = (page?.runs ?? []).filter(isFit).sort((a, b) => accuracy(b) - accuracy(a));
    none.hidden = runs.length > 0;
    fields.hidden = runs.length === 0;
    run.replaceChildren(...runs.map((one) => h("option", { value: one.id }, words(one))));
  }

  /** @param {SubmitEvent} event */
  async function begin(event) {
    event.preventDefault();
    const source = runs.find(({ id }) => id === run.value);
    if (!source) return;
    start.disabled = true;
    setText(start.lastChild ?? start, "Starting…");
    const sweep = await attempt(() => createSweep(sweepOf(source.spec, labels, Number(folds.value))));
    start.disabled = false;
    setText(start.lastChild ?? start, "Find mistakes");
    if (sweep) begun(sweep.id);
  }

  return { element, focus: () => run.focus() };
}

/** The sweep over the folds of a set with the settings of a run. @param {any} spec @param {SetLabels} labels @param {number} folds */
export function sweepOf(spec, labels, folds) {
  const { fold: _, ...data } = spec.data;
  const base = {
    ...spec,
    name: `Labels of ${labels.title}`.slice(0, 200),
    data: { ...data, folds, version: labels.version },
  };
  return { base, grid: { "data.fold": Array.from({ length: folds }, (_, fold) => fold) }, repeats: 1 };
}

/**
 * Whether folds with a run's settings judge all images, by probabilities, and each an image that it did not learn. One
 * that starts from another run may know its own fold, a perceptron has margins, and a limit leaves images out.
 * @param {Run} run
 */
function isFit({ spec }) {
  const { training, network, data } = /** @type {any} */ (spec);
  const from = training?.transfer?.from;
  const isHonest = from === undefined || from === "imported";
  return isHonest && network?.kind !== "perceptron" && !data?.limit && !data?.folds;
}

/** @param {Run} run */
function words({ name, summary, created }) {
  const accuracy = summary.best_validation_accuracy;
  const right = accuracy === null || accuracy === undefined ? "" : `, ${percent(accuracy)} right`;
  return `${name}${right}, ${dateTime(created)}`;
}
